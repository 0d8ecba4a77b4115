//! What is asked of a sample on one way, question by question, in the order of spec 2.3.
//!
//! Owns: what is told of each question. What becomes of the packet is the engine's to say; this says
//! why.

use bytes::{Bytes, BytesMut};
use engine::DropReason;
use engine::decide::Meeting;
use expr::{
    Block, Condition, Fault, Mode, PacketFields, Payload, StepFields, Surroundings, Variables,
    structs,
};
use serde_json::Value as Json;

use super::known;
use super::sample::Sample;
use super::schemas::{Emitted, given, json_of};
use crate::story::settings::RuleAction;
use crate::story::{Constant, Located, RuleProgram, RunInputs, Step, StepPrograms, Story, Way};

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    /// `if of route`, `allow rule english`, `transform of t`.
    pub(super) what: String,
    /// The expression as it is written, where it is one text.
    pub(super) expression: Option<String>,
    /// What it came to.
    pub(super) result: Json,
}

/// How a way ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The packet takes it.
    Taken,
    /// It does not; why.
    NotTaken(String),
    /// It waits for those that it is joined with.
    Waits(String),
    /// The packet ends here, counted so.
    Dropped(DropReason, String),
}

impl Outcome {
    /// Whether both say the same of the packet, in whatever words.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dropped(one, _), Self::Dropped(two, _)) => one == two,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// What is evaluated over.
pub(super) struct Case<'c> {
    pub(super) story: &'c Story,
    pub(super) run: &'c RunInputs,
    pub(super) sample: &'c Sample,
    pub(super) surroundings: Surroundings,
}

/// All that was asked on one way.
pub(super) struct Trace {
    pub(super) decisions: Vec<Decision>,
    pub(super) outcome: Outcome,
    /// Where the inputs that arrive come from.
    pub(super) inputs_from: Option<&'static str>,
}

impl<'c> Case<'c> {
    pub(super) fn step(&self, at: usize) -> Option<&'c Step> {
        self.story.steps.get(at)
    }

    /// Asks everything of a packet that a step emitted, on a way at whose end it meets others.
    pub(super) fn trace(
        &self,
        way: &'c Way,
        emitted: &Result<Emitted, Outcome>,
        (meeting, why): (&Meeting, Option<&str>),
    ) -> Trace {
        let emitted = match emitted {
            Ok(emitted) => emitted,
            Err(outcome) => return Trace::of(Vec::new(), Err(outcome.clone())),
        };
        if let Some(never) = known::never(self.story, way) {
            return Trace::of(Vec::new(), Err(Outcome::NotTaken(never)));
        }
        let mut walk = Walk::new(self, way, emitted);
        let ended = walk.go((meeting, why));
        Trace::of(walk.decisions, ended)
    }
}

impl Trace {
    fn of(decisions: Vec<Decision>, ended: Result<Arrives, Outcome>) -> Self {
        let (outcome, inputs_from) = match ended {
            Ok(from) => (Outcome::Taken, from),
            Err(outcome) => (outcome, None),
        };
        Self {
            decisions,
            outcome,
            inputs_from,
        }
    }
}

/// A sample on its way.
struct Walk<'c, 'w> {
    case: &'w Case<'c>,
    way: &'c Way,
    /// What the packet's payload is by now.
    payload: Option<Bytes>,
    /// What expressions see as `steps`, by id; the first of an id counts.
    steps: Vec<(String, Given)>,
    decisions: Vec<Decision>,
}

/// What a step gave: payload and inputs.
type Given = (Option<Bytes>, Option<Bytes>);

/// Where the inputs that arrive come from; none at a `stop`.
type Arrives = Option<&'static str>;

impl<'c, 'w> Walk<'c, 'w> {
    fn new(case: &'w Case<'c>, way: &'c Way, emitted: &Emitted) -> Self {
        let own = (emitted.payload.clone(), case.sample.inputs.clone());
        let from = case.step(way.from).map(|from| (from.id.clone(), own));
        Self {
            case,
            way,
            payload: emitted.payload.clone(),
            steps: from.into_iter().collect(),
            decisions: emitted.decisions.clone(),
        }
    }

    fn go(&mut self, (meeting, why): (&Meeting, Option<&str>)) -> Result<Arrives, Outcome> {
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
        match meeting {
            Meeting::None => {}
            Meeting::Wait => return Err(Outcome::Waits(why.unwrap_or_default().to_owned())),
            Meeting::Absorbed => {
                return Err(Outcome::NotTaken("joined without it".to_owned()));
            }
            Meeting::Fire(others) => self.steps.extend(others.iter().map(|other| {
                let (payload, inputs) = other.documents();
                (other.from().to_owned(), (payload, inputs))
            })),
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
            self.tell(what, json);
            self.payload = Some(body);
        }
        let given = (self.payload.clone(), None);
        self.steps.push((step.id.clone(), given));
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

    fn tell(&mut self, what: String, result: Json) {
        self.decisions.push(Decision {
            what,
            expression: None,
            result,
        });
    }

    /// Deny beats allow, and any allow rule makes the list an allowlist. What is settled by one
    /// rule is not asked of the next.
    fn rules(&mut self) -> Result<(), Outcome> {
        let Some(programs) = self.programs(self.way.from) else {
            return Ok(());
        };
        let of = |action: RuleAction| {
            let rules = programs.rules.iter().enumerate();
            rules.filter(move |(_, rule)| rule.action == action)
        };
        for (i, rule) in of(RuleAction::Deny) {
            if self.applies(i, rule)? == Some(true) {
                let what = named(i, rule);
                return Err(Outcome::NotTaken(format!("{what} is true")));
            }
        }
        if of(RuleAction::Allow).next().is_none() {
            return Ok(());
        }
        let unconditional = |rule: &RuleProgram| rule.when.is_none() && rule.concerns(self.way);
        let settles = of(RuleAction::Allow).find(|(_, rule)| unconditional(rule));
        if let Some((i, rule)) = settles {
            self.tell(named(i, rule), Json::Bool(true));
            return Ok(());
        }
        for (i, rule) in of(RuleAction::Allow) {
            if self.applies(i, rule)? == Some(true) {
                return Ok(());
            }
        }
        Err(Outcome::NotTaken("no allow rule is true".to_owned()))
    }

    /// Whether a rule holds; `None` where it does not concern this way.
    fn applies(&mut self, i: usize, rule: &RuleProgram) -> Result<Option<bool>, Outcome> {
        if !rule.concerns(self.way) {
            return Ok(None);
        }
        let what = named(i, rule);
        let Some(when) = &rule.when else {
            self.tell(what, Json::Bool(true));
            return Ok(Some(true));
        };
        let source = self.case.step(self.way.from);
        let written = source.and_then(|from| from.settings.routing.rules.get(i)?.when.as_ref());
        self.ask(&what, when, written).map(Some)
    }

    fn inputs(&mut self, target: &Step, programs: &StepPrograms) -> Result<&'static str, Outcome> {
        let case = self.case;
        if let (Some(block), Some(runtime)) = (&programs.runtime, &target.runtime) {
            let what = format!("runtime of {}", target.id);
            let (body, _) = self.block(&what, block, (runtime, Mode::Runtime))?;
            self.held(target, Some(&body))?;
            return Ok("from runtime");
        }
        let once = case.run.with.get(self.way.to);
        Ok(match once.and_then(Option::as_ref) {
            // Held to the schema already, once for the run.
            Some(Constant { .. }) if target.runtime.is_some() => {
                "from runtime, the same for every packet"
            }
            Some(Constant { .. }) => "from with, the same for every packet of the run",
            None => {
                self.held(target, case.sample.inputs.as_ref())?;
                "as they came"
            }
        })
    }

    /// Holds inputs to the target's schema; a packet that has none and gets none is not held to it.
    fn held(&mut self, target: &Step, inputs: Option<&Bytes>) -> Result<(), Outcome> {
        let schema = self.case.story.schemas.of(self.way.to).input;
        let (Some(schema), Some(inputs)) = (schema, inputs) else {
            return Ok(());
        };
        let what = format!("inputSchema of {}", target.id);
        let fits = given(schema.as_ref(), &mut json_of(inputs), &what)?;
        self.tell(what, fits);
        Ok(())
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
        let packet = PacketFields::new(&sample.view, &sample.bytes, &contents(&self.payload));
        let steps = self.steps.iter().map(|(id, (payload, inputs))| {
            let fields = StepFields::new(&contents(payload), &contents(inputs));
            (id.as_str(), fields)
        });
        let inputs = structs::decode(&self.case.run.body);
        evaluate(&Variables::new(inputs, packet, steps.collect()))
    }
}

fn contents(body: &Option<Bytes>) -> Payload<'_> {
    body.as_ref()
        .map_or(Payload::None, |body| Payload::Struct(body))
}

fn named(i: usize, rule: &RuleProgram) -> String {
    let word = match rule.action {
        RuleAction::Allow => "allow rule",
        RuleAction::Deny => "deny rule",
    };
    match &rule.name {
        Some(name) => format!("{word} {name}"),
        None => format!("{word} {i}"),
    }
}

fn faulty(what: &str, fault: &Fault, place: Option<String>) -> Outcome {
    match fault {
        Fault::NotReady { .. } => Outcome::NotTaken(format!("{what}: {fault}")),
        _ => {
            let place = place.map_or_else(String::new, |place| format!(" ({place})"));
            Outcome::Dropped(DropReason::Expression, format!("{what}: {fault}{place}"))
        }
    }
}
