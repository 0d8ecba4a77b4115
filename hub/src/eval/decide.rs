//! What becomes of a sample on each way from its step, decision by decision (spec 2.3).
//!
//! Owns: the order of the decisions, and what is told of each. Evaluating is `expr`'s.

use bytes::{Bytes, BytesMut};
use expr::{
    Block, Condition, Fault, Mode, PacketFields, Payload, StepFields, Surroundings, Value,
    Variables, structs,
};
use serde_json::Value as Json;

use super::sample::Sample;
use crate::story::settings::RuleAction;
use crate::story::{Constant, Located, RunInputs, Step, StepPrograms, Story, Way};

/// One decision.
#[derive(Debug)]
pub(super) struct Decision {
    /// `if of route`, `allow rule english`, `transform of t`.
    pub(super) what: String,
    /// The expression as it is written, where it is one text.
    pub(super) expression: Option<String>,
    /// What it came to.
    pub(super) result: Json,
}

/// How a way ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The packet takes it.
    Taken,
    /// It does not; why.
    NotTaken(String),
    /// An evaluation failed: the packet ends here, counted as `expression`.
    Failed(String),
}

/// A way with all that was decided on it.
#[derive(Debug)]
pub(super) struct Decided<'s> {
    pub(super) way: &'s Way,
    pub(super) decisions: Vec<Decision>,
    pub(super) outcome: Outcome,
    /// What a transform made of the payload.
    pub(super) payload: Option<Json>,
    /// The inputs that arrive, and where they come from.
    pub(super) inputs: Option<(&'static str, Json)>,
}

/// What is evaluated over.
pub(super) struct Case<'c> {
    pub(super) story: &'c Story,
    pub(super) run: &'c RunInputs,
    pub(super) sample: &'c Sample,
    pub(super) surroundings: Surroundings,
}

impl<'c> Case<'c> {
    /// Decides every way from a step: to engrams, then to `stop`s.
    pub(super) fn decide(&self, step: usize) -> Vec<Decided<'c>> {
        let ways = self.story.ways.all().filter(|way| way.from == step);
        let mut all: Vec<Decided<'c>> = ways.map(|way| self.way(way)).collect();
        let settings = self.story.steps.get(step).map(|step| &step.settings);
        let most = settings.map_or(u64::MAX, |settings| settings.routing.max_downstreams);
        let engram = |way: &Way| self.step(way.to).is_some_and(Step::is_engram);
        let taken = all
            .iter_mut()
            .filter(|at| engram(at.way) && at.outcome == Outcome::Taken);
        for beyond in taken.skip(usize::try_from(most).unwrap_or(usize::MAX)) {
            let text = format!("the packet goes to {most} steps (routing.maxDownstreams)");
            beyond.outcome = Outcome::NotTaken(text);
        }
        all
    }

    fn step(&self, at: usize) -> Option<&'c Step> {
        self.story.steps.get(at)
    }

    fn way(&self, way: &'c Way) -> Decided<'c> {
        let mut walk = Walk::new(self, way);
        let result = walk.go();
        let Walk {
            decisions,
            payload,
            is_transformed,
            ..
        } = walk;
        let (outcome, inputs) = match result {
            Ok(inputs) => (Outcome::Taken, inputs),
            Err(outcome) => (outcome, None),
        };
        Decided {
            way,
            decisions,
            outcome,
            payload: is_transformed.then(|| json_of(&payload)),
            inputs,
        }
    }
}

/// The JSON of a Struct's contents.
pub(super) fn json_of(body: &[u8]) -> Json {
    to_json(&Value::Map(structs::decode(body)))
}

fn to_json(value: &Value<'_>) -> Json {
    let style = expr::json::Style {
        indented: false,
        html_safe: false,
    };
    let mut out = Vec::new();
    match expr::json::write(value, style, &mut out) {
        Ok(()) => serde_json::from_slice(&out).unwrap_or_default(),
        Err(fault) => Json::String(fault.to_string()),
    }
}

/// A sample on its way.
struct Walk<'c, 'w> {
    case: &'w Case<'c>,
    way: &'c Way,
    /// What the packet's payload is by now.
    payload: Bytes,
    is_transformed: bool,
    /// What expressions see as `steps`: payload and inputs by id.
    steps: Vec<(String, Bytes, Bytes)>,
    decisions: Vec<Decision>,
}

/// Inputs that arrive, and where they come from; none at a `stop`.
type Arrives = Option<(&'static str, Json)>;

impl<'c, 'w> Walk<'c, 'w> {
    fn new(case: &'w Case<'c>, way: &'c Way) -> Self {
        let sample = case.sample;
        let joined = sample.steps.iter();
        let mut steps: Vec<(String, Bytes, Bytes)> = joined
            .map(|(id, body)| (id.clone(), body.clone(), Bytes::new()))
            .collect();
        if let Some(from) = case.step(way.from) {
            steps.retain(|(id, ..)| *id != from.id);
            steps.push((
                from.id.clone(),
                sample.payload.clone(),
                sample.inputs.clone(),
            ));
        }
        Self {
            case,
            way,
            payload: sample.payload.clone(),
            is_transformed: false,
            steps,
            decisions: Vec::new(),
        }
    }

    fn go(&mut self) -> Result<Arrives, Outcome> {
        let (case, way) = (self.case, self.way);
        for &at in &way.via {
            self.primitive(at)?;
        }
        let (Some(target), Some(programs)) = (case.step(way.to), self.programs(way.to)) else {
            return Ok(None);
        };
        self.condition(target, programs)?;
        if !target.is_engram() {
            return Ok(None);
        }
        self.rules()?;
        self.inputs(target, programs).map(Some)
    }

    fn programs(&self, at: usize) -> Option<&'c StepPrograms> {
        self.case.story.programs.get(at)
    }

    fn primitive(&mut self, at: usize) -> Result<(), Outcome> {
        let (Some(step), Some(programs)) = (self.case.step(at), self.programs(at)) else {
            return Ok(());
        };
        self.condition(step, programs)?;
        if let (Some(block), Some(with)) = (&programs.transform, &step.with) {
            let what = format!("transform of {}", step.id);
            let (body, json) = self.block(&what, block, (with, Mode::Runtime))?;
            self.decisions.push(Decision {
                what,
                expression: None,
                result: json,
            });
            self.payload = body;
            self.is_transformed = true;
        }
        let inputs = self.case.sample.inputs.clone();
        self.steps.retain(|(id, ..)| *id != step.id);
        self.steps
            .push((step.id.clone(), self.payload.clone(), inputs));
        Ok(())
    }

    fn condition(&mut self, step: &Step, programs: &StepPrograms) -> Result<(), Outcome> {
        let Some(condition) = &programs.condition else {
            return Ok(());
        };
        let what = format!("if of {}", step.id);
        if self.ask(&what, condition, step.condition.as_ref())? {
            return Ok(());
        }
        Err(Outcome::NotTaken(format!("{what} is false")))
    }

    /// Deny beats allow, and any allow rule makes the list an allowlist.
    fn rules(&mut self) -> Result<(), Outcome> {
        let (case, way) = (self.case, self.way);
        let (Some(source), Some(programs)) = (case.step(way.from), self.programs(way.from)) else {
            return Ok(());
        };
        let written = &source.settings.routing.rules;
        let mut is_allowed = None;
        let mut denied = None;
        for (i, rule) in programs.rules.iter().enumerate() {
            let word = match rule.action {
                RuleAction::Allow => "allow rule",
                RuleAction::Deny => "deny rule",
            };
            if rule.action == RuleAction::Allow {
                is_allowed.get_or_insert(false);
            }
            if !rule.concerns(way) {
                continue;
            }
            let name = rule.name.clone().unwrap_or_else(|| i.to_string());
            let what = format!("{word} {name}");
            let applies = match &rule.when {
                Some(when) => {
                    let when_written = written.get(i).and_then(|rule| rule.when.as_ref());
                    self.ask(&what, when, when_written)?
                }
                None => {
                    self.decisions.push(Decision {
                        what: what.clone(),
                        expression: None,
                        result: Json::Bool(true),
                    });
                    true
                }
            };
            match rule.action {
                RuleAction::Deny if applies => denied = denied.or(Some(what)),
                RuleAction::Allow if applies => is_allowed = Some(true),
                RuleAction::Deny | RuleAction::Allow => {}
            }
        }
        match (denied, is_allowed) {
            (Some(what), _) => Err(Outcome::NotTaken(format!("{what} is true"))),
            (None, Some(false)) => Err(Outcome::NotTaken("no allow rule is true".to_owned())),
            (None, _) => Ok(()),
        }
    }

    fn inputs(
        &mut self,
        target: &Step,
        programs: &StepPrograms,
    ) -> Result<(&'static str, Json), Outcome> {
        if let (Some(block), Some(runtime)) = (&programs.runtime, &target.runtime) {
            let what = format!("runtime of {}", target.id);
            let (_, json) = self.block(&what, block, (runtime, Mode::Runtime))?;
            return Ok(("from runtime", json));
        }
        let once = self.case.run.with.get(self.way.to);
        Ok(match once.and_then(Option::as_ref) {
            Some(Constant { json, .. }) => {
                let json = serde_json::from_slice(json).unwrap_or_default();
                let from = match target.runtime {
                    Some(_) => "from runtime, the same for every packet",
                    None => "from with, the same for every packet of the run",
                };
                (from, json)
            }
            None => ("as they came", json_of(&self.case.sample.inputs)),
        })
    }

    /// Asks a condition, and notes the answer.
    fn ask(
        &mut self,
        what: &str,
        condition: &Condition,
        written: Option<&Located>,
    ) -> Result<bool, Outcome> {
        let surroundings = self.case.surroundings;
        let answer = self.over(|variables| condition.evaluate(variables, &surroundings));
        let expression = written.map(|written| match written.json() {
            Json::String(text) => text,
            other => other.to_string(),
        });
        match answer {
            Ok(answer) => {
                self.decisions.push(Decision {
                    what: what.to_owned(),
                    expression,
                    result: Json::Bool(answer),
                });
                Ok(answer)
            }
            Err(fault) => {
                let place = written.map(|written| written.place.to_string());
                Err(faulty(what, &fault, place))
            }
        }
    }

    /// Evaluates a block to an object, in both forms.
    fn block(
        &self,
        what: &str,
        block: &Block,
        (written, mode): (&Located, Mode),
    ) -> Result<(Bytes, Json), Outcome> {
        let surroundings = self.case.surroundings;
        self.over(|variables| {
            let mut body = BytesMut::new();
            let made = block
                .evaluate(variables, &surroundings)
                .and_then(|value| structs::encode(&value, &mut body));
            made.map_err(|fault| {
                let story = self.case.story;
                let place = story.failing(written, mode, (variables, &surroundings));
                faulty(what, &fault, Some(place.to_string()))
            })?;
            let body = body.freeze();
            let json = json_of(&body);
            Ok((body, json))
        })
    }

    /// Lends the variables as they are by now.
    fn over<T>(&self, evaluate: impl FnOnce(&Variables<'_>) -> T) -> T {
        let sample = self.case.sample;
        let payload = Payload::Struct(&self.payload);
        let packet = PacketFields::new(&sample.view, &sample.bytes, &payload);
        let steps = self.steps.iter().map(|(id, payload, inputs)| {
            let fields = StepFields::new(&Payload::Struct(payload), &Payload::Struct(inputs));
            (id.as_str(), fields)
        });
        let inputs = structs::decode(&self.case.run.body);
        evaluate(&Variables::new(inputs, packet, steps.collect()))
    }
}

fn faulty(what: &str, fault: &Fault, place: Option<String>) -> Outcome {
    match fault {
        Fault::NotReady { .. } => Outcome::NotTaken(format!("{what}: {fault}")),
        _ => {
            let place = place.map_or_else(String::new, |place| format!(" ({place})"));
            Outcome::Failed(format!("{what}: {fault}{place}"))
        }
    }
}
