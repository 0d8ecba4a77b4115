//! The judge: it is told what crossed the wire and what the hub's numbers are, and says when an
//! invariant of spec 2.4, 2.5 or 7 is broken.
//!
//! Imports nothing from the core under test (a test reads these sources). It works out from the
//! wire what must be true; it never looks inside.
//!
//! | file | judges |
//! | --- | --- |
//! | `fencing` | who may speak as a step |
//! | `intake` | what the hub takes: resends, chunk sets, turns |
//! | `outgoing` | content, identity and order of what it sends |
//! | `replay` | what it sends again |
//! | `receipts` | what a receipt releases |
//! | `producers` | acks and signals to producers, credits |
//! | `accounts` | the hub's numbers against the wire |
//! | `ending` | what is left when the world ends |

mod accounts;
mod ending;
mod fact;
mod fencing;
mod intake;
mod model;
mod outgoing;
mod producers;
mod receipts;
mod replay;
mod rules;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use fact::{Broken, EdgeNumbers, Fact, Link, Step, Why};
pub use rules::{Pace, Promise, Rules, StepRules};
pub use seen::Seen;

use crate::time::Nanos;
use crate::wire::Payload;
use model::Life;

/// The judge of one world.
#[derive(Debug)]
pub struct Oracle {
    rules: Rules,
    now: Nanos,
    life: Life,
    /// Life of every epoch that was seen in a stream id.
    epochs: BTreeMap<String, u32>,
    /// Payload of every identity (stream id, partition, sequence), over all lives.
    identities: BTreeMap<(String, String, u64), Payload>,
    /// Payloads that went out in an earlier life, by target.
    earlier: BTreeSet<(usize, Payload)>,
    /// What was exercised.
    pub seen: Seen,
}

/// A chunk set that stays incomplete is given up after this (spec 2.3).
pub const CHUNK_TIMEOUT: Nanos = Nanos::secs(120);

/// What a check says.
pub(crate) type Verdict = Result<(), Broken>;

impl Oracle {
    /// A judge of worlds that promise `rules`.
    pub fn new(rules: Rules) -> Self {
        Self {
            life: Life::new(0, &rules),
            rules,
            now: Nanos::default(),
            epochs: BTreeMap::new(),
            identities: BTreeMap::new(),
            earlier: BTreeSet::new(),
            seen: Seen::default(),
        }
    }

    /// Takes note of a fact at `now` and judges it.
    ///
    /// # Errors
    /// [`Broken`] names the invariant that does not hold.
    pub fn observe(&mut self, now: Nanos, fact: Fact<'_>) -> Verdict {
        self.now = now;
        match fact {
            Fact::HubStarted => self.hub_started(),
            Fact::Registered {
                link,
                step,
                generation,
                epoch,
                pause,
                control,
            } => {
                self.judge_owner(link, step, generation)?;
                self.seat(link, step, epoch, (pause, control));
                Ok(())
            }
            Fact::Refused {
                step,
                generation,
                why,
            } => self.refused(step, generation, why),
            Fact::Left { link } => {
                self.left(link);
                Ok(())
            }
            Fact::Took { link, message } => self.took(link, message),
            Fact::Blocked { link } => self.blocked(link),
            Fact::Flow { link, message } => self.flow(link, message),
            Fact::Control { link, message } => self.control(link, message),
            Fact::Sent { link, message } => self.sent(link, message),
            Fact::Counts { edges } => self.counts(edges),
            Fact::Calm => Ok(()),
            Fact::End { waiting } => self.end(waiting),
        }
    }

    fn hub_started(&mut self) -> Verdict {
        if self.life.number > 0 {
            self.seen.crashes += 1;
        }
        for (edge, model) in self.life.edges.iter().enumerate() {
            let to = self.rules.edges[edge].1.0;
            let out = model.fates.iter().filter(|(_, f)| f.deliveries > 0);
            self.earlier.extend(out.map(|(&payload, _)| (to, payload)));
        }
        self.life = Life::new(self.life.number + 1, &self.rules);
        for seat in &mut self.life.seats {
            seat.absent_since = self.now;
        }
        Ok(())
    }

    fn broken(&self, invariant: &'static str, what: impl Into<String>) -> Broken {
        Broken {
            at: self.now,
            invariant,
            what: what.into(),
        }
    }

    fn step_name(&self, step: Step) -> &str {
        &self.rules.steps[step.0].name
    }
}
