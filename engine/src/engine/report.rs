//! What is told once in a while rather than at each packet: drops by edge and reason, dead letters
//! past the first few, producers that wait, steps that are away.
//!
//! Owns, for each edge, what of its counters has been told. Costs time in proportion to the edges,
//! never to the packets.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::{EdgeName, RunName};
use super::{Actions, DeadLetter, Engine, Event, Run};
use crate::account::{DropReason, EdgeCounts};
use crate::ids::{Moment, StepIndex};

/// How long an edge is left alone once its drops, or its pauses that are over already, were told.
const QUIET: Duration = Duration::from_secs(10);
/// Most events of one report; what is left out is told by a later one.
const MOST: usize = 256;
/// Dead letters that are told one by one between two reports.
pub(super) const LETTERS: u32 = 20;

/// What people have been told of an edge.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The counts as they were told last.
    counts: EdgeCounts,
    /// Drops are not told again before.
    drops_quiet_until: Moment,
    /// What was wrong with the first packet that ended on its way since.
    pub(super) example: Option<(DropReason, Box<str>)>,
    /// Dead letters that were not told one by one.
    letters: BTreeMap<DropReason, u64>,
    /// Whether its producer is known to wait.
    paused: bool,
    /// Times that its producer began to wait, not told yet.
    pub(super) pauses: u64,
    /// Pauses that are over already are not told again before.
    pauses_quiet_until: Moment,
}

impl Engine {
    /// Tells what has changed since the last call: [`Event::DeadLetters`], [`Event::Dropped`] at most
    /// once in 10 s an edge, [`Event::Paused`] and [`Event::Resumed`] as they stand now, [`Event::RunDegraded`]. The shell calls it
    /// about once a second, and before it stops.
    pub fn report(&mut self, now: Moment, actions: &mut Actions) {
        self.letters_left = LETTERS;
        let runs = self.runs.len();
        let most = actions.events.len() + MOST;
        for nth in 0..runs {
            // Where the last report had to stop comes first.
            let at = (self.report_from + nth) % runs;
            // Once the hub drains, everybody goes.
            if !self.draining {
                self.runs[at].report_missed(now, actions);
            }
            self.runs[at].report(now, actions);
            if actions.events.len() >= most {
                self.report_from = at + 1;
                return;
            }
        }
    }
}

impl Run {
    fn report(&mut self, now: Moment, actions: &mut Actions) {
        for at in 0..self.edges.len() {
            self.report_letters(at, actions);
            self.report_drops(at, now, actions);
            self.report_pauses(at, now, actions);
        }
    }

    /// Tells of steps that have been away for too long.
    fn report_missed(&mut self, now: Moment, actions: &mut Actions) {
        for at in 0..self.sessions.len() {
            let session = &mut self.sessions[at];
            let away = now.since(session.absent_since);
            if session.is_missed && away >= self.plan.steps[at].degraded_after {
                session.is_missed = false;
                let (run, step) = (self.name(), self.plan.steps[at].id.clone());
                let event = Event::RunDegraded { run, step, away };
                actions.events.push(event);
            }
        }
    }

    fn report_letters(&mut self, at: usize, actions: &mut Actions) {
        for (reason, packets) in std::mem::take(&mut self.told[at].letters) {
            let edge = self.edge_name(at);
            actions.events.push(Event::DeadLetters {
                edge,
                reason,
                packets,
            });
        }
    }

    /// Takes note of a dead letter that is told later, with its like.
    pub(super) fn keep_letter(&mut self, letter: &DeadLetter) {
        let letters = &mut self.told[letter.edge as usize].letters;
        *letters.entry(letter.reason).or_default() += 1;
    }

    fn report_drops(&mut self, at: usize, now: Moment, actions: &mut Actions) {
        let (counts, told) = (&self.edges[at].counts, &self.told[at]);
        if now < told.drops_quiet_until || counts.dropped_total() == told.counts.dropped_total() {
            return;
        }
        let edge = self.edge_name(at);
        for reason in DropReason::ALL {
            let packets = counts.dropped(reason) - told.counts.dropped(reason);
            if packets > 0 {
                let example = told.example.as_ref();
                let example = example.filter(|(of, _)| *of == reason);
                actions.events.push(Event::Dropped {
                    edge: edge.clone(),
                    reason,
                    packets,
                    example: example.map(|(_, text)| text.clone()),
                });
            }
        }
        let counts = counts.clone();
        let told = &mut self.told[at];
        told.example = None;
        told.counts = counts;
        told.drops_quiet_until = now.after(QUIET);
    }

    fn report_pauses(&mut self, at: usize, now: Moment, actions: &mut Actions) {
        let plan = &self.plan.edges[at];
        let waits = self.waits(plan.from, plan.to);
        let told = &self.told[at];
        let brief = !waits && !told.paused && told.pauses > 0;
        if waits == told.paused && (!brief || now < told.pauses_quiet_until) {
            return;
        }
        let edge = self.edge_name(at);
        if waits || brief {
            actions.events.push(Event::Paused(edge.clone()));
        }
        let told = &mut self.told[at];
        if !waits {
            let pauses = told.pauses.max(1);
            actions.events.push(Event::Resumed { edge, pauses });
            told.pauses = 0;
            told.pauses_quiet_until = now.after(QUIET);
        }
        told.paused = waits;
    }

    /// Takes note that `from` begins to wait for those of its targets that are full.
    pub(super) fn note_pauses(&mut self, from: StepIndex) {
        for nth in 0..self.downstream[from.at()].len() {
            let at = self.downstream[from.at()][nth] as usize;
            if self.waits(from, self.edges[at].to) {
                self.told[at].pauses += 1;
            }
        }
    }

    /// Whether every engram step is connected for the first time.
    pub(super) fn becomes_ready(&mut self) -> bool {
        if self.ready {
            return false;
        }
        let mut steps = (0u16..).map(StepIndex).zip(&self.sessions);
        self.ready = steps.all(|(step, session)| session.owner.is_some() || !self.is_engram(step));
        self.ready
    }

    pub(super) fn name(&self) -> RunName {
        RunName {
            story: self.plan.story.clone(),
            namespace: self.plan.namespace.clone(),
            run: self.plan.name.clone(),
        }
    }

    pub(super) fn edge_name(&self, at: usize) -> EdgeName {
        let plan = &self.plan.edges[at];
        EdgeName {
            run: self.name(),
            from: self.plan.steps[plan.from.at()].id.clone(),
            to: self.plan.steps[plan.to.at()].id.clone(),
        }
    }
}
