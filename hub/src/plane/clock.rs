//! The engine's time, and ticks before their time.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use engine::Moment;

use crate::wall::unix_nanos;

/// Deadlines are met at the end of the slice that they fall in: a tick looks at every session, and
/// thousands of deadlines a second, each a moment apart, must not be as many ticks.
const SLICE: Duration = Duration::from_millis(10);

/// The end of the slice that `due` falls in.
pub(super) fn end_of_slice(due: Moment) -> Moment {
    let slice = u64::try_from(SLICE.as_nanos()).unwrap_or(u64::MAX);
    Moment::from_nanos(due.as_nanos().div_ceil(slice).saturating_mul(slice))
}

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
    /// What tells the time on the wall.
    wall: fn() -> i64,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self {
            origin: Instant::now(),
            wall: unix_nanos,
        }
    }

    /// A clock that started `ago`.
    #[cfg(test)]
    pub(crate) fn started(ago: Duration) -> Self {
        let origin = Instant::now().checked_sub(ago);
        Self {
            origin: origin.expect("the machine has been up for longer"),
            ..Self::start()
        }
    }

    /// This clock, beside another one on the wall.
    #[cfg(test)]
    pub(crate) fn beside(self, wall: fn() -> i64) -> Self {
        Self { wall, ..self }
    }

    /// The time on the wall, in nanoseconds since 1970.
    pub(super) fn unix_nanos(self) -> i64 {
        (self.wall)()
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

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    #[test]
    fn a_deadline_is_met_at_the_end_of_its_slice_and_never_before() {
        for (due, end) in [
            (0, 0),
            (1, 10 * MILLI),
            (10 * MILLI, 10 * MILLI),
            (10 * MILLI + 1, 20 * MILLI),
        ] {
            let met = end_of_slice(Moment::from_nanos(due));
            assert_eq!(met.as_nanos(), end, "{due}");
        }
    }

    #[test]
    fn thousands_of_deadlines_a_second_are_a_hundred_ticks() {
        let dues = (0..5000).map(|n| Moment::from_nanos(n * MILLI / 5));
        let ticks: std::collections::BTreeSet<_> = dues.map(end_of_slice).collect();
        assert_eq!(ticks.len(), 101);
    }
}
