//! Letting go of packets: dropped ones, receipted ones, and the memory of both.

use super::{Log, Outcome, SETTLED_KEPT, Settled, Store};
use crate::account::DropReason;
use std::time::Duration;

use crate::deliver::Pieces;
use crate::deliver::origin::Hears;
use crate::ids::Moment;
use crate::mutant::{self, Mutant};
use crate::route::Lane;

impl Log {
    /// Drops what waits on a lane and belongs to a turn below that lane's `floors`. What has been
    /// sent cannot be called back.
    pub(crate) fn drop_turns(&mut self, floors: &[u64; Lane::COUNT], out: &mut Vec<Settled>) {
        for at in self.next..self.slots.len() {
            let slot = &self.slots[at];
            if !slot.settled && slot.item.turn < floors[slot.item.lane as usize] {
                self.settle(at, Outcome::Dropped(DropReason::Interrupted), out);
            }
        }
        let sets = self
            .sets
            .find_open(|item, _| item.turn < floors[item.lane as usize]);
        for set in sets {
            self.drop_set(set, DropReason::Interrupted, out);
        }
        self.trim();
    }

    /// Drops a set that is not whole. Returns whether there was one.
    pub(crate) fn drop_set(
        &mut self,
        set: u32,
        reason: DropReason,
        out: &mut Vec<Settled>,
    ) -> bool {
        let reason = match self.sets.is_of_another_size(set) {
            true => DropReason::Invalid,
            false => reason,
        };
        let Some(dropped) = self.sets.drop_open(set) else {
            return false;
        };
        out.push(Settled {
            edge: dropped.item.edge,
            hears: self.hears(dropped.item.hears, true),
            outcome: Outcome::Dropped(reason),
            sequence: 0,
            bytes: 0,
            staged: dropped.bytes,
        });
        true
    }

    /// Drops the sets of which nothing has come for `patience`.
    pub(crate) fn drop_stale_sets(
        &mut self,
        patience: Duration,
        now: Moment,
        out: &mut Vec<Settled>,
    ) {
        for set in self.sets.find_open(|_, last| now.since(last) >= patience) {
            self.drop_set(set, DropReason::ChunkTimeout, out);
        }
        self.sets.forget_dropped(patience, now);
    }

    /// Drops what came in before `moment`: as `expired` only what was never sent, since an age
    /// bounds waiting; as anything else all of it.
    pub(crate) fn drop_older(
        &mut self,
        moment: Moment,
        reason: DropReason,
        out: &mut Vec<Settled>,
    ) {
        for at in 0..self.slots.len() {
            let slot = &self.slots[at];
            if slot.item.at >= moment {
                break;
            }
            let spared = reason == DropReason::Expired && slot.deliveries > 0;
            if !slot.settled && !spared {
                self.settle(at, Outcome::Dropped(reason), out);
            }
        }
        for set in self.sets.find_open(|item, _| item.at < moment) {
            self.drop_set(set, reason, out);
        }
        self.trim();
    }

    /// Ends a packet that cannot be sent to its receiver, with the whole set of a chunk.
    pub(crate) fn end(&mut self, ordinal: u64, reason: DropReason, out: &mut Vec<Settled>) {
        let found = self.index_of(ordinal).filter(|&at| !self.slots[at].settled);
        if let Some(at) = found {
            self.settle(at, Outcome::Dropped(reason), out);
            self.trim();
        }
    }

    /// Whether a packet has not ended.
    pub(crate) fn keeps(&self, ordinal: u64) -> bool {
        let found = self.index_of(ordinal).and_then(|at| self.slots.get(at));
        found.is_some_and(|slot| !slot.settled)
    }

    /// Ends everything that is kept.
    pub(crate) fn drop_all(&mut self, reason: DropReason, out: &mut Vec<Settled>) {
        for at in 0..self.slots.len() {
            if !self.slots[at].settled {
                self.settle(at, Outcome::Dropped(reason), out);
            }
        }
        for set in self.sets.find_open(|_, _| true) {
            self.drop_set(set, reason, out);
        }
        self.trim();
    }

    /// Ends the packet at `at`, with its whole chunk set where it has one. Positions stay valid
    /// until [`Log::trim`].
    pub(super) fn settle(&mut self, at: usize, outcome: Outcome, out: &mut Vec<Settled>) {
        let (place, item) = (self.slots[at].place, self.slots[at].item);
        let dropped = matches!(outcome, Outcome::Dropped(_));
        let mut settled = Settled {
            edge: item.edge,
            hears: self.hears(item.hears, dropped),
            outcome,
            sequence: place.sequence,
            bytes: 0,
            staged: 0,
        };
        match place.set {
            None => settled.bytes = self.settle_slot(at),
            Some(set) => {
                for ordinal in self.sets.end(set) {
                    if let Some(at) = self.index_of(ordinal) {
                        settled.bytes += self.settle_slot(at);
                    }
                }
            }
        }
        out.push(settled);
    }

    /// Whom a settled packet is told to.
    fn hears(&self, hears: Option<Hears>, dropped: bool) -> Option<Hears> {
        hears.filter(|_| !(dropped && mutant::is(Mutant::ForgetHole)))
    }

    fn settle_slot(&mut self, at: usize) -> usize {
        let lane = self.lane(self.slots[at].item.lane);
        let slot = &mut self.slots[at];
        if slot.settled {
            return 0;
        }
        slot.settled = true;
        self.settled += 1;
        if at < self.next {
            self.window.sub(slot.len);
        } else {
            self.queue[lane].sub(slot.len);
        }
        slot.len as usize
    }

    /// Lets go of what is settled and nothing stands before.
    pub(super) fn trim(&mut self) {
        while self.slots.front().is_some_and(|slot| slot.settled) {
            self.slots.pop_front();
            self.settled -= 1;
            self.next = self.next.saturating_sub(1);
        }
        let kept = self.slots.front().map_or(self.store.end(), |s| s.start);
        self.store.release_before(kept);
        if self.settled > SETTLED_KEPT && self.settled > 4 * (self.slots.len() - self.settled) {
            self.compact();
        }
    }

    /// Writes the log anew without what is settled, so that one missing receipt does not keep
    /// everything after it in memory.
    #[cold]
    fn compact(&mut self) {
        let old = std::mem::take(&mut self.slots);
        let before = self.next;
        let mut store = std::mem::take(&mut self.store);
        self.store = Store::starting_at(store.end());
        self.next = 0;
        for (at, mut slot) in old.into_iter().enumerate() {
            if slot.settled {
                continue;
            }
            let mut pieces = Pieces::new();
            store.slice(slot.start, slot.start + u64::from(slot.len), &mut pieces);
            slot.start = self.store.end();
            self.store.keep(pieces);
            self.slots.push_back(slot);
            self.next += usize::from(at < before);
        }
        self.settled = 0;
        let slots = &self.slots;
        let lives = |ordinal| slots.binary_search_by_key(&ordinal, |s| s.ordinal).is_ok();
        self.partitions.retain(lives);
    }
}
