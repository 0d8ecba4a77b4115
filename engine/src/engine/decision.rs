//! Where what a Story asks of packets meets the engine: what is decided here and now, and what
//! elsewhere.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use expr::Surroundings;
use smallvec::SmallVec;
use transport_proto::splice::{Cut, Kept};

use super::joins::still_holds;
use super::offer::Shape;
use super::packet::{CUT, Inbound};
use super::{Actions, DeadLetter, Engine, Run};
use crate::account::DropReason;
use crate::decide::{Change, Cuts, Decided, Job, Question, StepPrograms, Verdict, event_time};
use crate::deliver::Outbox;
use crate::ids::{ConnId, Moment, RunId, StepIndex};

impl Engine {
    /// What becomes of a packet on each edge of its step; `None` when that is decided elsewhere: the
    /// connection is resumed when it is.
    pub(super) fn decide(
        &mut self,
        (run, step): (RunId, StepIndex),
        (conn, programs): (ConnId, &Arc<StepPrograms>),
        inbound: &Inbound<'_>,
        (now, actions): (Moment, &mut Actions),
    ) -> Option<Decided> {
        let surroundings = self.surroundings(now);
        let live = self.runs.get_mut(run.0 as usize)?;
        let meetings = live.meetings(step, inbound);
        let session = &mut live.sessions[step.at()];
        let kept = session.decided.take();
        if let Some(decided) = kept.filter(|decided| still_holds(decided, &meetings)) {
            session.decided.begin_set(inbound, &decided, now);
            return Some(decided);
        }
        if let Some(decided) = session.decided.of_set(inbound) {
            return Some(decided);
        }
        // Where what it meets changes again and again: decided here, it cannot change meanwhile.
        let packet = (inbound.packet, inbound.view);
        if programs.is_large(packet, &meetings) && session.decided.may_ask() {
            if let Some(ticket) = session.decided.ask() {
                let end = inbound.start + inbound.packet.len();
                actions.jobs.push(Job {
                    conn,
                    ticket,
                    programs: programs.clone(),
                    packet: inbound.source.slice(inbound.start..end),
                    dialect: inbound.view.dialect(),
                    meetings,
                    surroundings,
                });
            }
            return None;
        }
        let question = Question {
            packet: inbound.packet,
            view: inbound.view,
            meetings: &meetings,
            surroundings: &surroundings,
        };
        let decided = match (self.limits.stopwatch, &mut live.measured[step.at()]) {
            (Some(clock), Some(measured)) => {
                measured.time((clock, now), || programs.decide(&question))
            }
            _ => programs.decide(&question),
        };
        session.decided.begin_set(inbound, &decided, now);
        Some(decided)
    }

    /// Measures how late a packet comes, where its Story asks for that.
    pub(super) fn measure_lag(
        &mut self,
        (run, step): (RunId, StepIndex),
        inbound: &Inbound<'_>,
        now: Moment,
    ) {
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let source = live.programs[step.at()]
            .as_ref()
            .and_then(|p| p.watermark());
        let at = (inbound.packet, inbound.view);
        let Some(happened) = source.and_then(|source| event_time(source, at)) else {
            return;
        };
        let now = wall_nanos(self.zero_nanos, now);
        if let Some(measured) = &mut live.measured[step.at()] {
            let lag = u64::try_from(now.saturating_sub(happened)).unwrap_or(0);
            measured.lag.record(Duration::from_nanos(lag), 1);
        }
    }

    /// Takes note of the time on the wall at `now`, in nanoseconds since 1970. People and time
    /// servers set that clock: the shell says every now and then what it shows. Programs, hooks and
    /// the watermark go by it; timers, which all count from `now`, do not.
    pub fn set_clock(&mut self, unix_nanos: i64, now: Moment) {
        self.zero_nanos = unix_nanos.saturating_sub(nanos(now));
    }

    /// The time on the wall at `now`, in nanoseconds since 1970, as programs are told it.
    #[must_use]
    pub fn unix_nanos(&self, now: Moment) -> i64 {
        wall_nanos(self.zero_nanos, now)
    }

    /// What programs are told of the world.
    pub(super) fn surroundings(&mut self, now: Moment) -> Surroundings {
        Surroundings {
            now_nanos: self.unix_nanos(now),
            seed: self.seeds.next(),
        }
    }

    /// Takes in what a [`Job`] decided, and how long that took. Its packet may be offered again.
    pub fn decided(
        &mut self,
        (conn, ticket): (ConnId, u64),
        (decided, took): (Decided, Duration),
        actions: &mut Actions,
    ) {
        let Some((run, step)) = self.owner(conn) else {
            return;
        };
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        if let Some(measured) = &mut live.measured[step.at()] {
            measured.evaluate.record(took, 1);
        }
        if live.sessions[step.at()].decided.answer(ticket, decided) {
            actions.resume.push(conn);
        }
    }
}

impl Run {
    /// Counts a packet that ends on an edge before it is queued.
    #[cold]
    pub(super) fn ends_there(
        &mut self,
        (edge, reason): (u32, DropReason),
        (why, now): (&str, Moment),
        dead_letters: &mut Vec<DeadLetter>,
    ) {
        let from = self.plan.edges[edge as usize].from;
        self.sessions[from.at()].report(reason.as_str(), || why.into(), now);
        let live = &mut self.edges[edge as usize];
        live.counts.accepted += 1;
        live.counts.drop_one(reason);
        if !why.is_empty() {
            let told = &mut self.told[edge as usize];
            told.example.get_or_insert_with(|| (reason, why.into()));
        }
        let to = self.edges[edge as usize].to;
        if let Outbox::Log(_) = self.sessions[to.at()].outbox {
            dead_letters.push(DeadLetter {
                edge,
                reason,
                sequence: 0,
            });
        }
    }
}

/// What stays of a packet for the targets that take more out of it than the hub always does.
pub(super) fn shapes(
    inbound: &Inbound<'_>,
    decided: &Decided,
) -> SmallVec<[(Cuts, Shape<'static>); 1]> {
    let changes = decided.edges.iter().filter_map(|verdict| match verdict {
        Verdict::Taken(change) => Some(change),
        Verdict::NotTaken | Verdict::Waits | Verdict::Dropped(..) => None,
    });
    shapes_of(inbound, changes)
}

/// The same for these changes.
pub(super) fn shapes_of<'c>(
    inbound: &Inbound<'_>,
    changes: impl Iterator<Item = &'c Change>,
) -> SmallVec<[(Cuts, Shape<'static>); 1]> {
    let mut shapes = SmallVec::<[(Cuts, Shape<'static>); 1]>::new();
    for Change { cuts, .. } in changes {
        if *cuts == Cuts::default() || shapes.iter().any(|(of, _)| of == cuts) {
            continue;
        }
        let cut = Cut {
            inputs: cuts.inputs,
            payload: cuts.payload,
            frame: cuts.frame,
            ..CUT
        };
        let kept = Kept::of(inbound.packet, inbound.view, &cut);
        shapes.push((*cuts, Shape::new(Cow::Owned(kept))));
    }
    shapes
}

/// The time on the wall at `now`, where it was `zero` at moment zero.
fn wall_nanos(zero: i64, now: Moment) -> i64 {
    zero.saturating_add(nanos(now))
}

fn nanos(now: Moment) -> i64 {
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}

/// Where chance begins, another time for each evaluation; the same for equal engines.
#[derive(Debug)]
pub(super) struct Seeds(u64);

impl Seeds {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }
}
