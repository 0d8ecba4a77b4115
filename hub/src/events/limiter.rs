//! How many events of a kind are told one by one.
//!
//! Owns one bucket a kind: it holds a burst and fills again at a rate. What finds it empty is only
//! counted. Bounded, and free of clocks: the caller brings the time.

use std::time::Duration;

use engine::Moment;

use super::event::Kind;

/// How many at once, and how many a second after that.
struct Allowance {
    burst: f64,
    per_second: f64,
}

/// What the network can cause is told sparingly; connections in the number that a hub serves.
fn allowance(kind: Kind) -> Allowance {
    let (burst, per_second) = match kind {
        Kind::StepConnected | Kind::StepDisconnected | Kind::StepSuperseded => (2000.0, 100.0),
        Kind::StepDuel | Kind::StepUnknown => (20.0, 5.0),
        _ => (2000.0, 500.0),
    };
    Allowance { burst, per_second }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    since: Moment,
    /// What was turned away and is not told yet.
    withheld: u64,
}

/// One bucket a kind.
#[derive(Debug)]
pub(super) struct Limiter([Bucket; Kind::ALL.len()]);

impl Limiter {
    pub(super) fn new() -> Self {
        Self(Kind::ALL.map(|kind| Bucket {
            left: allowance(kind).burst,
            since: Moment::default(),
            withheld: 0,
        }))
    }

    /// Whether one more may be told now.
    pub(super) fn admits(&mut self, kind: Kind, now: Moment) -> bool {
        let allowed = allowance(kind);
        let bucket = &mut self.0[kind as usize];
        let more = now.since(bucket.since).as_secs_f64() * allowed.per_second;
        bucket.left = (bucket.left + more).min(allowed.burst);
        bucket.since = now;
        if bucket.left < 1.0 {
            return false;
        }
        bucket.left -= 1.0;
        true
    }

    /// Counts one that was turned away.
    pub(super) fn withhold(&mut self, kind: Kind) {
        self.0[kind as usize].withheld += 1;
    }

    /// What was turned away since the last call.
    pub(super) fn withheld(&mut self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        let counts = Kind::ALL.into_iter().zip(&mut self.0);
        counts
            .map(|(kind, bucket)| (kind, std::mem::take(&mut bucket.withheld)))
            .filter(|(_, count)| *count > 0)
    }
}

/// Least time between two accounts of what was withheld.
pub(super) const ACCOUNT_EVERY: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_burst_passes_and_then_so_many_a_second() {
        let mut limiter = Limiter::new();
        let told = |limiter: &mut Limiter, now| {
            (0..1000)
                .filter(|_| limiter.admits(Kind::StepUnknown, now))
                .count()
        };
        assert_eq!(told(&mut limiter, at(0)), 20);
        assert_eq!(told(&mut limiter, at(1000)), 5);
        assert_eq!(told(&mut limiter, at(60_000)), 20, "no more than a burst");
    }

    #[test]
    fn kinds_do_not_share_an_allowance() {
        let mut limiter = Limiter::new();
        while limiter.admits(Kind::StepUnknown, at(0)) {}
        assert!(limiter.admits(Kind::StepDuel, at(0)));
    }

    #[test]
    fn what_was_withheld_is_said_once() {
        let mut limiter = Limiter::new();
        for _ in 0..3 {
            limiter.withhold(Kind::StepUnknown);
        }
        let said: Vec<_> = limiter.withheld().collect();
        assert_eq!(said, [(Kind::StepUnknown, 3)]);
        assert_eq!(limiter.withheld().count(), 0);
    }
}
