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
            engine::Event::RunEnded(run) => self.tell(Event::RunEnded(run), now),
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
                example,
            } => {
                let reason = reason.as_str();
                if let Some(example) = &example {
                    tracing::warn!(run = %edge.run.run, from = %edge.from, to = %edge.to,
                        reason, example, "packets were dropped");
                }
                let event = Event::DropBurst {
                    edge,
                    reason,
                    packets,
                    example,
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

#[cfg(test)]
mod tests {
    use engine::{DropReason, EdgeName, RunName};
    use serde_json::Value;

    use super::super::outlet::Writer;
    use super::*;
    use crate::events::StepName;

    fn at(millis: u64) -> Moment {
        Moment::from_nanos(millis * 1_000_000)
    }

    fn unknown() -> Event {
        let name = || Box::<str>::from("x");
        let step = StepName {
            namespace: name(),
            run: name(),
            step: name(),
        };
        Event::StepUnknown {
            step,
            peer: "peer".into(),
            detail: String::new(),
        }
    }

    fn letter(sequence: u64) -> engine::Event {
        let name = || "x".into();
        let run = RunName {
            story: name(),
            namespace: name(),
            run: name(),
        };
        engine::Event::DeadLettered {
            edge: EdgeName {
                run,
                from: name(),
                to: name(),
            },
            reason: DropReason::Expired,
            stream_id: "ns/r/x@e1".into(),
            sequence,
        }
    }

    /// The payloads of what `work` tells.
    fn told(work: impl FnOnce(&mut Reporter)) -> Vec<Value> {
        let writer = Writer::spawn(&[], "e1".into()).unwrap();
        let mut listener = writer.feed.listen().unwrap();
        let mut reporter = Reporter::new(writer.outlet.clone());
        work(&mut reporter);
        drop(reporter);
        writer.finish();
        let mut payloads = Vec::new();
        while let Ok(item) = listener.try_recv() {
            let event: Value = serde_json::from_str(&item.line).unwrap();
            payloads.push(event["payload"].clone());
        }
        payloads
    }

    fn withheld(payloads: &[Value]) -> Vec<u64> {
        let counts = payloads.iter().filter_map(|p| p["withheld"].as_u64());
        counts.collect()
    }

    #[test]
    fn what_is_not_told_one_by_one_is_told_by_count() {
        let payloads = told(|reporter| {
            for _ in 0..25 {
                reporter.tell(unknown(), at(0));
            }
            reporter.account(at(0));
        });
        assert_eq!(payloads.len(), 21);
        assert_eq!(withheld(&payloads), [5]);
    }

    #[test]
    fn counts_are_told_now_and_then_and_at_last() {
        let payloads = told(|reporter| {
            for _ in 0..20 {
                reporter.tell(unknown(), at(0));
            }
            for millis in [0, 1, 2] {
                reporter.tell(unknown(), at(millis));
                reporter.account(at(millis));
            }
            reporter.account_now();
        });
        assert_eq!(withheld(&payloads), [1, 2]);
    }

    #[test]
    fn a_dead_letter_that_had_no_sequence_names_none() {
        let payloads = told(|reporter| {
            reporter.engine(letter(0), at(0));
            reporter.engine(letter(7), at(0));
        });
        assert!(payloads[0]["sequence"].is_null(), "{payloads:?}");
        assert_eq!(payloads[1]["sequence"], 7);
    }
}
