//! Packets of different upstreams that meet at a step (spec 2.3, join): those that wait, those that
//! are joined, and those whose time is over.
//!
//! What waits is not accepted yet: it is on no edge's account until it is dropped. It is settled,
//! for its producer, when the packet that it is joined with goes on, or when it is dropped.

use std::sync::Arc;

use bytes::Bytes;

use super::decision::shapes_of;
use super::offer::{Offered, Onto, Room, Shape, keep, queue};
use super::packet::{Inbound, chunk_of, fits_pairs, kept_of};
use super::{Actions, Engine, Run};
use crate::account::DropReason;
use crate::decide::{Arrived, Decided, Meeting, Reached, Verdict, join_id};
use crate::deliver::join::{self, Displaced, Entry, Part, Round};
use crate::deliver::{Origin, Outbox, Outcome, Settled};
use crate::ids::{Moment, RunId, StepIndex};
use crate::route::{FanInPlan, Lane, OnTimeout, Overflow};

/// Most bytes of packets that wait at joins, of all runs.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// A packet that waits at a join.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// The edge that it came by.
    edge: u32,
    arrived: Arc<Arrived>,
    lane: Lane,
    turn: u64,
    origin: Option<Origin>,
}

/// The join of a step.
pub(super) struct Join {
    waits: join::Join<Waiting>,
    on_timeout: OnTimeout,
}

impl Join {
    pub(super) fn new(plan: &FanInPlan, branches: usize) -> Self {
        Self {
            waits: join::Join::new(plan, branches),
            on_timeout: plan.on_timeout,
        }
    }
}

impl Run {
    /// What a packet of `step` meets on each of its edges; none where no edge ends in a join.
    pub(super) fn meetings(&self, step: StepIndex, inbound: &Inbound<'_>) -> Vec<Meeting> {
        let edges = &self.downstream[step.at()];
        let join_of = |at: u32| self.joins[self.edges[at as usize].to.at()].as_ref();
        if edges.iter().all(|&at| join_of(at).is_none()) {
            return Vec::new();
        }
        let Some(id) = join_id(inbound.packet, inbound.view) else {
            return Vec::new();
        };
        let meeting = |&at: &u32| {
            let Some(join) = join_of(at) else {
                return Meeting::None;
            };
            let branch = self.edges[at as usize].branch;
            match join.waits.peek(id, branch) {
                join::Verdict::Wait => Meeting::Wait,
                join::Verdict::Absorbed => Meeting::Absorbed,
                join::Verdict::Fire => {
                    let there = join.waits.there(id).iter();
                    Meeting::Fire(there.map(|part| part.item.arrived.clone()).collect())
                }
            }
        };
        edges.iter().map(meeting).collect()
    }
}

/// What came of letting a packet meet others.
pub(super) enum Met {
    /// It has nobody to meet.
    Nobody,
    /// Its id was joined without it.
    Nothing,
    /// It waits; whether its producer has to wait for what becomes of it.
    Waits(bool),
    /// All that it waited for has come before.
    All(Box<Joined>),
}

/// A packet and those that it is joined with.
pub(super) struct Joined {
    last: Waiting,
    others: Vec<Arc<Arrived>>,
    /// Whether its producer has to wait for what becomes of it.
    pub(super) counts: bool,
}

/// A packet that comes to a join by an edge.
pub(super) struct Comer<'a> {
    pub(super) edge: u32,
    pub(super) reached: Reached,
    pub(super) offered: &'a Offered<'a>,
}

impl Run {
    /// Lets a packet meet the others of its id.
    pub(super) fn meet(
        &mut self,
        comer: Comer<'_>,
        (waiting_bytes, settled): (&mut usize, &mut Vec<Settled>),
    ) -> Met {
        let Comer {
            edge,
            reached,
            offered,
        } = comer;
        let (to, branch) = {
            let edge = &self.edges[edge as usize];
            (edge.to, edge.branch)
        };
        let Some(id) = join_id(offered.inbound.packet, offered.inbound.view) else {
            return Met::Nobody;
        };
        let from = self.plan.steps[self.plan.edges[edge as usize].from.at()]
            .id
            .clone();
        let counts = matches!(self.sessions[to.at()].outbox, Outbox::Log(_));
        let Some(join) = &mut self.joins[to.at()] else {
            return Met::Nobody;
        };
        let before = join.waits.bytes();
        let part = Part {
            branch,
            size: offered.inbound.packet.len(),
            item: Waiting {
                edge,
                arrived: Arc::new(Arrived {
                    from,
                    packet: Bytes::copy_from_slice(offered.inbound.packet),
                    view: offered.inbound.view.clone(),
                    reached,
                }),
                lane: offered.lane,
                turn: offered.turn,
                origin: offered.origin.filter(|_| counts),
            },
        };
        if join.waits.peek(id, branch) == join::Verdict::Wait
            && *waiting_bytes + part.size > MAX_WAITING_BYTES
        {
            drop_part(&part.item, DropReason::Budget, settled);
            self.edges[edge as usize].counts.accepted += 1;
            return Met::Waits(counts);
        }
        let outcome = join.waits.offer(id, part, offered.now);
        *waiting_bytes = *waiting_bytes + join.waits.bytes() - before;
        match outcome {
            join::Outcome::Absorbed(_) => Met::Nothing,
            join::Outcome::Fire(mut round) => {
                let last = round.parts.remove(round.last);
                for part in &round.parts {
                    absorb(&part.item, settled);
                }
                let others = round.parts.into_iter();
                let others = others.map(|part| part.item.arrived).collect();
                Met::All(Box::new(Joined {
                    last: last.item,
                    others,
                    counts,
                }))
            }
            join::Outcome::Wait(displaced) => {
                match displaced {
                    Some(Displaced::Replaced(part)) => absorb(&part.item, settled),
                    Some(Displaced::Evicted(entry)) => {
                        self.drop_round(entry.round, DropReason::Evicted, settled);
                    }
                    None => {}
                }
                Met::Waits(counts)
            }
        }
    }

    /// Drops all that has come of an id.
    fn drop_round(
        &mut self,
        round: Round<Waiting>,
        reason: DropReason,
        settled: &mut Vec<Settled>,
    ) {
        for part in round.parts {
            self.edges[part.item.edge as usize].counts.accepted += 1;
            drop_part(&part.item, reason, settled);
        }
    }

    /// Drops what waits at joins and belongs to a turn that is over.
    pub(super) fn drop_joining_turns(
        &mut self,
        floors: &[u64; Lane::COUNT],
        (waiting_bytes, settled): (&mut usize, &mut Vec<Settled>),
    ) {
        for step in 0..self.joins.len() {
            let Some(join) = &mut self.joins[step] else {
                continue;
            };
            let is_over = |waiting: &Waiting| waiting.turn < floors[waiting.lane as usize];
            let before = join.waits.bytes();
            let over = join
                .waits
                .take_where(|round| round.parts.iter().any(|part| is_over(&part.item)));
            *waiting_bytes = *waiting_bytes + join.waits.bytes() - before;
            for entry in over {
                self.drop_round(entry.round, DropReason::Interrupted, settled);
            }
        }
    }

    /// Drops all that waits at joins: the hub stops.
    pub(super) fn drop_joining(&mut self, settled: &mut Vec<Settled>) {
        for step in 0..self.joins.len() {
            let Some(join) = &mut self.joins[step] else {
                continue;
            };
            for entry in join.waits.drain() {
                self.drop_round(entry.round, DropReason::Shutdown, settled);
            }
        }
    }
}

/// It lives on in the packet that it was joined with, or a later one stands for it.
fn absorb(waiting: &Waiting, settled: &mut Vec<Settled>) {
    settled.push(done(waiting, Outcome::Absorbed));
}

fn drop_part(waiting: &Waiting, reason: DropReason, settled: &mut Vec<Settled>) {
    settled.push(done(waiting, Outcome::Dropped(reason)));
}

fn done(waiting: &Waiting, outcome: Outcome) -> Settled {
    Settled {
        edge: waiting.edge,
        origin: waiting.origin,
        outcome,
        sequence: 0,
        bytes: 0,
        staged: 0,
    }
}

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
                live.drop_round(entry.round, DropReason::FanInTimeout, &mut self.settled);
            }
        }
        let join = self.runs[run.0 as usize].joins[step.at()].as_ref();
        if let Some(due) = join.and_then(|join| join.waits.next_deadline()) {
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
        mut entry: Entry<Waiting>,
        now: Moment,
        actions: &mut Actions,
    ) {
        let live = &mut self.runs[run.0 as usize];
        let Some(last) = entry.round.parts.get(entry.round.last) else {
            return;
        };
        let last = last.item.clone();
        if !live.has_room_for(step, &last) {
            let waited = entry.round.bytes();
            let join = live.joins[step.at()].as_mut();
            match join.map(|join| join.waits.put_back(entry)) {
                Some(Ok(())) => self.waiting_bytes += waited,
                Some(Err(entry)) => {
                    live.drop_round(entry.round, DropReason::FanInTimeout, &mut self.settled);
                }
                None => {}
            }
            return;
        }
        let at = entry.round.last;
        entry.round.parts.remove(at);
        for part in &entry.round.parts {
            absorb(&part.item, &mut self.settled);
        }
        let others = entry.round.parts.into_iter();
        let joined = Joined {
            last,
            others: others.map(|part| part.item.arrived).collect(),
            counts: true,
        };
        self.deliver_joined((run, step), joined, now, actions);
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
        let Joined { last, others, .. } = joined;
        let live = &self.runs[run.0 as usize];
        let from = live.plan.edges[last.edge as usize].from;
        let edges = &live.downstream[from.at()];
        let nth = edges.iter().position(|&edge| edge == last.edge);
        let (Some(programs), Some(nth)) = (&live.programs[from.at()], nth) else {
            return;
        };
        let verdict = programs.decide_late(nth, (&last.arrived, &surroundings), others);
        self.deliver_late((run, step), (&last, verdict), now, actions);
    }

    /// Hands over a packet that has waited at a join.
    fn deliver_late(
        &mut self,
        (run, step): (RunId, StepIndex),
        (last, verdict): (&Waiting, Verdict),
        now: Moment,
        actions: &mut Actions,
    ) {
        let live = &mut self.runs[run.0 as usize];
        let change = match verdict {
            Verdict::Taken(change) => change,
            Verdict::NotTaken | Verdict::Waits => {
                return absorb(last, &mut self.settled);
            }
            Verdict::Dropped(reason, why) => {
                live.ends_there((last.edge, reason), (&why, now), &mut self.dead_letters);
                return absorb(last, &mut self.settled);
            }
        };
        let arrived = &last.arrived;
        let inbound = Inbound {
            source: &arrived.packet,
            start: 0,
            packet: &arrived.packet,
            view: &arrived.view,
            kept: None,
            pinned: arrived.packet.len(),
        };
        let shape = Shape::new(kept_of(&inbound));
        let changed = shapes_of(&inbound, std::iter::once(&change));
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
            edge: last.edge,
            change: (!change.is_none()).then_some(&change),
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
        // Its producer waits for it since it came; what is kept settles it, sooner or later.
        if !is_kept {
            absorb(last, &mut self.settled);
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

/// Where a packet met others, what it met then must be what it meets now.
pub(super) fn still_holds(decided: &Decided, meetings: &[Meeting]) -> bool {
    let then = &decided.meetings;
    then.len() == meetings.len() && then.iter().zip(meetings).all(|(a, b)| a.is_same(b))
}
