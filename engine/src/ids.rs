//! Newtypes for what crosses module borders: time, identities, generations.

use std::fmt;
use std::time::Duration;

/// A point in time, in nanoseconds since an origin that the caller chose.
///
/// The shell passes the time since the process started, the simulator its virtual clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// The moment `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later (clocks that step back).
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `duration` later (saturating at the end of time).
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

/// Milliseconds, where the contract counts in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// One live run of a Story inside the engine. Never reused while the engine lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub(crate) u32);

/// A step's place in its Story's list of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepIndex(pub u16);

impl StepIndex {
    pub(crate) fn at(self) -> usize {
        usize::from(self.0)
    }
}

/// One registered stream of one client.
///
/// `slot` is dense and reused, so that the shell can keep its own data in a plain vector; `serial`
/// tells apart successive users of a slot, so that a stale id never names a newer connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    slot: u32,
    serial: u32,
}

impl ConnId {
    pub(crate) fn new(slot: u32, serial: u32) -> Self {
        Self { slot, serial }
    }

    /// Dense index of this connection, below the number of streams ever open at once.
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    pub(crate) fn serial(self) -> u32 {
        self.serial
    }
}

/// `connector-generation`: which incarnation of an engram is speaking (spec 2.2). Always positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(i32);

impl Generation {
    /// The lowest one.
    pub const FIRST: Self = Self(1);

    /// A generation, when `value` is positive.
    pub fn new(value: i32) -> Option<Self> {
        (value > 0).then_some(Self(value))
    }

    /// The number on the wire.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_steps_back_gives_zero_instead_of_wrapping() {
        let (early, late) = (Moment::from_nanos(5), Moment::from_nanos(9));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.since(early), Duration::from_nanos(4));
        assert_eq!(
            Moment::from_nanos(u64::MAX)
                .after(Duration::from_secs(1))
                .as_nanos(),
            u64::MAX
        );
    }

    #[test]
    fn a_generation_is_positive() {
        assert!(Generation::new(0).is_none());
        assert!(Generation::new(-3).is_none());
        assert_eq!(Generation::new(7).map(Generation::get), Some(7));
    }
}
