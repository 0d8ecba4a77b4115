//! Packets out: first the late, then the rest in order.

use super::{Load, Log, Outcome, Settled, Slot};
use crate::account::DropReason;
use crate::deliver::Pieces;
use crate::deliver::credit::Credit;
use crate::ids::Moment;
use crate::mutant::{self, Mutant};
use crate::route::Lane;

/// A packet that has just been sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub edge: u32,
    /// When it came in.
    pub at: Moment,
    /// Whether it was sent before.
    pub again: bool,
    /// What it is known by ([`Log::end`]).
    pub ordinal: u64,
    /// Its bytes.
    pub len: u32,
}

impl Log {
    /// The connection is gone, or a new one is there: everything unreceipted is to be sent, from
    /// the beginning. What an interrupt has overtaken meanwhile ends here.
    pub(crate) fn rewind(&mut self, floors: &[u64; Lane::COUNT], out: &mut Vec<Settled>) {
        let next = std::mem::take(&mut self.next);
        self.again.clear();
        for at in 0..next {
            let lane = self.lane(self.slots[at].item.lane);
            let slot = &self.slots[at];
            if !slot.settled {
                self.window.sub(slot.len);
                self.queue[lane].add(slot.len);
            }
        }
        debug_assert_eq!(self.window, Load::default());
        self.drop_turns(floors, out);
        if mutant::is(Mutant::SkipReplayedPacket) && next > 0 && !self.slots.is_empty() {
            self.step_over(0);
            self.next = 1;
        }
        if mutant::is(Mutant::ReplayAfterNew) {
            while self
                .slots
                .get(self.next)
                .is_some_and(|s| !s.settled && s.deliveries > 0)
            {
                self.again.push_back(self.slots[self.next].ordinal);
                self.step_over(self.next);
                self.next += 1;
            }
        }
    }

    /// Moves whole packets of up to `budget` bytes out, at least one when one may go. Returns the
    /// bytes moved.
    pub(crate) fn take(
        &mut self,
        budget: usize,
        (credit, now): (&mut Credit, Moment),
        out: &mut Pieces,
        mut sent: impl FnMut(Sent),
    ) -> usize {
        let mut moved = 0;
        if !mutant::is(Mutant::ReplayAfterNew) {
            moved = self.take_late(budget, (credit, now), out, &mut sent);
        }
        let (mut from, mut to) = (0, 0);
        while let Some(slot) = self.slots.get(self.next) {
            let len = slot.len as usize;
            if slot.settled {
                self.next += 1;
                continue;
            }
            if moved > 0 && moved + len > budget || !self.may_step_over(slot, credit) {
                break;
            }
            if slot.start != to {
                self.store.slice(from, to, out);
                from = slot.start;
            }
            to = slot.start + u64::from(slot.len);
            credit.spend(len);
            self.step_over(self.next);
            sent(self.mark_sent(self.next, now));
            self.next += 1;
            moved += len;
        }
        self.store.slice(from, to, out);
        if mutant::is(Mutant::ReplayAfterNew) {
            moved += self.take_late(budget, (credit, now), out, &mut sent);
        }
        moved
    }

    /// What was sent and not receipted in time goes first.
    fn take_late(
        &mut self,
        budget: usize,
        (credit, now): (&mut Credit, Moment),
        out: &mut Pieces,
        sent: &mut impl FnMut(Sent),
    ) -> usize {
        let mut moved = 0;
        while let Some(&ordinal) = self.again.front() {
            let at = self.index_of(ordinal).filter(|&at| !self.slots[at].settled);
            if let Some(at) = at {
                let (start, len) = (self.slots[at].start, self.slots[at].len as usize);
                if moved > 0 && moved + len > budget || !credit.admits(len) {
                    break;
                }
                self.store.slice(start, start + len as u64, out);
                credit.spend(len);
                sent(self.mark_sent(at, now));
                moved += len;
            }
            self.again.pop_front();
        }
        moved
    }

    /// Whether `slot` may be sent: window and credits have room. The chunks of a set that has begun
    /// are no further packets of the window.
    fn may_step_over(&self, slot: &Slot, credit: &Credit) -> bool {
        let len = slot.len as usize;
        (!slot.place.head || self.window.admits(len, &self.window_bound)) && credit.admits(len)
    }

    /// Counts the packet at `at` into the window instead of the queue.
    fn step_over(&mut self, at: usize) {
        let lane = self.lane(self.slots[at].item.lane);
        let len = self.slots[at].len;
        self.queue[lane].sub(len);
        self.window.add(len);
    }

    fn mark_sent(&mut self, at: usize, now: Moment) -> Sent {
        let slot = &mut self.slots[at];
        slot.deliveries += 1;
        slot.sent_at = now;
        let (item, place, again) = (slot.item, slot.place, slot.deliveries > 1);
        let (ordinal, len) = (slot.ordinal, slot.len);
        self.partitions.sent(place.partition, place.sequence);
        Sent {
            edge: item.edge,
            at: item.at,
            again,
            ordinal,
            len,
        }
    }

    /// Finds what was sent longer ago than a receipt may take: it is sent again, or ends as
    /// `dead_letter` when it has been sent often enough (spec 2.4 rule 8). Time counts only
    /// `since` the client has been read.
    pub(crate) fn find_late(&mut self, (now, since): (Moment, Moment), out: &mut Vec<Settled>) {
        let Some(redelivery) = self.guarantee.redelivery else {
            return;
        };
        if !self.again.is_empty() {
            return;
        }
        for at in 0..self.next {
            let slot = &self.slots[at];
            if slot.settled || now.since(slot.sent_at.max(since)) < redelivery.ack_wait {
                continue;
            }
            if redelivery.max_deliver > 0 && slot.deliveries >= redelivery.max_deliver {
                self.settle(at, Outcome::Dropped(DropReason::DeadLetter), out);
            } else {
                self.again.push_back(slot.ordinal);
            }
        }
        self.trim();
    }

    /// When [`Log::find_late`] will find something, at the earliest.
    pub(crate) fn late_at(&self, since: Moment) -> Option<Moment> {
        let ack_wait = self.guarantee.redelivery?.ack_wait;
        let mut sent = self.slots.iter().take(self.next).filter(|s| !s.settled);
        sent.next()
            .map(|slot| slot.sent_at.max(since).after(ack_wait))
    }

    /// Whether the present connection has been sent everything that is kept.
    #[inline]
    pub(crate) fn is_caught_up(&self) -> bool {
        self.next == self.slots.len() && self.again.is_empty()
    }

    /// Whether something may be sent now.
    pub(crate) fn may_send(&self, credit: &Credit) -> bool {
        self.may_send_late(credit) || {
            let mut next = self.slots.range(self.next..);
            next.find(|slot| !slot.settled)
                .is_some_and(|slot| self.may_step_over(slot, credit))
        }
    }

    #[inline]
    fn may_send_late(&self, credit: &Credit) -> bool {
        if self.again.is_empty() {
            return false;
        }
        let again = self
            .again
            .iter()
            .filter_map(|&ordinal| self.index_of(ordinal));
        let late = again.map(|at| &self.slots[at]).find(|slot| !slot.settled);
        late.is_some_and(|slot| credit.admits(slot.len as usize))
    }
}
