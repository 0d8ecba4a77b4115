//! Ending a hub: flush, end streams, close connections, all by the deadline (spec 2.7).

use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::{Command, DrainReport};
use crate::control::Health;
use crate::events::Event;
use crate::ingress::Status;
use crate::plane::DataPlane;

/// How often a drain looks whether the queues are empty.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// How long output may trail the receipts of what it was made of.
const TRAILING: Duration = Duration::from_millis(200);

/// What a drain ends.
pub(super) struct Ending<'a> {
    pub(super) plane: &'a Rc<DataPlane>,
    pub(super) health: &'a Health,
    pub(super) ready: &'a AtomicBool,
}

/// How the accept loop is stopped.
pub(super) struct Stop<'a> {
    pub(super) stop_accepting: watch::Sender<bool>,
    pub(super) accepting: &'a mut JoinHandle<io::Result<()>>,
}

/// Drains. Answers snapshots meanwhile. Returns by the deadline, stuck sockets included.
pub(super) async fn drain(
    ending: Ending<'_>,
    stop: Stop<'_>,
    deadline: Duration,
    inbox: &mut mpsc::Receiver<Command>,
) -> DrainReport {
    let until = Instant::now() + deadline;
    tracing::info!(?deadline, "draining");
    ending.plane.tell(Event::HubDraining { deadline });
    ending.ready.store(false, Ordering::Release);
    ending.health.set_serving(false).await;
    ending.plane.drain();
    let finish = async {
        flushed(ending.plane).await;
        ending
            .plane
            .end_all(&Status::unavailable("the hub is shutting down; reconnect"));
        // Whoever listened has stopped already.
        let _ = stop.stop_accepting.send(true);
        if let Ok(Err(error)) = stop.accepting.await {
            tracing::warn!(%error, "the accept loop failed");
        }
    };
    let in_time = tokio::select! {
        finished = timeout_at(until, finish) => finished.is_ok(),
        () = answer(ending.plane, inbox) => false,
    };
    let abandoned = ending.plane.with_engine(engine::Engine::abandon);
    ending.plane.conclude();
    if in_time && abandoned == 0 {
        tracing::info!("drained");
    } else {
        tracing::warn!(abandoned, in_time, "drained with losses");
    }
    DrainReport { abandoned, in_time }
}

/// Waits until nothing is on its way any more.
async fn flushed(plane: &DataPlane) {
    let mut flushed_since = None;
    loop {
        let (flushed, may_trail) =
            plane.with_engine(|e| (e.is_flushed(plane.now()), e.may_trail()));
        flushed_since = flushed.then(|| flushed_since.unwrap_or_else(Instant::now));
        if flushed_since.is_some_and(|since| !may_trail || since.elapsed() >= TRAILING) {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Answers what is asked during a drain; never returns while somebody may ask.
async fn answer(plane: &DataPlane, inbox: &mut mpsc::Receiver<Command>) {
    while let Some(command) = inbox.recv().await {
        if let Command::Look(reply) = command {
            let _ = reply.send(plane.look());
        }
    }
    std::future::pending().await
}
