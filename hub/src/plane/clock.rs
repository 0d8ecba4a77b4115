//! The engine's time, and ticks before their time.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use engine::Moment;

/// Asks for a tick before the next regular one.
pub(crate) struct Alarm(mpsc::Sender<Instant>);

impl Alarm {
    /// An alarm that tells `ticks` when a tick is wanted.
    pub(crate) fn new(ticks: mpsc::Sender<Instant>) -> Self {
        Self(ticks)
    }

    pub(super) fn ask(&self, at: Instant) {
        // Without a clock there are no more ticks at all: the hub is stopping.
        let _ = self.0.send(at);
    }
}

/// The clock of a data plane's engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// A clock that started `ago`.
    #[cfg(test)]
    pub(crate) fn started(ago: Duration) -> Self {
        let origin = Instant::now().checked_sub(ago);
        Self {
            origin: origin.expect("the machine has been up for longer"),
        }
    }

    pub(super) fn at(self, moment: Moment) -> Instant {
        self.origin + Duration::from_nanos(moment.as_nanos())
    }

    /// Time since the plane was made.
    pub(crate) fn now(self) -> Moment {
        let nanos = self.origin.elapsed().as_nanos();
        Moment::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
