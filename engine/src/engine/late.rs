//! What has waited at a join and goes on late: with all that it waited for, or, when its time is over,
//! with what there is (spec 2.3, join).

use super::decision::shapes_of;
use super::joins::{Joined, Waiting, absorb, absorbed, joined_in_vain};
use super::offer::{Offered, Onto, Shape, keep, queue};
use super::packet::{Inbound, chunk_of, fits_pairs, kept_of};
use super::room::Room;
use super::{Actions, Engine, Run};
use crate::account::DropReason;
use crate::decide::{Change, Verdict};
use crate::deliver::Outbox;
use crate::deliver::join::Entry;
use crate::ids::{Moment, RunId, StepIndex};
use crate::route::{OnTimeout, Overflow};

impl Engine {
    /// Bytes of all that waits at joins, counted anew.
    pub(super) fn joining_bytes(&self) -> usize {
        let joins = self.runs.iter().flat_map(|run| run.joins.iter().flatten());
        joins.map(|join| join.waits.bytes()).sum()
    }

    /// Ends, at a step, the waits whose time is over.
    pub(super) fn look_for_stragglers(
        &mut self,
        run: RunId,
        step: StepIndex,
        now: Moment,
        actions: &mut Actions,
    ) {
        let live = &mut self.runs[run.0 as usize];
        let Some(join) = &mut live.joins[step.at()] else {
            return;
        };
        let before = join.waits.bytes();
        let over = join.waits.expire(now);
        self.waiting_bytes = self.waiting_bytes + join.waits.bytes() - before;
        let partial = join.on_timeout == OnTimeout::Partial;
        for entry in over {
            if partial {
                self.deliver_partial((run, step), entry, now, actions);
            } else {
                let live = &mut self.runs[run.0 as usize];
                let parts = entry.round.parts;
                live.drop_parts(parts, DropReason::FanInTimeout, &mut self.settled);
            }
        }
        let join = self.runs[run.0 as usize].joins[step.at()].as_ref();
        // What waits for room is overdue, and looked at with every regular tick: asking for one at
        // once would be asking for ever.
        let due = join.and_then(|join| join.waits.next_deadline());
        if let Some(due) = due.filter(|due| *due > now) {
            self.ask_for_tick(due);
        }
        if !self.settled.is_empty() {
            self.close_accounts(run, now, actions);
        }
    }

    /// Delivers the packet that came last, joined with what there is. What finds no room waits on.
    fn deliver_partial(
        &mut self,
        (run, step): (RunId, StepIndex),
        entry: Entry<Waiting>,
        now: Moment,
        actions: &mut Actions,
    ) {
        let live = &mut self.runs[run.0 as usize];
        let Some(last) = entry.round.parts.get(entry.round.last) else {
            return;
        };
        if live.has_room_for(step, &last.item) {
            let joined = Joined::of(entry.round, true);
            return self.deliver_joined((run, step), joined, now, actions);
        }
        let waited = entry.round.bytes();
        let join = live.joins[step.at()].as_mut();
        match join.map(|join| join.waits.put_back(entry)) {
            Some(Ok(())) => self.waiting_bytes += waited,
            Some(Err(entry)) => {
                let parts = entry.round.parts;
                live.drop_parts(parts, DropReason::FanInTimeout, &mut self.settled);
            }
            None => {}
        }
    }

    /// Decides on a packet and those that it is joined with, and hands it over.
    pub(super) fn deliver_joined(
        &mut self,
        (run, step): (RunId, StepIndex),
        joined: Joined,
        now: Moment,
        actions: &mut Actions,
    ) {
        let surroundings = self.surroundings(now);
        let last = &joined.last;
        let live = &self.runs[run.0 as usize];
        let from = live.plan.edges[last.edge as usize].from;
        let edges = &live.downstream[from.at()];
        let nth = edges.iter().position(|&edge| edge == last.edge);
        let (Some(programs), Some(nth)) = (&live.programs[from.at()], nth) else {
            return;
        };
        let others = joined.waited.iter().map(|part| part.arrived.clone());
        let verdict = programs.decide_late(nth, (&last.arrived, &surroundings), others.collect());
        let parts = std::iter::once(last).chain(&joined.waited);
        match verdict {
            Verdict::Taken(change) => {
                self.deliver_late((run, step), (&joined, &change), now, actions);
            }
            Verdict::NotTaken | Verdict::Waits => {
                parts.for_each(|part| absorb(part, &mut self.settled));
            }
            Verdict::Dropped(reason, why) => {
                parts.for_each(|part| absorb(part, &mut self.settled));
                let live = &mut self.runs[run.0 as usize];
                live.ends_there((last.edge, reason), (&why, now), &mut self.dead_letters);
            }
        }
    }

    /// Hands over a packet that has waited at a join.
    fn deliver_late(
        &mut self,
        (run, step): (RunId, StepIndex),
        (joined, change): (&Joined, &Change),
        now: Moment,
        actions: &mut Actions,
    ) {
        let live = &mut self.runs[run.0 as usize];
        let last = &joined.last;
        let arrived = &last.arrived;
        let inbound = Inbound {
            source: &arrived.packet,
            start: 0,
            packet: &arrived.packet,
            view: &arrived.view,
            kept: None,
            parted: None,
            pinned: arrived.packet.len(),
        };
        let shape = Shape::new(kept_of(&inbound));
        let changed = shapes_of(&inbound, std::iter::once(change));
        let offered = Offered {
            inbound: &inbound,
            shape: &shape,
            changed: &changed,
            targets: 1,
            fits_pairs: fits_pairs(&inbound),
            lane: last.lane,
            turn: last.turn,
            media_ms: inbound.view.timestamp_ms().unwrap_or(0),
            origin: last.origin,
            chunk: chunk_of(inbound.view),
            now,
        };
        let mut room = Room {
            max_message: self.limits.max_message_bytes,
            budget: self.limits.queue_budget_bytes,
            queued: &mut self.queued_bytes,
            staged: &mut self.staged_bytes,
            settled: &mut self.settled,
            dead_letters: &mut self.dead_letters,
        };
        let onto = Onto {
            hears: live.hearers(joined),
            ..offered.onto(last.edge, Some(change))
        };
        let session = &mut live.sessions[step.at()];
        let is_kept = match &session.outbox {
            Outbox::Lanes(lanes) => {
                let was_empty = lanes.is_empty();
                queue(&mut room, session, (&mut live.edges, onto), &offered);
                if was_empty {
                    actions.wake.extend(session.owner);
                }
                false
            }
            Outbox::Log(_) => keep(&mut room, live, (onto, actions), &offered),
        };
        // Its producers wait for it since it came; what is kept settles it, sooner or later.
        if !is_kept {
            let in_vain = joined_in_vain(&onto).unwrap_or_else(|| absorbed(last));
            self.settled.push(in_vain);
        }
    }
}

impl Run {
    /// Whether a step that must not lose packets has room for one that waited at its join.
    fn has_room_for(&self, step: StepIndex, last: &Waiting) -> bool {
        match &self.sessions[step.at()].outbox {
            Outbox::Lanes(_) => true,
            Outbox::Log(log) => {
                log.guarantee().overflow != Overflow::Pause
                    || log.admits(last.lane, last.arrived.packet.len())
            }
        }
    }
}
