//! What `hub eval` prints.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::decide::{Decided, Outcome};
use crate::story::{Run, Step, Story, Way};

/// Everything that was decided for a packet of one step.
pub(super) struct Shown<'s> {
    pub(super) run: &'s Run,
    pub(super) step: &'s Step,
    pub(super) decided: Vec<Decided<'s>>,
    /// The limit of the contract that the sample breaks.
    pub(super) violation: Option<String>,
}

impl Shown<'_> {
    fn story(&self) -> &Story {
        &self.run.story
    }

    fn id(&self, at: usize) -> &str {
        self.story().steps.get(at).map_or("?", |step| &step.id)
    }

    fn via(&self, way: &Way) -> Vec<&str> {
        way.via.iter().map(|at| self.id(*at)).collect()
    }

    fn is_stop(&self, way: &Way) -> bool {
        !self.story().steps.get(way.to).is_some_and(Step::is_engram)
    }

    /// Other steps that a packet is joined with at its target.
    fn joined(&self, way: &Way) -> Vec<&str> {
        let target = self.story().steps.get(way.to);
        let needs = target
            .filter(|step| step.is_engram())
            .map(|step| &step.needs);
        let others = needs.into_iter().flatten().enumerate();
        others
            .filter(|(branch, _)| *branch != way.branch)
            .map(|(_, need)| self.id(*need))
            .collect()
    }

    /// Lines for people.
    pub(super) fn human(&self, out: &mut impl Write) -> io::Result<()> {
        let Run {
            namespace, name, ..
        } = self.run;
        writeln!(out, "packet of {} in run {namespace}/{name}", self.step.id)?;
        if let Some(violation) = &self.violation {
            writeln!(
                out,
                "note: the hub drops such a packet at the door: {violation}"
            )?;
        }
        if self.decided.is_empty() {
            writeln!(out, "no step is downstream of {}", self.step.id)?;
        }
        for decided in &self.decided {
            self.way(decided, out)?;
        }
        Ok(())
    }

    fn way(&self, decided: &Decided<'_>, out: &mut impl Write) -> io::Result<()> {
        let way = decided.way;
        let via = self.via(way);
        let through = if via.is_empty() {
            String::new()
        } else {
            format!(" (through {})", via.join(", "))
        };
        writeln!(out, "{} -> {}{through}", self.step.id, self.id(way.to))?;
        for decision in &decided.decisions {
            write!(out, "  {}: {}", decision.what, decision.result)?;
            match &decision.expression {
                Some(expression) => writeln!(out, "  {expression}")?,
                None => writeln!(out)?,
            }
        }
        let joined = self.joined(way);
        if !joined.is_empty() {
            writeln!(
                out,
                "  joins: {} (what they gave may stand under \"steps\" in the sample)",
                joined.join(", ")
            )?;
        }
        if let Some(payload) = &decided.payload {
            writeln!(out, "  payload: {payload}")?;
        }
        if let Some((from, inputs)) = &decided.inputs {
            writeln!(out, "  inputs {from}: {inputs}")?;
        }
        match &decided.outcome {
            Outcome::Taken if self.is_stop(way) => writeln!(out, "  taken: the run ends"),
            Outcome::Taken => writeln!(out, "  taken"),
            Outcome::NotTaken(why) => writeln!(out, "  not taken: {why}"),
            Outcome::Failed(why) => writeln!(out, "  fails: {why}"),
        }
    }

    /// The same as one JSON document.
    pub(super) fn json(&self) -> Value {
        let ways = self.decided.iter().map(|decided| self.way_json(decided));
        json!({
            "run": format!("{}/{}", self.run.namespace, self.run.name),
            "story": format!("{}/{}", self.story().namespace, self.story().name),
            "step": self.step.id,
            "violation": self.violation,
            "edges": ways.collect::<Vec<_>>(),
        })
    }

    fn way_json(&self, decided: &Decided<'_>) -> Value {
        let decisions = decided.decisions.iter().map(|decision| {
            json!({
                "what": decision.what,
                "expression": decision.expression,
                "result": decision.result,
            })
        });
        let (outcome, why) = match &decided.outcome {
            Outcome::Taken => ("taken", None),
            Outcome::NotTaken(why) => ("notTaken", Some(why)),
            Outcome::Failed(why) => ("failed", Some(why)),
        };
        json!({
            "from": self.step.id,
            "via": self.via(decided.way),
            "to": self.id(decided.way.to),
            "stop": self.is_stop(decided.way),
            "joins": self.joined(decided.way),
            "decisions": decisions.collect::<Vec<_>>(),
            "outcome": outcome,
            "why": why,
            "payload": decided.payload,
            "inputs": decided.inputs.as_ref().map(|(_, inputs)| inputs),
            "inputsFrom": decided.inputs.as_ref().map(|(from, _)| from),
        })
    }
}
