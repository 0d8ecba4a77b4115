//! Putting it together: environment, transport, session, engram.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::drive::{Drive, unix_millis};
use super::handles::{Context, Inbound, Outbound};
use super::shared::{Phase, Shared};
use super::{BoxError, ControlHandler, RunError, StreamingEngram, config};
use crate::control::{ControlDirective, default_reply};
use crate::identity::{ExecutionContext, Secrets};
use crate::link::{Connector, Hello, Process, Registration, Transport};
use crate::session::{Bounds, Jitter, Session, Stats};
use crate::start::{Binding, BindingError, Environment, security_mode};

/// Directives that wait for an engram's handler; those past them are answered by default.
const HANDLED_AT_ONCE: usize = 64;

/// How an engram runs. [`start_streaming`] is what most programs need.
pub struct Runtime<T> {
    transport: T,
    context: ExecutionContext,
    bounds: Bounds,
    drain: Duration,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Runtime<Connector> {
    /// As the environment of this process says, until SIGINT or SIGTERM.
    ///
    /// # Errors
    /// [`RunError`] where it does not say where the hub is.
    pub fn from_env() -> Result<Self, RunError> {
        let runtime = Self::from_environment(Environment::of_process())?;
        Ok(runtime.until(signalled()))
    }

    /// As `environment` says, without end.
    ///
    /// # Errors
    /// [`RunError`] where it does not say where the hub is.
    pub fn from_environment(environment: Environment) -> Result<Self, RunError> {
        let binding = Binding::of(&environment)?;
        if binding.endpoint.is_empty() {
            return Err(BindingError::NoEndpoint.into());
        }
        let mode = environment.get("BUBU_TRANSPORT_SECURITY_MODE");
        security_mode(mode.unwrap_or_default())?;
        let context = ExecutionContext::of(environment.overlaid(&binding.env));
        let transport = Connector::new(binding, &context.tunables);
        Ok(Self::over(transport, context))
    }
}

impl Runtime<Process> {
    /// Registered by name over `HubService.Process`, until SIGINT or SIGTERM: for hubs that
    /// serve no connectors, and engrams without a binding.
    #[must_use]
    pub fn registered(registration: Registration, environment: Environment) -> Self {
        let context = ExecutionContext::of(environment);
        let transport = Process::new(registration, context.tunables.dial_timeout);
        Self::over(transport, context).until(signalled())
    }
}

impl<T: Transport> Runtime<T> {
    /// Over a transport of one's own choice, without end.
    #[must_use]
    pub fn over(transport: T, context: ExecutionContext) -> Self {
        Self {
            transport,
            context,
            bounds: Bounds::default(),
            drain: Duration::from_secs(10),
            stop: Box::pin(std::future::pending()),
        }
    }

    /// Until `stop` is ready: then the engram is asked to stop, and what it has sent is
    /// delivered before the run ends.
    #[must_use]
    pub fn until(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// Keeps so much until it is settled.
    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Waits so long, once the engram has stopped, for what it sent to be settled.
    #[must_use]
    pub fn with_drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Runs a streaming engram: `init`, then `stream` over as many connections as it
    /// takes. Must be called on a tokio runtime with time and I/O.
    ///
    /// # Errors
    /// [`RunError`] tells who failed.
    pub async fn stream<C, E>(self, mut engram: E) -> Result<Stats, RunError>
    where
        C: DeserializeOwned,
        E: StreamingEngram<C>,
    {
        let config: C = config::config(&self.context.environment)?;
        let secrets = Secrets::of(&self.context.environment)?;
        let init = engram.init(&self.context, config, secrets).await;
        init.map_err(RunError::Init)?;
        let session = Session::new(self.transport.dialect(), self.bounds);
        let shared = Arc::new(Shared::new(session));
        let drive = Drive {
            shared: shared.clone(),
            tunables: self.context.tunables.clone(),
            hello: Hello {
                producer_epoch: producer_epoch(),
            },
            handler: engram
                .control_handler()
                .map(|handler| spawn_handler(handler, shared.clone())),
            drain: self.drain,
        };
        let context = Context::new(Arc::new(self.context), shared.clone());
        let outbound = Outbound(shared.clone());
        let mut transport = self.transport;
        let driving = tokio::spawn(async move { drive.run(&mut transport).await });
        let driving = Driving(driving);
        let work = engram.stream(context, Inbound(shared.clone()), outbound);
        let outcome = together(&shared, work, (driving, self.stop)).await;
        shared.move_to(Phase::Closed);
        let stats = shared.session().stats();
        outcome.map(|()| stats)
    }
}

/// The driver's task: it ends with whoever waits for it.
struct Driving(JoinHandle<Result<(), RunError>>);

impl Driving {
    async fn finished(&mut self) -> Result<(), RunError> {
        match (&mut self.0).await {
            Ok(outcome) => outcome,
            Err(error) => Err(RunError::Engram(error.into())),
        }
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs the engram beside the driver until both are through, or the driver fails.
async fn together(
    shared: &Shared,
    work: impl Future<Output = Result<(), BoxError>>,
    (mut driving, stop): (Driving, Pin<Box<dyn Future<Output = ()> + Send>>),
) -> Result<(), RunError> {
    let stopping = async {
        stop.await;
        shared.move_to(Phase::Stopping);
        std::future::pending::<()>().await;
    };
    let worked = tokio::select! {
        worked = work => worked,
        // Before the engram has stopped, the driver only ends by failing.
        driven = driving.finished() => return driven,
        () = stopping => Ok(()),
    };
    shared.move_to(Phase::Finishing);
    driving.finished().await?;
    worked.map_err(RunError::Engram)
}

/// Names this process to the hub: no other has the same.
fn producer_epoch() -> String {
    format!("{:x}-{:016x}", unix_millis(), Jitter::new().bits())
}

/// Calls the handler with one directive after the other.
fn spawn_handler(handler: ControlHandler, shared: Arc<Shared>) -> mpsc::Sender<ControlDirective> {
    let (sender, mut directives) = mpsc::channel::<ControlDirective>(HANDLED_AT_ONCE);
    tokio::spawn(async move {
        while let Some(directive) = directives.recv().await {
            let by_default = default_reply(&directive);
            let reply = match handler.call(directive).await {
                Ok(Some(reply)) => Some(reply),
                Ok(None) => by_default,
                Err(error) => {
                    let told = ControlDirective::new("error");
                    Some(told.with("message", error.to_string()))
                }
            };
            if let Some(reply) = reply {
                shared.session().tell(reply);
                shared.work.notify_one();
            }
        }
    });
    sender
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without a handler for it, a signal ends the process: there is nothing to wait for.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Runs a streaming engram as this process's environment says, until SIGINT or SIGTERM.
///
/// # Errors
/// [`RunError`] tells who failed.
pub async fn start_streaming<C, E>(engram: E) -> Result<Stats, RunError>
where
    C: DeserializeOwned,
    E: StreamingEngram<C>,
{
    Runtime::from_env()?.stream(engram).await
}
