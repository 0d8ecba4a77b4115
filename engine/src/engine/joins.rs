//! Packets of different upstreams that meet at a step (spec 2.3, join): those that wait, those that
//! are joined, and those whose time is over.
//!
//! What waits is not accepted yet: it is on no edge's account until it is dropped. Its producer
//! hears that it is settled when the packet that it was joined with is, or when it is dropped: until
//! then a hub that dies loses what is in neither (spec 2.4 rule 5).

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::Run;
use super::offer::{Offered, Onto};
use super::packet::Inbound;
use crate::account::DropReason;
use crate::decide::{Arrived, Decided, Meeting, Reached, join_id};
use crate::deliver::join::{self, Displaced, Part, Round};
use crate::deliver::{Hears, Origin, Outbox, Outcome, Settled};
use crate::ids::StepIndex;
use crate::route::{FanInPlan, Lane, OnTimeout};

/// Most bytes of packets that wait at joins, of all runs.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// About the bytes that a packet takes which waits at a join, besides its own.
const BESIDE: usize = 1024;

/// A packet that waits at a join.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// The edge that it came by.
    pub(super) edge: u32,
    pub(super) arrived: Arc<Arrived>,
    pub(super) lane: Lane,
    pub(super) turn: u64,
    pub(super) origin: Option<Origin>,
}

/// The join of a step.
pub(super) struct Join {
    pub(super) waits: join::Join<Waiting>,
    pub(super) on_timeout: OnTimeout,
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
    pub(super) last: Waiting,
    /// Those that it is joined with, which waited for it.
    pub(super) waited: Vec<Waiting>,
    /// Whether its producer has to wait for what becomes of it.
    pub(super) counts: bool,
}

impl Joined {
    /// A round whose time has come.
    pub(super) fn of(mut round: Round<Waiting>, counts: bool) -> Self {
        let last = round.parts.remove(round.last).item;
        let waited = round.parts.into_iter().map(|part| part.item).collect();
        Self {
            last,
            waited,
            counts,
        }
    }
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
            size: offered.inbound.packet.len() + reached.bytes() + BESIDE,
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
            join::Outcome::Fire(round) => Met::All(Box::new(Joined::of(round, counts))),
            join::Outcome::Wait(displaced) => {
                match displaced {
                    Some(Displaced::Replaced(part)) => absorb(&part.item, settled),
                    Some(Displaced::Evicted(entry)) => {
                        self.drop_parts(entry.round.parts, DropReason::Evicted, settled);
                    }
                    None => {}
                }
                Met::Waits(counts)
            }
        }
    }

    /// Drops what has come of an id.
    pub(super) fn drop_parts(
        &mut self,
        parts: Vec<Part<Waiting>>,
        reason: DropReason,
        settled: &mut Vec<Settled>,
    ) {
        for part in parts {
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
            let ids = join
                .waits
                .take_where(|round| round.parts.iter().any(|part| is_over(&part.item)));
            let mut over = Vec::new();
            for mut entry in ids {
                over.append(&mut entry.round.take_parts(is_over));
                // Its place is still free: nothing has come since.
                if !entry.round.parts.is_empty()
                    && let Err(entry) = join.waits.put_back(entry)
                {
                    over.extend(entry.round.parts);
                }
            }
            *waiting_bytes = *waiting_bytes + join.waits.bytes() - before;
            self.drop_parts(over, DropReason::Interrupted, settled);
        }
    }

    /// Drops all that waits at joins: the hub stops.
    pub(super) fn drop_joining(&mut self, settled: &mut Vec<Settled>) {
        for step in 0..self.joins.len() {
            let Some(join) = &mut self.joins[step] else {
                continue;
            };
            for entry in join.waits.drain() {
                self.drop_parts(entry.round.parts, DropReason::Shutdown, settled);
            }
        }
    }

    /// Who hears what becomes of a joined packet: the producers of all that it was joined of.
    pub(super) fn hearers(&mut self, joined: &Joined) -> Option<Hears> {
        let own = joined.last.origin;
        let waited = joined.waited.iter().filter_map(|part| part.origin);
        let mut list: SmallVec<[Origin; 4]> = waited.collect();
        if list.is_empty() {
            return own.map(Hears::One);
        }
        list.extend(own);
        Some(Hears::All(self.origins.put(list)))
    }
}

/// It lives on in the packet that it was joined with, or a later one stands for it.
pub(super) fn absorb(waiting: &Waiting, settled: &mut Vec<Settled>) {
    settled.push(absorbed(waiting));
}

pub(super) fn absorbed(waiting: &Waiting) -> Settled {
    done(waiting, Outcome::Absorbed)
}

fn drop_part(waiting: &Waiting, reason: DropReason, settled: &mut Vec<Settled>) {
    settled.push(done(waiting, Outcome::Dropped(reason)));
}

fn done(waiting: &Waiting, outcome: Outcome) -> Settled {
    Settled {
        edge: waiting.edge,
        hears: waiting.origin.map(Hears::One),
        outcome,
        sequence: 0,
        bytes: 0,
        staged: 0,
    }
}

/// A joined packet that came to nothing, of which others hear than its own producer alone.
pub(super) fn joined_in_vain(onto: &Onto<'_>) -> Option<Settled> {
    let hears = onto.hears.filter(|hears| matches!(hears, Hears::All(_)))?;
    Some(Settled {
        edge: onto.edge,
        hears: Some(hears),
        outcome: Outcome::Absorbed,
        sequence: 0,
        bytes: 0,
        staged: 0,
    })
}

/// Where a packet met others, what it met then must be what it meets now.
pub(super) fn still_holds(decided: &Decided, meetings: &[Meeting]) -> bool {
    let then = &decided.meetings;
    then.len() == meetings.len() && then.iter().zip(meetings).all(|(a, b)| a.is_same(b))
}
