//! What follows from packets that are done with: accounts, producers that hear of it, and who may
//! go on.

use smallvec::SmallVec;

use super::{Actions, DeadLetter, Engine, Event, Run};
use crate::account::DropReason;
use crate::deliver::{Hears, Origin, Outbox, Outcome};
use crate::ids::{ConnId, Moment, RunId, StepIndex};
use crate::mutant::{self, Mutant};

impl Engine {
    /// Counts what is settled, frees what it took, tells its producers and lets who waited go on.
    pub(super) fn close_accounts(&mut self, run: RunId, now: Moment, actions: &mut Actions) {
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let mut producers = SmallVec::<[u16; 4]>::new();
        for settled in self.settled.drain(..) {
            self.queued_bytes -= settled.bytes;
            self.staged_bytes -= settled.staged;
            let edge = &mut live.edges[settled.edge as usize];
            let to = edge.to;
            match settled.outcome {
                Outcome::Delivered => edge.counts.delivered += 1,
                Outcome::Dropped(reason) => {
                    edge.counts.drop_one(reason);
                    if mutant::is(Mutant::CountDropTwice) && reason == DropReason::Interrupted {
                        edge.counts.drop_one(reason);
                    }
                    let is_kept = matches!(live.sessions[to.at()].outbox, Outbox::Log(_));
                    let is_ordinary =
                        matches!(reason, DropReason::Interrupted | DropReason::Evicted);
                    if is_kept && !is_ordinary {
                        self.dead_letters.push(DeadLetter {
                            edge: settled.edge,
                            reason,
                            sequence: settled.sequence,
                        });
                    }
                }
                Outcome::Absorbed => {}
            }
            // An empty log takes a packet even when the budget is spent.
            if let Outbox::Log(log) = &mut live.sessions[to.at()].outbox
                && (log.resumes() || self.budget_blocks && log.is_empty())
            {
                live.resume_upstream(to, now, actions);
            }
            let mut settle = |origin: Origin| {
                let session = &mut live.sessions[usize::from(origin.step)];
                if let Some(producer) = session.producer_at(origin.producer) {
                    producer.settle(origin.number, now);
                }
                if producers.last() != Some(&origin.step) {
                    producers.push(origin.step);
                }
            };
            match settled.hears {
                None => {}
                Some(Hears::One(origin)) => settle(origin),
                Some(Hears::All(list)) => live.origins.take(list).into_iter().for_each(settle),
            }
        }
        for letter in self.dead_letters.drain(..) {
            if self.letters_left == 0 {
                live.keep_letter(&letter);
                continue;
            }
            self.letters_left -= 1;
            actions.events.push(live.dead_lettered(&letter));
        }
        for step in producers {
            self.look_after(run, StepIndex(step), now, actions);
        }
        self.unblock_budget(now, actions);
    }

    /// Whether `conn` may still hear something of what it has numbered (spec 2.4 rule 5).
    pub fn owes_acks(&self, conn: ConnId) -> bool {
        let session = self.owner(conn).and_then(|(run, step)| {
            let live = self.runs.get(run.0 as usize)?;
            live.sessions.get(step.at())
        });
        let producer = session.and_then(|session| session.producer());
        producer.is_some_and(|producer| !producer.knows_all())
    }

    /// Lets those go on who wait for the budget of all queues, once an eighth of it is free: let go
    /// for each packet that leaves, they would fill the room at once and wait again.
    pub(super) fn unblock_budget(&mut self, now: Moment, actions: &mut Actions) {
        let budget = self.limits.queue_budget_bytes;
        if !self.budget_blocks || self.queued_bytes > budget - budget / 8 {
            return;
        }
        self.budget_blocks = false;
        for session in self.runs.iter_mut().flat_map(|run| &mut run.sessions) {
            if session.waits_for_budget() {
                session.go_on(now);
                actions.resume.extend(session.owner);
            }
        }
    }
}

impl Run {
    /// Asks the producers that feed `to` to hold back, where they act on that.
    pub(super) fn hold_upstream(&mut self, to: StepIndex, now: Moment, actions: &mut Actions) {
        for nth in 0..self.upstream[to.at()].len() {
            let from = self.upstream[to.at()][nth];
            self.signal(from, now, actions);
        }
    }

    /// Lets the producers that feed `to` go on.
    pub(super) fn resume_upstream(&mut self, to: StepIndex, now: Moment, actions: &mut Actions) {
        for nth in 0..self.upstream[to.at()].len() {
            let from = self.upstream[to.at()][nth];
            let session = &mut self.sessions[from.at()];
            let waits_for = session.stalled.map(|edge| self.edges[edge as usize].to);
            if waits_for == Some(to) {
                session.go_on(now);
                actions.resume.extend(session.owner);
            }
            self.signal(from, now, actions);
        }
    }

    /// Tells `from` to hold back while any of its targets is full, and when none is any more.
    fn signal(&mut self, from: StepIndex, now: Moment, actions: &mut Actions) {
        let holds = self.downstream[from.at()].iter().any(|&at| {
            let to = self.edges[at as usize].to;
            matches!(&self.sessions[to.at()].outbox, Outbox::Log(log) if log.is_paused())
        });
        let session = &mut self.sessions[from.at()];
        if !session.accepts.pause || session.hold.0 == holds {
            return;
        }
        let idle = session.is_idle(now);
        session.hold.0 = holds;
        if let Some(owner) = session.owner
            && idle
            && !session.is_idle(now)
        {
            actions.wake.push(owner);
        }
        if holds {
            self.note_pauses(from);
        }
    }

    /// What a connection that has just come should know of its targets.
    pub(super) fn signal_newcomer(&mut self, step: StepIndex, now: Moment, actions: &mut Actions) {
        self.signal(step, now, actions);
    }

    fn dead_lettered(&self, letter: &DeadLetter) -> Event {
        let at = letter.edge as usize;
        Event::DeadLettered {
            edge: self.edge_name(at),
            reason: letter.reason,
            stream_id: self.edges[at].stamp.stream_id().into(),
            sequence: letter.sequence,
        }
    }
}
