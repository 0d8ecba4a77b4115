//! One packet onto all edges of its step: what a Story asks of it, whether there is room, and each
//! edge in turn.
//!
//! The way of a packet of which nothing is asked is compiled apart: it is the hot one.

use super::decision::shapes;
use super::joins::{Comer, Joined, Met, absorb, joined_in_vain};
use super::numbered::Numbered;
use super::offer::{Offered, Onto, Shape, keep, queue};
use super::packet::{Inbound, Taken, chunk_of, fits_pairs, kept_of};
use super::room::Room;
use super::{Actions, Engine, Run};
use crate::decide::{Decided, Verdict};
use crate::deliver::{ChunkVerdict, Outbox};
use crate::ids::{ConnId, Moment, RunId, StepIndex};
use crate::route::{Lane, Overflow};

/// A packet that is in order, on its way onto its edges.
pub(super) struct FanOut {
    pub(super) at: (RunId, StepIndex),
    pub(super) numbered: Option<Numbered>,
    pub(super) lane: Lane,
    pub(super) turn: u64,
    pub(super) now: Moment,
}

/// What is left to do for a packet on one edge.
enum Next<'a> {
    Onto(Onto<'a>),
    /// Nothing; whether its producer waits for it all the same.
    Done(bool),
}

impl Engine {
    /// Decides what becomes of a packet, and carries it out; what is decided elsewhere blocks.
    #[inline(never)]
    pub(super) fn decide_and_fan_out(
        &mut self,
        conn: ConnId,
        way: &FanOut,
        inbound: &Inbound<'_>,
        actions: &mut Actions,
    ) -> Taken {
        let (run, step) = way.at;
        let live = self.runs.get(run.0 as usize);
        let Some(programs) = live.and_then(|live| live.programs[step.at()].clone()) else {
            return Taken::Yes;
        };
        let decided = self.decide(way.at, (conn, &programs), inbound, (way.now, actions));
        let Some(mut decided) = decided else {
            return Taken::Blocked;
        };
        let taken = self.fan_out::<true>(way, (inbound, Some(&mut decided)), actions);
        let live = self.runs.get_mut(run.0 as usize);
        let Some(pending) = live.map(|live| &mut live.sessions[step.at()].decided) else {
            return taken;
        };
        if taken == Taken::Blocked {
            pending.keep(decided);
            return taken;
        }
        let whole = pending.took(inbound, way.now);
        self.measure_lag(way.at, inbound, way.now);
        if decided.stops && whole {
            self.end_run(run, way.now, actions);
        }
        taken
    }

    /// Puts a packet onto its edges, as was `DECIDED`, or onto all of them as it is.
    pub(super) fn fan_out<const DECIDED: bool>(
        &mut self,
        way: &FanOut,
        (inbound, mut decided): (&Inbound<'_>, Option<&mut Decided>),
        actions: &mut Actions,
    ) -> Taken {
        let (run, step) = way.at;
        let now = way.now;
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return Taken::Yes;
        };
        let shape = Shape::new(kept_of(inbound));
        let changed = if DECIDED {
            decided.as_deref().map(|d| shapes(inbound, d))
        } else {
            None
        };
        let offered = Offered {
            inbound,
            shape: &shape,
            changed: changed.as_deref().unwrap_or_default(),
            fits_pairs: fits_pairs(inbound),
            targets: live.downstream[step.at()].len(),
            lane: way.lane,
            turn: way.turn,
            media_ms: inbound.view.timestamp_ms().unwrap_or(0),
            origin: way.numbered.map(|n| n.origin),
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
        if live.guaranteed[step.at()]
            && let Some(culprit) = live.without_room(step, &offered, (decided.as_deref(), &room))
        {
            let (edge, by_budget) = culprit;
            self.budget_blocks |= by_budget;
            live.sessions[step.at()].stall(edge, by_budget);
            let to = live.edges[edge as usize].to;
            if let Outbox::Log(log) = &mut live.sessions[to.at()].outbox
                && !by_budget
            {
                log.pause();
            }
            live.told[edge as usize].pauses += 1;
            return Taken::Blocked;
        }
        let mut outstanding = 0;
        // Never made on the way of a packet of which nothing is asked.
        let mut joined = None::<Vec<_>>;
        for nth in 0..offered.targets {
            let edge = live.downstream[step.at()][nth];
            let onto = if DECIDED {
                let decided = decided.as_deref_mut().map(|d| (d, nth));
                let waiting = &mut self.waiting_bytes;
                let left = (&mut room, waiting, joined.get_or_insert_default());
                match live.next_for((edge, decided), &offered, left) {
                    Next::Onto(onto) => onto,
                    Next::Done(counts) => {
                        outstanding += u32::from(counts);
                        continue;
                    }
                }
            } else {
                offered.onto(edge, None)
            };
            let session = &mut live.sessions[live.edges[edge as usize].to.at()];
            match &session.outbox {
                Outbox::Lanes(lanes) => {
                    let was_empty = lanes.is_empty();
                    queue(&mut room, session, (&mut live.edges, onto), &offered);
                    if was_empty {
                        actions.wake.extend(session.owner);
                    }
                }
                Outbox::Log(_) => {
                    let mut waits = keep(&mut room, live, (onto, actions), &offered);
                    if DECIDED
                        && !waits
                        && let Some(in_vain) = joined_in_vain(&onto)
                    {
                        room.settled.push(in_vain);
                        waits = true;
                    }
                    outstanding += u32::from(waits);
                }
            }
        }
        if DECIDED {
            for (to, joined) in joined.into_iter().flatten() {
                self.deliver_joined((run, to), joined, now, actions);
            }
        }
        let bytes = inbound.len() as u64;
        self.note(way.at, (way.numbered, outstanding, bytes), now, actions);
        if !self.settled.is_empty() || !self.dead_letters.is_empty() {
            self.close_accounts(run, now, actions);
        }
        Taken::Yes
    }
}

/// What an edge leaves behind beside what is queued: packets that came to a join by two edges.
type Left<'l, 'r> = (
    &'l mut Room<'r>,
    &'l mut usize,
    &'l mut Vec<(StepIndex, Joined)>,
);

impl Run {
    /// What is to be done for a packet on one edge, as was decided.
    fn next_for<'d>(
        &mut self,
        (edge, decided): (u32, Option<(&'d mut Decided, usize)>),
        offered: &Offered<'_>,
        (room, waiting, joined): Left<'_, '_>,
    ) -> Next<'d> {
        let Some((decided, nth)) = decided else {
            return Next::Onto(offered.onto(edge, None));
        };
        let reached = decided.reached.get_mut(nth).and_then(Option::take);
        let Some(verdict) = decided.edges.get(nth) else {
            return Next::Done(false);
        };
        if let Some(reached) = reached {
            let comer = Comer {
                edge,
                reached: *reached,
                offered,
            };
            match self.meet(comer, (waiting, &mut *room.settled)) {
                Met::Nobody => {}
                Met::Nothing => return Next::Done(false),
                Met::Waits(counts) => return Next::Done(counts),
                // Those that it waited for came by an earlier edge, in the same packet.
                Met::All(all) if matches!(verdict, Verdict::Waits) => {
                    let counts = all.counts;
                    joined.push((self.edges[edge as usize].to, *all));
                    return Next::Done(counts);
                }
                Met::All(all) => {
                    if let Verdict::Taken(change) = verdict {
                        let hears = self.hearers(&all);
                        return Next::Onto(Onto {
                            hears,
                            ..offered.onto(edge, Some(change))
                        });
                    }
                    all.waited
                        .iter()
                        .for_each(|part| absorb(part, room.settled));
                }
            }
        }
        match verdict {
            Verdict::Taken(change) => Next::Onto(offered.onto(edge, Some(change))),
            Verdict::NotTaken | Verdict::Waits => Next::Done(false),
            Verdict::Dropped(reason, why) => {
                let told = (&**why, offered.now);
                self.ends_there((edge, *reason), told, room.dead_letters);
                Next::Done(false)
            }
        }
    }

    /// The first edge of `step` that must not lose this packet and has no room for it, and whether
    /// it is the budget of all queues that is short.
    fn without_room(
        &self,
        step: StepIndex,
        offered: &Offered<'_>,
        (decided, room): (Option<&Decided>, &Room<'_>),
    ) -> Option<(u32, bool)> {
        let may_fill = self.sessions[step.at()].accepts.pause;
        for (nth, &at) in self.downstream[step.at()].iter().enumerate() {
            let change = match decided.map(|d| &d.edges[nth]) {
                None => None,
                Some(Verdict::Taken(change)) => Some(change),
                Some(Verdict::NotTaken | Verdict::Waits | Verdict::Dropped(..)) => continue,
            };
            let edge = &self.edges[at as usize];
            let Outbox::Log(log) = &self.sessions[edge.to.at()].outbox else {
                continue;
            };
            if edge.over_cap || log.guarantee().overflow != Overflow::Pause {
                continue;
            }
            let mut len = offered.most_len(edge, change);
            // A set is let in as one, when its last chunk has come; until then it takes no room.
            match offered
                .chunk
                .map(|c| log.judge_chunk(offered.set_key(at), c))
            {
                Some(ChunkVerdict::More(_) | ChunkVerdict::Ignore) => continue,
                Some(ChunkVerdict::Last(set)) => len += log.staged(set).0,
                Some(ChunkVerdict::First | ChunkVerdict::TooMany) | None => {}
            }
            if crate::mutant::is(crate::mutant::Mutant::SilentDropAtBound) {
                continue;
            }
            if (log.is_paused() && !may_fill) || !log.admits(offered.lane, len) {
                return Some((at, false));
            }
            // An empty log admits one packet whatever the others hold: otherwise two could wait for
            // each other's receipts.
            if room.is_short(len) && !log.is_empty() {
                return Some((at, true));
            }
        }
        None
    }
}
