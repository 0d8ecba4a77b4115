//! Owns the numbers that cross modules: who sent a message, which one it is, and when.
//!
//! Every time in this crate is nanoseconds on one monotonic clock that starts with the process, so
//! that a producer's intended send time and a consumer's arrival time can be subtracted.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Nanoseconds since the start of the run's [`Clock`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The time between two moments; zero when `earlier` is the later one.
    pub fn since(self, earlier: Nanos) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `span` after this one, saturating.
    pub fn plus(self, span: Duration) -> Nanos {
        Nanos(
            self.0
                .saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

/// Number of a producer within the run, from 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ProducerId(pub u32);

/// Number of an edge (one producer to one consumer) within the run, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EdgeId(pub u32);

/// Number of a message of one producer, from 0, without holes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Sequence(pub u64);

/// Tells the messages of this run from those that an earlier run left in a queue of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Nonce(pub u32);

impl Nonce {
    /// A value that differs from run to run: wall clock and process id, mixed.
    pub fn fresh() -> Nonce {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map(|d| d.as_nanos() as u64)
            .unwrap_or(0);
        let mixed =
            (wall ^ (u64::from(std::process::id()) << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Nonce((mixed >> 32) as u32)
    }
}

/// The run's clock: monotonic, with the wall time of its start for timestamps in frames.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Instant,
    base_unix_ms: u64,
}

impl Clock {
    /// A clock that reads zero now.
    pub fn start() -> Clock {
        let base_unix_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map(|d| d.as_millis() as u64)
            .unwrap_or(0);
        Clock {
            base: Instant::now(),
            base_unix_ms,
        }
    }

    /// Nanoseconds since the clock started.
    pub fn now(&self) -> Nanos {
        Nanos(self.base.elapsed().as_nanos() as u64)
    }

    /// The given moment as Unix milliseconds.
    pub fn unix_ms(&self, at: Nanos) -> u64 {
        self.base_unix_ms + at.0 / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_between_moments_never_goes_below_zero() {
        assert_eq!(Nanos(5).since(Nanos(9)), Duration::ZERO);
        assert_eq!(Nanos(9).since(Nanos(5)), Duration::from_nanos(4));
    }

    #[test]
    fn a_moment_far_away_saturates() {
        assert_eq!(Nanos(1).plus(Duration::MAX), Nanos(u64::MAX));
    }
}
