//! The data plane's end: what it tells, and what it only counts.
//!
//! Owns the limits of what is told one by one. Never waits and never writes; called per connection
//! and per tick, never per packet: the engine tells what became of packets by count.

use engine::Moment;

use super::event::Event;
use super::limiter::{ACCOUNT_EVERY, Limiter};
use super::outlet::Outlet;

/// Tells events for one data plane.
pub(crate) struct Reporter {
    outlet: Outlet,
    limiter: Limiter,
    /// When what was withheld may be told again.
    account_at: Moment,
}

impl Reporter {
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self {
            outlet,
            limiter: Limiter::new(),
            account_at: Moment::default(),
        }
    }

    /// Tells `event`, or counts it where too many of its kind have been told lately.
    pub(crate) fn tell(&mut self, event: Event, now: Moment) {
        let kind = event.kind();
        if self.limiter.admits(kind, now) {
            self.outlet.tell(event);
        } else {
            self.limiter.withhold(kind);
        }
    }

    /// Tells what the engine says.
    pub(crate) fn engine(&mut self, event: engine::Event, now: Moment) {
        match event {
            engine::Event::RunReady(run) => self.tell(Event::RunReady(run), now),
            engine::Event::RunDegraded { run, step, away } => {
                tracing::warn!(story = %run.story, run = %run.run, %step, ?away,
                    "a step has been away for too long");
                self.tell(Event::RunDegraded { run, step, away }, now);
            }
            engine::Event::Expired { run, step, packets } => {
                tracing::info!(story = %run.story, run = %run.run, %step, packets,
                    "packets expired for an absent step");
            }
            engine::Event::DeadLettered {
                edge,
                reason,
                stream_id,
                sequence,
            } => {
                let reason = reason.as_str();
                tracing::warn!(story = %edge.run.story, run = %edge.run.run, from = %edge.from,
                    to = %edge.to, reason, %stream_id, sequence, "a packet was dead-lettered");
                let event = Event::DeadLetter {
                    edge,
                    reason,
                    stream_id,
                    sequence: (sequence > 0).then_some(sequence),
                };
                self.tell(event, now);
            }
            engine::Event::DeadLetters {
                edge,
                reason,
                packets,
            } => {
                let reason = reason.as_str();
                tracing::warn!(story = %edge.run.story, run = %edge.run.run, from = %edge.from,
                    to = %edge.to, reason, packets, "more packets were dead-lettered");
                let event = Event::DeadLetters {
                    edge,
                    reason,
                    packets,
                };
                self.tell(event, now);
            }
            engine::Event::Dropped {
                edge,
                reason,
                packets,
            } => {
                let reason = reason.as_str();
                let event = Event::DropBurst {
                    edge,
                    reason,
                    packets,
                };
                self.tell(event, now);
            }
            engine::Event::Paused(edge) => self.tell(Event::ProducerPaused(edge), now),
            engine::Event::Resumed { edge, pauses } => {
                self.tell(Event::ProducerResumed { edge, pauses }, now);
            }
        }
    }

    /// Tells, now and then, how much was withheld.
    pub(crate) fn account(&mut self, now: Moment) {
        if now >= self.account_at {
            self.account_at = now.after(ACCOUNT_EVERY);
            self.account_now();
        }
    }

    /// Tells how much was withheld.
    pub(crate) fn account_now(&mut self) {
        for (kind, events) in self.limiter.withheld() {
            self.outlet.tell(Event::Withheld { kind, events });
        }
    }
}
