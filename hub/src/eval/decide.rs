//! What becomes of a sample on each way from its step: what the engine decides, with the questions
//! that led to it.
//!
//! Owns: that what is shown is what the hub does, for the plan is made as `hub run` makes it, and the
//! verdict, the inputs, the payload and the partition are the engine's own.

use engine::decide::{
    Change, Decided as Verdicts, Meeting, Question, StepPrograms, Verdict, documents,
};
use engine::route::RunPlan;
use engine::{DropReason, StepIndex};
use serde_json::Value as Json;
use transport_proto::view::{Dialect, PacketView};

use super::joining::{Joining, joining};
use super::schemas::json_of;
use super::trace::{Case, Decision, Outcome, Trace};
use crate::story::Way;

/// A way with all that was decided on it.
pub(super) struct Decided<'s> {
    pub(super) way: &'s Way,
    pub(super) decisions: Vec<Decision>,
    pub(super) outcome: Outcome,
    /// The other branches of the join that it ends in, and why the sample waits or passes it by.
    pub(super) joins: Vec<&'s str>,
    pub(super) join_note: Option<String>,
    /// What the packet arrives with, if it does.
    pub(super) arrives: Arrives,
    /// How the questions alone would have it end.
    #[cfg(test)]
    pub(super) traced: Outcome,
}

/// A packet as its target gets it.
#[derive(Debug, Default)]
pub(super) struct Arrives {
    /// The payload, if it is another.
    pub(super) payload: Option<Json>,
    /// The inputs, and where they come from.
    pub(super) inputs: Option<(&'static str, Json)>,
    /// The partition that the packet gets.
    pub(super) partition: Option<String>,
}

/// What became of a sample.
pub(super) struct Fate<'s> {
    pub(super) ways: Vec<Decided<'s>>,
    /// Whether it ends the run.
    pub(super) stops: bool,
}

impl<'c> Case<'c> {
    /// Decides every way from a step: to engrams, then to `stop`s.
    pub(super) fn decide(&self, plan: &RunPlan, step: usize) -> Fate<'c> {
        let of_step = |way: &&Way| way.from == step;
        let edges: Vec<&'c Way> = self.story.ways.edges.iter().filter(of_step).collect();
        let stops = self.story.ways.stops.iter().filter(of_step);
        let joinings: Vec<Option<Joining<'c>>> = edges
            .iter()
            .map(|way| joining((self.story, plan), way, self.sample))
            .collect();
        let meet = |joining: &Option<Joining<'_>>| {
            let meeting = joining.as_ref().map(|joining| joining.meeting.clone());
            meeting.unwrap_or_default()
        };
        let meetings: Vec<Meeting> = joinings.iter().map(meet).collect();
        let verdicts = self.verdicts(plan, (step, edges.len()), &meetings);
        let emitted = self.emitted(step);
        let mut ways = Vec::new();
        for (nth, (way, joining)) in edges.into_iter().zip(joinings).enumerate() {
            let meeting = meetings.get(nth).unwrap_or(&Meeting::None);
            let why = joining.as_ref().and_then(|joining| joining.why.as_deref());
            let trace = self.trace(way, &emitted, (meeting, why));
            let verdict = verdicts.edges.get(nth).unwrap_or(&Verdict::NotTaken);
            ways.push(self.decided((way, plan), trace, (verdict, joining)));
        }
        ways.extend(stops.map(|way| {
            let trace = self.trace(way, &emitted, (&Meeting::None, None));
            Decided::traced(way, trace)
        }));
        Fate {
            ways,
            stops: verdicts.stops,
        }
    }

    /// What the engine decides.
    fn verdicts(
        &self,
        plan: &RunPlan,
        (step, edges): (usize, usize),
        meetings: &[Meeting],
    ) -> Verdicts {
        let question = Question {
            packet: &self.sample.bytes,
            view: &self.sample.view,
            meetings,
            surroundings: &self.surroundings,
        };
        let index = StepIndex(u16::try_from(step).unwrap_or(u16::MAX));
        match StepPrograms::of(plan, index) {
            Some(programs) => programs.decide(&question),
            // Nothing is asked: it goes as it is to as many as it may go to.
            None => {
                let most = plan.steps.get(step).map_or(0, |step| step.max_downstreams);
                let verdict = |nth| {
                    if nth < most {
                        Verdict::Taken(Change::default())
                    } else {
                        Verdict::Dropped(DropReason::MaxDownstreams, Box::default())
                    }
                };
                Verdicts::of((0..edges).map(verdict))
            }
        }
    }

    /// What the engine decides, in the words of the trace where both agree.
    fn decided(
        &self,
        (way, plan): (&'c Way, &RunPlan),
        trace: Trace,
        (verdict, joining): (&Verdict, Option<Joining<'c>>),
    ) -> Decided<'c> {
        let outcome = match verdict {
            Verdict::Taken(_) => Outcome::Taken,
            Verdict::NotTaken => Outcome::NotTaken("the hub does not take it".to_owned()),
            Verdict::Waits => Outcome::Waits("the hub lets it wait".to_owned()),
            Verdict::Dropped(DropReason::MaxDownstreams, _) => {
                let most = plan
                    .steps
                    .get(way.from)
                    .map_or(0, |step| step.max_downstreams);
                let text = format!("the packet goes to {most} steps (routing.maxDownstreams)");
                Outcome::Dropped(DropReason::MaxDownstreams, text)
            }
            Verdict::Dropped(reason, why) => Outcome::Dropped(*reason, why.to_string()),
        };
        let arrives = match verdict {
            Verdict::Taken(change) => self.arrives(change, trace.inputs_from),
            _ => Arrives::default(),
        };
        let mut decided = Decided::traced(way, trace);
        if !outcome.agrees(&decided.outcome) {
            decided.outcome = outcome;
        }
        if let Some(joining) = joining {
            decided.joins = joining.others;
            let says_so = matches!(decided.outcome, Outcome::Waits(_));
            decided.join_note = joining.why.filter(|_| !says_so);
        }
        Decided { arrives, ..decided }
    }

    /// The sample with a change.
    fn arrives(&self, change: &Change, from: Option<&'static str>) -> Arrives {
        let sample = self.sample;
        let changed = change.applied(&sample.bytes, &sample.view).freeze();
        let (payload, inputs) = match PacketView::parse(&changed, Dialect::Packet) {
            Ok(view) => documents(&changed, &view),
            Err(_) => (None, None),
        };
        let json = |body: Option<bytes::Bytes>| json_of(body.as_deref().unwrap_or_default());
        Arrives {
            payload: change.replaces_payload().then(|| json(payload)),
            inputs: Some((from.unwrap_or("as they came"), json(inputs))),
            partition: change.partition().map(str::to_owned),
        }
    }
}

impl<'s> Decided<'s> {
    fn traced(way: &'s Way, trace: Trace) -> Self {
        Self {
            way,
            decisions: trace.decisions,
            #[cfg(test)]
            traced: trace.outcome.clone(),
            outcome: trace.outcome,
            joins: Vec::new(),
            join_note: None,
            arrives: Arrives::default(),
        }
    }
}
