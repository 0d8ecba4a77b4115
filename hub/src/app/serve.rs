//! The threads of a hub.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener as StdListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use engine::Engine;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{mpsc, oneshot, watch};
use tonic::service::Routes;

use super::ticks::Ticks;
use super::{Command, drain};
use crate::admin::{self, Admin};
use crate::background;
use crate::config::Config;
use crate::control::Health;
use crate::events::Reporter;
use crate::ingress::{Acceptor, Catalog, Door, Peers, Refusals, Turnstile, Watch, accept};
use crate::plane::{DataPlane, Decider};
use crate::telemetry::Registrations;

/// What the data-plane thread starts from.
pub(super) struct Serving {
    pub(super) engine: Engine,
    pub(super) acceptor: Acceptor,
    pub(super) config: Arc<Config>,
    pub(super) registrations: Arc<Registrations>,
    pub(super) routes: Routes,
    pub(super) catalog: Catalog,
    pub(super) health: Health,
    pub(super) ready: Arc<AtomicBool>,
    pub(super) inbox: mpsc::Receiver<Command>,
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) ticks: Ticks,
    pub(super) reporter: Reporter,
}

/// Starts the data plane: one thread, one runtime, everything on it.
pub(super) fn spawn_plane(serving: Serving) -> io::Result<JoinHandle<()>> {
    // The runtime cannot leave its thread.
    let (built, whether_built) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("hub-data".to_owned())
        .spawn(move || {
            let runtime = runtime_builder().build_local(LocalOptions::default());
            match runtime {
                Ok(runtime) => {
                    let _ = built.send(Ok(()));
                    run(&runtime, serving);
                }
                Err(error) => {
                    let _ = built.send(Err(error));
                }
            }
        })?;
    let whether_built = whether_built.recv().map_err(io::Error::other)?;
    whether_built.map(|()| thread)
}

fn run(runtime: &LocalRuntime, serving: Serving) {
    // A task of its own: whatever the runtime itself waits for is polled at every wake-up of any.
    let plane = runtime.spawn_local(data_plane(serving));
    if let Err(error) = runtime.block_on(plane)
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// Starts the admin server.
pub(super) fn spawn_admin(
    listener: StdListener,
    admin: Admin,
    stopped: oneshot::Receiver<()>,
) -> io::Result<JoinHandle<()>> {
    let runtime = runtime_builder().build()?;
    background::spawn("hub-admin", move || {
        runtime.block_on(async move {
            let stop = async {
                // A dropped sender means stop, too.
                let _ = stopped.await;
            };
            if let Err(error) = admin::serve(listener, admin, stop).await {
                tracing::error!(%error, "the admin server stopped");
            }
        });
    })
}

/// What a runtime for one thread is built by.
fn runtime_builder() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.enable_all();
    builder
}

/// Freed memory that the allocator keeps for the next buffers, twice this, in bytes.
const KEPT_MEMORY: usize = 4 << 20;

/// Makes glibc keep freed buffers instead of giving them back to the system, to be faulted in again
/// a moment later: freeing one large block raises its thresholds for good (mallopt(3), dynamic mmap
/// threshold). Other allocators ignore it.
fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT_MEMORY)));
}

async fn data_plane(serving: Serving) {
    keep_freed_memory();
    let Serving {
        engine,
        acceptor,
        config,
        registrations,
        ticks,
        reporter,
        ..
    } = serving;
    let (health, ready) = (serving.health, serving.ready);
    let (mut inbox, mut stopped) = (serving.inbox, serving.stopped);
    health.set_serving(true).await;
    let (decider, mut decisions) = Decider::new();
    let plane = Rc::new(DataPlane::new(engine, ticks.alarm(), decider, reporter));
    let decided = plane.clone();
    tokio::task::spawn_local(async move {
        while let Some(decision) = decisions.recv().await {
            decided.decided(decision);
        }
    });
    let (stop_accepting, stop) = watch::channel(false);
    let door = Rc::new(Door {
        plane: plane.clone(),
        config: config.clone(),
        peers: Peers::new(config.limits.clone()),
        refusals: Rc::new(Refusals::new(config.refusal.delay_max)),
        registrations,
        routes: serving.routes,
        catalog: serving.catalog,
        watch: Watch::new(ticks.every),
        turnstile: Turnstile::new(plane.clock()),
        read_ahead: Rc::default(),
        usher: Rc::default(),
        stop,
    });
    tokio::task::spawn_local(door.turnstile.clone().turn());
    tokio::task::spawn_local(door.usher.clone().usher());
    let mut accepting = tokio::task::spawn_local(accept(acceptor, door.clone()));
    loop {
        tokio::select! {
            () = ticks.next() => {
                plane.tick(config.heartbeat.timeout);
                door.watch.look(plane.now());
            }
            command = inbox.recv() => match command {
                Some(Command::Look(reply)) => {
                    // Whoever asked may have left.
                    let _ = reply.send(plane.look());
                }
                Some(Command::Drain(deadline, reply)) => {
                    let stop = drain::Stop { stop_accepting, accepting: &mut accepting };
                    let ending = drain::Ending { plane: &plane, health: &health, ready: &ready };
                    let report = tokio::select! {
                        report = drain::drain(ending, stop, deadline, &mut inbox) => report,
                        never = keep_watching(&ticks, &door) => match never {},
                    };
                    let _ = reply.send(report);
                    return;
                }
                None => return,
            },
            _ = stopped.wait_for(|&stop| stop) => return,
            ended = &mut accepting => {
                tracing::error!(?ended, "the accept loop stopped");
                return;
            }
        }
    }
}

/// Looks for peers that are gone, and does nothing else that time drives.
async fn keep_watching(ticks: &Ticks, door: &Door) -> Infallible {
    loop {
        ticks.next().await;
        door.watch.look(door.plane.now());
    }
}
