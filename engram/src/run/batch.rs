//! Engrams that do one piece of work, and programs that begin runs.

use std::future::Future;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::runtime::signalled;
use super::{
    BatchEngram, BoxError, Context, Engram, Impulse, Inbound, Outbound, RunError, Runtime,
    StreamingEngram, config,
};
use crate::identity::{ExecutionContext, Secrets};
use crate::message::StreamMessage;
use crate::start::{Environment, parse_duration};

/// What came of a batch engram.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchOutcome {
    /// Its output.
    pub output: serde_json::Value,
    /// Whether it was sent through the hub: the environment has a binding.
    pub sent: bool,
}

/// Runs a batch engram: `init`, `process`, and where the environment has a binding its
/// output goes through the hub as one message, which is settled when this returns. From
/// `process` on all of it is to be through within `BUBU_STEP_TIMEOUT`; without one, a hub
/// that is away is waited for as long as the binding's retries go on.
///
/// # Errors
/// [`RunError`]; [`RunError::exit_code`] for `main`.
pub async fn start_batch<C, E>(
    mut engram: E,
    environment: Environment,
) -> Result<BatchOutcome, RunError>
where
    C: DeserializeOwned,
    E: BatchEngram<C>,
{
    let context = ExecutionContext::of(environment);
    init(&mut engram, &context).await?;
    let input = config::input(&context.environment)?;
    let deadline = step_timeout(&context.environment).map(|within| Instant::now() + within);
    let output = by(deadline, engram.process(&context, input)).await?;
    let output = output.map_err(RunError::Engram)?;
    let output = serde_json::to_value(output).map_err(|error| RunError::Engram(error.into()))?;
    let bound = context
        .environment
        .trimmed("BUBU_TRANSPORT_BINDING")
        .is_some();
    if bound {
        let message =
            StreamMessage::json(&output).map_err(|error| RunError::Engram(error.into()))?;
        let once = Once(message);
        let runtime = Runtime::from_environment(context.environment)?;
        by(deadline, runtime.stream(once)).await??;
    }
    Ok(BatchOutcome {
        output,
        sent: bound,
    })
}

/// Runs an impulse until SIGINT or SIGTERM, or its own end.
///
/// # Errors
/// [`RunError`].
pub async fn start_impulse<C, E>(mut impulse: E, environment: Environment) -> Result<(), RunError>
where
    C: DeserializeOwned,
    E: Impulse<C>,
{
    let context = ExecutionContext::of(environment);
    init(&mut impulse, &context).await?;
    tokio::select! {
        outcome = impulse.run(&context) => outcome.map_err(RunError::Engram),
        () = signalled() => Ok(()),
    }
}

async fn init<C, E>(engram: &mut E, context: &ExecutionContext) -> Result<(), RunError>
where
    C: DeserializeOwned,
    E: Engram<C>,
{
    let config: C = config::config(&context.environment)?;
    let secrets = Secrets::of(&context.environment)?;
    let init = engram.init(context, config, secrets).await;
    init.map_err(RunError::Init)
}

/// Waits for `work`, but not past the deadline.
async fn by<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Result<T, RunError> {
    match deadline {
        Some(deadline) => timeout_at(deadline, work)
            .await
            .map_err(|_| RunError::Timeout),
        None => Ok(work.await),
    }
}

fn step_timeout(environment: &Environment) -> Option<Duration> {
    let nanos = parse_duration(environment.trimmed("BUBU_STEP_TIMEOUT")?).ok()?;
    u64::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos > 0)
        .map(Duration::from_nanos)
}

/// Sends one message.
struct Once(StreamMessage);

impl Engram<serde_json::Value> for Once {}

impl StreamingEngram<serde_json::Value> for Once {
    async fn stream(&mut self, _: Context, _: Inbound, outbound: Outbound) -> Result<(), BoxError> {
        outbound.send(&self.0).await?;
        outbound.flush().await?;
        Ok(())
    }
}
