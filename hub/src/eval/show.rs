//! What `hub eval` prints.

use std::io::{self, Write};

use engine::DropReason;
use serde_json::{Value, json};

use super::decide::{Decided, Fate};
use super::trace::Outcome;
use crate::story::{Run, Step, Story, Way};

/// Everything that was decided for a packet of one step.
pub(super) struct Shown<'s> {
    pub(super) run: &'s Run,
    pub(super) step: &'s Step,
    pub(super) fate: Fate<'s>,
    /// The limit of the contract that the sample breaks.
    pub(super) violation: Option<String>,
    /// What the hub does with the sample before, or instead of, deciding on it.
    pub(super) notes: Vec<String>,
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

    /// Lines for people.
    pub(super) fn human(&self, out: &mut impl Write) -> io::Result<()> {
        let Run {
            namespace, name, ..
        } = self.run;
        writeln!(out, "packet of {} in run {namespace}/{name}", self.step.id)?;
        for note in &self.notes {
            writeln!(out, "note: {note}")?;
        }
        if self.fate.ways.is_empty() {
            writeln!(out, "no step is downstream of {}", self.step.id)?;
        }
        for decided in &self.fate.ways {
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
            match (&decision.expression, &decision.result) {
                (Some(expression), result) => {
                    writeln!(out, "  {}: {result}  {expression}", decision.what)?;
                }
                // A verdict in words: no value, which would be quoted.
                (None, Value::String(verdict)) => {
                    writeln!(out, "  {}: {verdict}", decision.what)?;
                }
                (None, result) => writeln!(out, "  {}: {result}", decision.what)?,
            }
        }
        if !decided.joins.is_empty() {
            write!(out, "  joins: {}", decided.joins.join(", "))?;
            match &decided.join_note {
                Some(note) => writeln!(out, " ({note})")?,
                None => writeln!(out)?,
            }
        }
        if let Some(payload) = &decided.arrives.payload {
            writeln!(out, "  payload: {payload}")?;
        }
        if let Some((from, inputs)) = &decided.arrives.inputs {
            writeln!(out, "  inputs {from}: {inputs}")?;
        }
        if let Some(partition) = &decided.arrives.partition {
            writeln!(out, "  partition: {partition}")?;
        }
        match &decided.outcome {
            Outcome::Taken if self.is_stop(way) => writeln!(out, "  taken: the run ends"),
            Outcome::Taken => writeln!(out, "  taken"),
            Outcome::NotTaken(why) => writeln!(out, "  not taken: {why}"),
            Outcome::Waits(why) => writeln!(out, "  waits: {why}"),
            Outcome::Dropped(DropReason::Expression, why) => writeln!(out, "  fails: {why}"),
            Outcome::Dropped(reason, why) => {
                writeln!(out, "  dropped as {}: {why}", reason.as_str())
            }
        }
    }

    /// The same as one JSON document.
    pub(super) fn json(&self) -> Value {
        let ways = self.fate.ways.iter().map(|decided| self.way_json(decided));
        json!({
            "run": format!("{}/{}", self.run.namespace, self.run.name),
            "story": format!("{}/{}", self.story().namespace, self.story().name),
            "step": self.step.id,
            "violation": self.violation,
            "notes": self.notes,
            "stops": self.fate.stops,
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
            Outcome::Waits(why) => ("waits", Some(why)),
            Outcome::Dropped(DropReason::Expression, why) => ("failed", Some(why)),
            Outcome::Dropped(_, why) => ("dropped", Some(why)),
        };
        let reason = match &decided.outcome {
            Outcome::Dropped(reason, _) => Some(reason.as_str()),
            _ => None,
        };
        let arrives = &decided.arrives;
        json!({
            "from": self.step.id,
            "via": self.via(decided.way),
            "to": self.id(decided.way.to),
            "stop": self.is_stop(decided.way),
            "joins": decided.joins,
            "joinNote": decided.join_note,
            "decisions": decisions.collect::<Vec<_>>(),
            "outcome": outcome,
            "why": why,
            "reason": reason,
            "payload": arrives.payload,
            "inputs": arrives.inputs.as_ref().map(|(_, inputs)| inputs),
            "inputsFrom": arrives.inputs.as_ref().map(|(from, _)| from),
            "partition": arrives.partition,
        })
    }
}
