//! The whole hub: puts the stages together, serves, drains.
//!
//! The only module that knows all stages. A hub is three threads: the data plane (sockets, engine),
//! admin, and one that only tells the data plane when time has passed; [`start`] returns once the
//! first two serve.

mod drain;
mod plan;
mod serve;
mod settings;
mod ticks;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;

use engine::route::PlanError;
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Config;
use crate::ingress::Acceptor;
use crate::story::{Loaded, Problem};
use crate::telemetry::{Publisher, Registrations};
use crate::{admin, control};

/// Commands that wait for the data plane at once.
const COMMANDS: usize = 64;

/// Why a hub did not start. None of these goes away by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address could not be bound.
    #[error("cannot listen on {addr} ({key}): {source}")]
    Listen {
        /// The configuration key that names the address.
        key: &'static str,
        /// The address.
        addr: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// Stories that load but need what is not built yet.
    #[error("{}", lines(.0))]
    Unsupported(Vec<Problem>),
    /// A plan that the engine refuses (for example one run given twice).
    #[error("a run cannot be served: {0}")]
    Plan(#[from] PlanError),
    /// A thread or runtime could not be made.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
    /// A part of the program itself is broken.
    #[error("internal: {0}")]
    Internal(String),
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// What somebody else wants of the data plane.
pub(crate) enum Command {
    /// A copy of the engine's figures.
    Snapshot(oneshot::Sender<engine::Snapshot>),
    /// Flush, end all streams, stop, all within the deadline.
    Drain(Duration, oneshot::Sender<DrainReport>),
}

/// Asks the data plane, from any thread.
#[derive(Clone)]
pub(crate) struct PlaneHandle(mpsc::Sender<Command>);

impl PlaneHandle {
    /// The engine's figures; `None` when the data plane has stopped.
    pub(crate) async fn snapshot(&self) -> Option<engine::Snapshot> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Command::Snapshot(reply)).await.ok()?;
        answer.await.ok()
    }
}

/// How a drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainReport {
    /// Packets that still waited when the hub stopped (dropped as `shutdown`).
    pub abandoned: u64,
    /// Whether all streams had ended before the deadline.
    pub in_time: bool,
}

/// A hub that serves. Dropping it stops it without a drain.
pub struct Running {
    grpc: SocketAddr,
    admin: SocketAddr,
    plane: PlaneHandle,
    drain_deadline: Duration,
    stop_admin: Option<oneshot::Sender<()>>,
    stop_plane: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts a hub with `config` for the runs of `stories`. Returns once it serves.
///
/// # Errors
/// [`StartError`]; nothing is left running.
pub fn start(config: Config, stories: &Loaded) -> Result<Running, StartError> {
    let engine = plan::engine(&config, &stories.snapshot)?;
    let acceptor = Acceptor::bind(config.listen.grpc).map_err(|source| StartError::Listen {
        key: "listen.grpc",
        addr: config.listen.grpc,
        source,
    })?;
    let (admin_listener, admin_addr) =
        admin::bind(config.listen.admin).map_err(|source| StartError::Listen {
            key: "listen.admin",
            addr: config.listen.admin,
            source,
        })?;
    let (routes, health) = control::routes().map_err(|e| StartError::Internal(e.to_string()))?;
    let registrations = Arc::new(Registrations::default());
    let publisher = Publisher::new(registrations.clone());

    let grpc = acceptor.addr;
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (stop_plane, stopped) = watch::channel(false);
    let (stop_admin, admin_stopped) = oneshot::channel();
    let ready = Arc::new(AtomicBool::new(true));
    let plane = PlaneHandle(commands);
    let drain_deadline = config.drain.deadline;

    let (ticks, ticking) = ticks::Ticks::spawn(&config)?;
    let serving = serve::Serving {
        engine,
        acceptor,
        config: Arc::new(config),
        registrations,
        routes,
        health,
        ready: ready.clone(),
        inbox,
        stopped,
        ticks,
    };
    let admin = admin::Admin {
        plane: plane.clone(),
        publisher: publisher.into(),
        ready,
    };
    let threads = vec![
        serve::spawn_plane(serving)?,
        serve::spawn_admin(admin_listener, admin, admin_stopped)?,
        ticking,
    ];
    let stop_admin = Some(stop_admin);
    Ok(Running {
        grpc,
        admin: admin_addr,
        plane,
        drain_deadline,
        stop_admin,
        stop_plane,
        threads,
    })
}

impl Running {
    /// Where gRPC is served.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc
    }

    /// Where the admin pages are served.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin
    }

    /// Drains and stops (spec 2.7): no new streams, queues flushed, streams ended with
    /// UNAVAILABLE, all by `drain.deadline`. Blocks until then.
    pub fn drain(mut self) -> DrainReport {
        let (reply, answer) = oneshot::channel();
        let command = Command::Drain(self.drain_deadline, reply);
        let sent = self.plane.0.blocking_send(command).is_ok();
        let report = if sent {
            answer.blocking_recv().ok()
        } else {
            None
        };
        self.stop();
        report.unwrap_or(DrainReport {
            abandoned: 0,
            in_time: false,
        })
    }

    fn stop(&mut self) {
        // Whoever is not there any more has stopped already.
        let _ = self.stop_plane.send(true);
        if let Some(stop) = self.stop_admin.take() {
            let _ = stop.send(());
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the hub panicked");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
