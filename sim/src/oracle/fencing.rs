//! Who may speak as a step (spec 2.2).

use super::fact::{Link, Step, Why};
use super::model::{Credit, Peer};
use super::{Oracle, Verdict};

impl Oracle {
    /// One owner per step; a lower generation never gets in.
    pub(super) fn judge_owner(&mut self, link: Link, step: Step, generation: i32) -> Verdict {
        self.evict(step);
        let seat = &self.life.seats[step.0];
        if let Some(highest) = seat.generation {
            self.seen.reconnects += 1;
            if generation < highest {
                let what = format!(
                    "link {} registered as {} with generation {generation} after {highest}",
                    link.0,
                    self.step_name(step)
                );
                return Err(self.broken("a lower generation is refused", what));
            }
            if generation > highest {
                self.seen.handoffs += 1;
            } else if seat.owner.is_some() {
                self.seen.takeovers += 1;
            }
        }
        let seat = &mut self.life.seats[step.0];
        seat.generation = Some(generation);
        seat.owner = Some(link);
        Ok(())
    }

    /// Notes a new connection: what it must be sent again, what it may be sent.
    pub(super) fn seat(
        &mut self,
        link: Link,
        step: Step,
        epoch: Option<&str>,
        (pause, control): (bool, bool),
    ) {
        self.overtaken(step);
        let mut due = std::collections::BTreeSet::new();
        for edge in self.rules.to(step) {
            let fates = self.life.edges[edge].fates.values();
            let pending = fates.filter(|f| !f.receipted && !f.acked);
            due.extend(pending.filter_map(|f| f.place.clone()));
        }
        let credit = Credit {
            counts: false,
            left: self.rules.steps[step.0].grant,
        };
        let peer = Peer {
            step,
            epoch: epoch.map(str::to_owned),
            pause,
            control,
            paused: false,
            due,
            sent: Default::default(),
            told: 0,
            credit,
        };
        self.life.peers.insert(link, peer);
    }

    /// A refusal for the generation must have a reason.
    pub(super) fn refused(&mut self, step: Step, generation: i32, why: Why) -> Verdict {
        match why {
            Why::Superseded => {
                self.seen.lower_refused += 1;
                let highest = self.life.seats[step.0].generation;
                if highest.is_none_or(|h| generation >= h) {
                    let what = format!(
                        "{} with generation {generation} was refused as superseded; the highest \
                         seen is {highest:?}",
                        self.step_name(step)
                    );
                    return Err(self.broken("only a lower generation is superseded", what));
                }
            }
            Why::Duel => {
                self.seen.duels += 1;
                if self.life.seats[step.0].owner.is_none() {
                    let what = format!("nobody owns {}", self.step_name(step));
                    return Err(self.broken("a duel needs a present owner", what));
                }
            }
            Why::Other => {}
        }
        Ok(())
    }

    pub(super) fn left(&mut self, link: Link) {
        if let Some(step) = self.life.owned_by(link) {
            self.life.seats[step.0].owner = None;
            self.life.seats[step.0].absent_since = self.now;
            self.overtaken(step);
        }
    }

    /// What waits for a step that stays away is given up in the end (spec 2.2).
    pub(super) fn evict(&mut self, step: Step) {
        let seat = &self.life.seats[step.0];
        if seat.owner.is_some() || self.now.since(seat.absent_since) < self.rules.state_ttl {
            return;
        }
        let edges: Vec<usize> = self.rules.to(step).collect();
        for edge in edges {
            for fate in self.life.edges[edge].fates.values_mut() {
                fate.evicted_maybe |= !fate.receipted;
            }
        }
    }

    /// What was in flight waits again: an interrupt that came meanwhile may end it now.
    fn overtaken(&mut self, step: Step) {
        let edges: Vec<usize> = self.rules.to(step).collect();
        for edge in edges {
            let model = &mut self.life.edges[edge];
            for (payload, fate) in &mut model.fates {
                let Some(taken) = self.life.taken.get(payload) else {
                    continue;
                };
                let barrier = self.life.barrier.get(&taken.kind).copied().unwrap_or(0);
                let waits = fate.place.is_some() && !fate.receipted && !fate.interrupted_maybe;
                if waits && taken.turn < barrier {
                    fate.interrupted_maybe = true;
                    model.interruptible += 1;
                }
            }
        }
    }
}
