//! What goes out again: on a new connection everything unreceipted, on the same one what took too
//! long (spec 2.4 rules 3 and 8).

use super::fact::{Link, Step};
use super::model::{Going, Place, SentOn, edge_of};
use super::rules::Promise;
use super::{Oracle, Verdict};
use crate::time::Nanos;

impl Oracle {
    /// Everything unreceipted comes again before anything new.
    fn judge_nothing_due(&self, Going { link, step, tag }: Going) -> Verdict {
        match self.first_due(link, step, None) {
            Some(place) => {
                let what = format!(
                    "{} is new, yet {place:?} waits to be sent again",
                    self.name(step, tag)
                );
                Err(self.broken(
                    "everything unreceipted is replayed before anything new",
                    what,
                ))
            }
            None => Ok(()),
        }
    }

    /// The first place that must be sent again on `link`, below `below` in its partition.
    fn first_due(&self, link: Link, step: Step, below: Option<&Place>) -> Option<Place> {
        let due = self.life.peers.get(&link)?.due.iter();
        let mut certain = due.filter(|place| {
            below.is_none_or(|b| b.0 == place.0 && place.1 < b.1)
                && self.pending_at(step, place).is_some_and(|loose| !loose)
        });
        certain.next().cloned()
    }

    /// Whether the packet at a place may have been dropped; `None` when it is receipted.
    fn pending_at(&self, step: Step, place: &Place) -> Option<bool> {
        let payload = *self.life.books[step.0]
            .streams
            .get(&place.0)?
            .items
            .get(&place.1)?;
        let edge = edge_of(&self.rules, payload, step)?;
        let fate = self.life.edges[edge].fates.get(&payload)?;
        (!fate.receipted).then(|| fate.loose())
    }

    /// A packet, or a chunk of one, went out at `place`; it is `new` or came before.
    pub(super) fn replayed(&mut self, going: Going, place: Place, new: bool) -> Verdict {
        let Going { link, tag, .. } = going;
        if new {
            self.judge_nothing_due(going)?;
        }
        let (now, bit) = (self.now, 1u64 << tag.chunk);
        let all = (1u64 << tag.chunks) - 1;
        let known = self
            .life
            .peers
            .get(&link)
            .and_then(|p| p.sent.get(&place))
            .cloned();
        let chunks = match &known {
            None => {
                self.judge_replay(going, &place)?;
                self.seen.replayed += u64::from(!new);
                bit
            }
            Some(on) if on.chunks & bit == 0 => on.chunks | bit,
            Some(on) => {
                let last = on.at.get(&tag.chunk).copied().unwrap_or_default();
                self.judge_redelivery(going, &place, last)?;
                bit
            }
        };
        let first = known.as_ref().is_none_or(|on| on.chunks & bit != 0);
        let ever = bit | known.as_ref().map_or(0, |on| on.ever);
        let whole = ever == all;
        if let Some(peer) = self.life.peers.get_mut(&link) {
            peer.due.remove(&place);
            let mut at = known.map(|on| on.at).unwrap_or_default();
            at.insert(tag.chunk, now);
            peer.sent.insert(
                place.clone(),
                SentOn {
                    chunks,
                    at,
                    ever,
                    whole,
                },
            );
        }
        if chunks == all && tag.chunks > 1 {
            self.seen.chunk_sets += 1;
        }
        self.count_delivery(going, place, (first, whole));
        Ok(())
    }

    fn count_delivery(&mut self, going: Going, place: Place, (first, whole): (bool, bool)) {
        let Going { step, tag, .. } = going;
        let limit = self.most_deliveries(step);
        let edge = edge_of(&self.rules, tag.payload, step).unwrap_or_default();
        let fate = self.fate(edge, tag.payload);
        fate.place = Some(place);
        fate.interrupted_maybe = false;
        fate.partial = (fate.partial || fate.deliveries == 0) && !whole;
        fate.deliveries += u64::from(first);
        fate.exhausted = fate.deliveries >= limit;
    }

    fn most_deliveries(&self, step: Step) -> u64 {
        match self.rules.steps[step.0].promise {
            Promise::AtLeastOnce {
                redelivery: Some((_, most)),
                ..
            } if most > 0 => most,
            _ => u64::MAX,
        }
    }

    /// A packet that goes out again on a new connection comes in its place.
    fn judge_replay(&self, Going { link, step, tag }: Going, place: &Place) -> Verdict {
        if let Some(skipped) = self.first_due(link, step, Some(place)) {
            let what = format!(
                "{} at {place:?} overtakes {skipped:?}",
                self.name(step, tag)
            );
            return Err(self.broken("nothing is skipped in a replay", what));
        }
        let peer = self.life.peers.get(&link);
        let last = peer.and_then(|p| p.sent.keys().rev().find(|sent| sent.0 == place.0));
        if let Some(last) = last.filter(|last| last.1 > place.1) {
            let what = format!("{} at {place:?} comes after {last:?}", self.name(step, tag));
            return Err(self.broken("a replay keeps the order", what));
        }
        Ok(())
    }

    /// A packet goes out twice on one connection only when its receipt took too long.
    fn judge_redelivery(&mut self, going: Going, place: &Place, last: Nanos) -> Verdict {
        let Going { step, tag, .. } = going;
        let wait = match self.rules.steps[step.0].promise {
            Promise::AtLeastOnce {
                redelivery: Some((wait, _)),
                ..
            } => Some(wait),
            _ => None,
        };
        if wait.is_none_or(|wait| self.now.since(last) < wait) {
            let what = format!(
                "{} at {place:?} went out at {last} already",
                self.name(step, tag)
            );
            return Err(self.broken("a connection gets a packet again only after ackWait", what));
        }
        self.seen.redelivered += 1;
        // A new connection gets everything unreceipted; redelivery on the same one has an end.
        let edge = edge_of(&self.rules, tag.payload, step).unwrap_or_default();
        let deliveries = self.fate(edge, tag.payload).deliveries;
        // Chunks of a set come late one by one, so the set has no count of its own.
        if tag.chunks < 2 && deliveries >= self.most_deliveries(step) {
            let what = format!("{} was delivered {deliveries} times", self.name(step, tag));
            return Err(self.broken("nothing is redelivered past maxDeliver", what));
        }
        Ok(())
    }
}
