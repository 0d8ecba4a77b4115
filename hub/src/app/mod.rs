//! The whole hub: puts the stages together, serves, drains.
//!
//! The only module that knows all stages. A hub is three threads: the data plane (sockets, engine),
//! admin, and one that only tells the data plane when time has passed; [`start`] returns once the
//! first two serve.

mod capabilities;
mod drain;
pub(crate) mod edges;
mod plan;
mod serve;
mod settings;
mod ticks;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::Duration;

use engine::route::PlanError;
use tokio::sync::{mpsc, oneshot, watch};

pub use plan::run_plan;

use crate::config::Config;
use crate::events::{Event, Outlet, Reporter, Writer};
use crate::ingress::Acceptor;
use crate::plane::Seen;
use crate::story::{Loaded, Problem, Snapshot};
use crate::telemetry::{Publisher, Registrations};
use crate::{admin, binding, control};

/// Commands that wait for the data plane at once.
const COMMANDS: usize = 64;

/// Most problems of a file that its event repeats.
const MOST_PROBLEMS: usize = 20;

/// Why a hub did not start. None of these goes away by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address could not be bound.
    #[error("cannot listen on {addr} ({key}): {source}{}", way_out(.key, .source))]
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
    /// Runs whose inputs do not give what the `with` of a step reads.
    #[error("{}", lines(.0))]
    Inputs(Vec<Problem>),
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

/// What to do about an address that cannot be bound.
fn way_out(key: &str, error: &io::Error) -> String {
    let flag = if key == "listen.grpc" {
        "--listen"
    } else {
        "--admin"
    };
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("; end what listens there, or choose another with {flag} (port 0: a free one)")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("; this machine has no such address, choose one that it has with {flag}")
        }
        io::ErrorKind::PermissionDenied => {
            format!("; choose a port from 1024 on with {flag}")
        }
        _ => String::new(),
    }
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
    Look(oneshot::Sender<Seen>),
    /// Flush, end all streams, stop, all within the deadline.
    Drain(Duration, oneshot::Sender<DrainReport>),
}

/// Asks the data plane, from any thread.
#[derive(Clone)]
pub(crate) struct PlaneHandle(mpsc::Sender<Command>);

impl PlaneHandle {
    /// The engine's figures; `None` when the data plane has stopped.
    pub(crate) async fn look(&self) -> Option<Seen> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Command::Look(reply)).await.ok()?;
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
    /// The data plane and its clock.
    plane_threads: Vec<JoinHandle<()>>,
    admin_thread: Vec<JoinHandle<()>>,
    events: Option<Writer>,
}

/// Starts a hub with `config` for the runs of `stories`. Returns once it serves.
///
/// # Errors
/// [`StartError`]; nothing is left running.
pub fn start(config: Config, stories: &Loaded) -> Result<Running, StartError> {
    let engine = plan::engine(&config, &stories.snapshot);
    let engine = engine.inspect_err(|error| {
        if let StartError::Unsupported(problems) = error {
            tell_refused(&config, problems);
        }
    })?;
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
    let events = Writer::spawn(&config.events.subscribers, engine.epoch().clone())?;
    let publisher = Publisher::new(registrations.clone(), events.tally.clone());
    let grpc = acceptor.addr;
    let admin = |plane, ready| admin::Admin {
        plane,
        publisher: publisher.into(),
        ready,
        feed: events.feed.clone(),
        bindings: binding::values(&stories.snapshot, &endpoint(grpc)),
        listeners: admin::Admin::listeners(),
    };

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
        catalog: capabilities::catalog(&stories.snapshot),
        health,
        ready: ready.clone(),
        inbox,
        stopped,
        ticks,
        reporter: Reporter::new(events.outlet.clone()),
    };
    announce(&events.outlet, &stories.snapshot, (grpc, admin_addr));
    let admin = admin(plane.clone(), ready);
    let plane_threads = vec![serve::spawn_plane(serving)?, ticking];
    let admin_thread = vec![serve::spawn_admin(admin_listener, admin, admin_stopped)?];
    let stop_admin = Some(stop_admin);
    Ok(Running {
        grpc,
        admin: admin_addr,
        plane,
        drain_deadline,
        stop_admin,
        stop_plane,
        plane_threads,
        admin_thread,
        events: Some(events),
    })
}

/// Where engrams of this machine reach a hub that listens at `addr`.
fn endpoint(mut addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    addr.to_string()
}

/// Tells the subscribers of `config` of Stories for which a hub does not start, one event a file.
pub fn tell_refused(config: &Config, problems: &[Problem]) {
    let writer = match Writer::spawn(&config.events.subscribers, plan::epoch().into()) {
        Ok(writer) => writer,
        Err(error) => return tracing::warn!(%error, "nobody is told of the refused Stories"),
    };
    let mut files = BTreeMap::<String, Vec<String>>::new();
    for problem in problems {
        let of_file = files.entry(problem.place.file.to_string()).or_default();
        if of_file.len() < MOST_PROBLEMS {
            of_file.push(problem.to_string());
        }
    }
    for (path, problems) in files {
        writer.outlet.tell(Event::StoryRefused { path, problems });
    }
    writer.finish();
}

/// Tells what this hub starts with.
fn announce(outlet: &Outlet, stories: &Snapshot, (grpc, admin): (SocketAddr, SocketAddr)) {
    outlet.tell(Event::HubStarted { grpc, admin });
    for story in &stories.stories {
        outlet.tell(Event::StoryLoaded {
            namespace: story.namespace.clone(),
            story: story.name.clone(),
            path: story.place.file.to_string(),
            steps: story.steps.len(),
            edges: story.edges.len(),
            routed: story.routed,
        });
    }
    for run in stories.runs.iter().filter(|run| run.story.routed) {
        outlet.tell(Event::RunCreated(plan::run_name(run)));
    }
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
        join(&mut self.plane_threads);
        // Who told events is gone; who listens hears the rest.
        if let Some(events) = self.events.take() {
            events.finish();
        }
        if let Some(stop) = self.stop_admin.take() {
            let _ = stop.send(());
        }
        join(&mut self.admin_thread);
    }
}

fn join(threads: &mut Vec<JoinHandle<()>>) {
    for thread in threads.drain(..) {
        if thread.join().is_err() {
            tracing::error!("a thread of the hub panicked");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
