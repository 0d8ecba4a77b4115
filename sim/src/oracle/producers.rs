//! What producers are told (spec 2.4 rule 5, 2.5), and what consumers grant.

use super::fact::{Link, Step};
use super::model::Taken;
use super::rules::Pace;
use super::{CHUNK_TIMEOUT, Oracle, Verdict};
use crate::wire::{Flow, Payload};

impl Oracle {
    /// A flow that the hub sent to the owner of `step`.
    pub(super) fn told(&mut self, link: Link, step: Step, flow: &Flow) -> Verdict {
        self.judge_signal(link, step, flow.signal)?;
        if flow.ack > 0 {
            self.judge_ack(link, step, flow.ack)?;
        }
        Ok(())
    }

    fn judge_signal(&mut self, link: Link, step: Step, signal: u64) -> Verdict {
        let Some(peer) = self.life.peers.get_mut(&link) else {
            return Ok(());
        };
        let wrong = match signal {
            1 => std::mem::replace(&mut peer.paused, true),
            2 => !std::mem::replace(&mut peer.paused, false),
            _ => return Ok(()),
        };
        self.seen.pauses += u64::from(signal == 1);
        self.seen.resumes += u64::from(signal == 2);
        if !peer.pause || wrong {
            let what = format!(
                "signal {signal} to {} on link {}",
                self.step_name(step),
                link.0
            );
            return Err(self.broken("PAUSE and RESUME take turns, for those who asked", what));
        }
        Ok(())
    }

    /// Every number up to an ack is settled on every at_least_once edge.
    fn judge_ack(&mut self, link: Link, step: Step, ack: u64) -> Verdict {
        let peer = self.life.peers.get_mut(&link);
        let Some((told, epoch)) = peer.and_then(|p| {
            let epoch = p.epoch.clone()?;
            Some((std::mem::replace(&mut p.told, ack), epoch))
        }) else {
            let what = format!("{} does not number its packets", self.step_name(step));
            return Err(self.broken("only numbering producers are told acks", what));
        };
        self.seen.acks += 1;
        if ack < told {
            let what = format!("{} was told {ack} after {told}", self.step_name(step));
            return Err(self.broken("an ack never falls", what));
        }
        let numbers = self.life.numbered.get(&(step.0, epoch));
        let settled: Vec<(u64, Payload)> = numbers
            .into_iter()
            .flat_map(|n| n.range(..=ack))
            .map(|(&n, &p)| (n, p))
            .collect();
        // A hub that restarted takes what lies before the first number it sees for settled.
        let first = numbers
            .and_then(|n| n.first_key_value())
            .map_or(1, |(&n, _)| n);
        if settled.last().map_or(first - 1, |&(n, _)| n) < ack {
            let what = format!(
                "{} was told {ack}, the highest taken is {:?}",
                self.step_name(step),
                settled.last().map(|s| s.0)
            );
            return Err(self.broken("an ack never passes what was taken", what));
        }
        for (number, payload) in settled {
            self.judge_settled(step, number, payload)?;
        }
        Ok(())
    }

    fn judge_settled(&mut self, step: Step, number: u64, payload: Payload) -> Verdict {
        // What stays incomplete for two minutes is given up, and its number with it.
        let now = self.now;
        let given_up = |t: &Taken| t.late || now.since(t.last) >= CHUNK_TIMEOUT;
        let taken = self.life.taken.get(&payload);
        let whole = taken.is_some_and(|t| t.whole() || given_up(t));
        if !whole {
            let what = format!("{payload} (number {number}) has not come whole");
            return Err(self.broken("a number is complete when all its chunks are", what));
        }
        let edges: Vec<usize> = self.rules.from(step).collect();
        for edge in edges {
            if !self.rules.keeps(self.rules.edges[edge].1) {
                continue;
            }
            let Some(fate) = self.life.edges[edge].fates.get_mut(&payload) else {
                continue;
            };
            if fate.receipted || fate.acked {
                continue;
            }
            if fate.place.is_some() && !fate.loose() {
                let what = format!(
                    "number {number} ({payload}) is not receipted on {}",
                    self.rules.edge_name(edge)
                );
                return Err(self.broken("an ack means that every edge has settled", what));
            }
            fate.acked = true;
            self.life.edges[edge].vanished += 1;
        }
        Ok(())
    }

    /// Credits come back; they count from the first flow that carries some.
    pub(super) fn return_credits(&mut self, link: Link, step: Step, messages: u64) {
        if messages == 0 {
            return;
        }
        self.seen.credits += 1;
        let grant = self.rules.steps[step.0].grant;
        if let Some(peer) = self.life.peers.get_mut(&link) {
            peer.credit.counts = true;
            peer.credit.left = grant.min(peer.credit.left + messages);
        }
    }

    /// A packet was sent: it takes one credit, where credits count.
    pub(super) fn spend_credit(&mut self, link: Link, step: Step) -> Verdict {
        if self.rules.steps[step.0].pace != Pace::Credits {
            return Ok(());
        }
        let Some(peer) = self.life.peers.get_mut(&link) else {
            return Ok(());
        };
        if peer.credit.counts && peer.credit.left == 0 {
            let what = format!(
                "{} has returned no credit for it on link {}",
                self.step_name(step),
                link.0
            );
            return Err(self.broken("never more is sent than was granted and returned", what));
        }
        peer.credit.left = peer.credit.left.saturating_sub(1);
        Ok(())
    }
}
