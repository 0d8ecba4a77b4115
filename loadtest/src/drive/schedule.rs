//! Owns the open-loop schedule: when each message is meant to be sent, whatever the hub does.
//!
//! Times are computed from the message's number, never from the previous send, so that being late
//! once does not shift the rest: latency is taken from these times (no coordinated omission).

use crate::units::Nanos;

/// Constant rate from a start time until an end time.
#[derive(Clone, Copy, Debug)]
pub struct OpenLoop {
    start: Nanos,
    end: Nanos,
    /// Nanoseconds between messages.
    interval: f64,
    /// Part of an interval by which the first message is late, 0 to 1.
    phase: f64,
    next: u64,
}

impl OpenLoop {
    /// `rate` messages a second from `start` until before `end`, shifted by `phase` of an interval.
    pub fn new(rate: f64, phase: f64, start: Nanos, end: Nanos) -> OpenLoop {
        OpenLoop {
            start,
            end,
            interval: 1e9 / rate,
            phase,
            next: 0,
        }
    }

    /// Takes the next message that is due at `now`; its intended time.
    pub fn take(&mut self, now: Nanos) -> Option<Nanos> {
        let intended = self.peek()?;
        (intended <= now).then(|| {
            self.next += 1;
            intended
        })
    }

    /// When the next message is due; `None` after the last.
    pub fn peek(&self) -> Option<Nanos> {
        let offset = (self.next as f64 + self.phase) * self.interval;
        let intended = Nanos(self.start.0.saturating_add(offset as u64));
        (intended < self.end).then_some(intended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut schedule: OpenLoop, now: u64) -> Vec<u64> {
        std::iter::from_fn(|| schedule.take(Nanos(now)).map(|n| n.0)).collect()
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let mut schedule = OpenLoop::new(1000.0, 0.0, Nanos(5_000_000), Nanos(9_000_000));
        assert_eq!(schedule.take(Nanos(4_999_999)), None);
        assert_eq!(schedule.peek(), Some(Nanos(5_000_000)));
        assert_eq!(schedule.take(Nanos(5_000_000)), Some(Nanos(5_000_000)));
        assert_eq!(schedule.take(Nanos(5_999_999)), None);
    }

    #[test]
    fn after_a_stall_everything_missed_is_due_with_its_own_time() {
        let schedule = OpenLoop::new(1000.0, 0.0, Nanos(0), Nanos(5_000_000));
        assert_eq!(
            all(schedule, 60_000_000),
            [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000]
        );
    }

    #[test]
    fn the_phase_shifts_the_whole_schedule() {
        let schedule = OpenLoop::new(1000.0, 0.5, Nanos(0), Nanos(2_000_000));
        assert_eq!(all(schedule, 9_000_000), [500_000, 1_500_000]);
    }

    #[test]
    fn an_odd_rate_does_not_drift() {
        let schedule = OpenLoop::new(3.0, 0.0, Nanos(0), Nanos(3_600_000_000_000));
        let times = all(schedule, u64::MAX);
        assert_eq!(times.len(), 3 * 3600);
        assert_eq!(times[3 * 1800], 1_800_000_000_000);
    }
}
