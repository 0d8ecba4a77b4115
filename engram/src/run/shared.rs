//! What the engram's handles and the driver share: the session, and who waits for what.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::session::Session;

/// How far a run is. It only moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Messages go in and out.
    Running,
    /// The engram is asked to stop: it is shown no more messages.
    Stopping,
    /// The engram has stopped: what it sent is being delivered.
    Finishing,
    /// Nothing is delivered any more.
    Closed,
}

pub(super) struct Shared {
    session: Mutex<Session>,
    phase: watch::Sender<Phase>,
    /// When the engram stopped; set once.
    finishing: OnceLock<Instant>,
    /// Something for the driver to do. One waits.
    pub(super) work: Notify,
    /// A message for the engram, or no more of them. One waits.
    pub(super) arrived: Notify,
    /// Room for what is sent, or everything settled. Many wait.
    pub(super) room: Notify,
}

impl Shared {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session: Mutex::new(session),
            phase: watch::Sender::new(Phase::Running),
            finishing: OnceLock::new(),
            work: Notify::new(),
            arrived: Notify::new(),
            room: Notify::new(),
        }
    }

    /// The session, for a short while: the lock is never held across an await.
    pub(super) fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Moves on to `phase`, and wakes all who wait.
    pub(super) fn move_to(&self, phase: Phase) {
        if phase >= Phase::Finishing {
            self.finishing.get_or_init(Instant::now);
        }
        self.phase.send_if_modified(|now| {
            let moves = *now < phase;
            *now = phase.max(*now);
            moves
        });
        self.work.notify_one();
        self.arrived.notify_one();
        self.room.notify_waiters();
    }

    /// Waits until the run is at least as far as `phase`.
    pub(super) async fn reached(&self, phase: Phase) {
        let mut phases = self.phase.subscribe();
        // The sender lives as long as we are borrowed.
        let _ = phases.wait_for(|now| *now >= phase).await;
    }

    /// Waits until the engram has stopped for `drain`, however many connections there were
    /// since.
    pub(super) async fn drained(&self, drain: Duration) {
        self.reached(Phase::Finishing).await;
        let since = *self.finishing.get_or_init(Instant::now);
        match since.checked_add(drain) {
            Some(deadline) => sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}
