//! One packet on its way along one edge: primitives, `if`, rules, inputs.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use expr::json::{self, Style};
use expr::{Condition, Fault, PacketFields, Payload, StepFields, Variables, structs};
use smallvec::SmallVec;

use super::change::{Change, Changed};
use super::document::Documents;
use super::facts::Facts;
use super::meeting::{Meeting, Reached};
use super::{EdgeAsks, Scene, Verdict, schema, shorten};
use crate::account::DropReason;
use crate::route::{EdgePrograms, Inputs, InputsPlan, PartitionPlan, Primitive, PrimitivePlan};

/// How JSON stands in an envelope frame.
const COMPACT: Style = Style {
    indented: false,
    html_safe: false,
};

/// A packet on its way.
pub(super) struct Way<'a> {
    scene: &'a Scene<'a>,
    reads_steps: bool,
    reached: Reached,
    /// What it meets at the end.
    meeting: &'a Meeting,
}

/// Why a packet goes no further.
enum Halt {
    NotTaken,
    Dropped(DropReason, Box<str>),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        match fault {
            // Not a failure: what it waits for is not there for this packet (spec 4.1).
            Fault::NotReady { .. } => Self::NotTaken,
            other => Self::Dropped(DropReason::Expression, shorten(other.to_string())),
        }
    }
}

impl From<Halt> for Verdict {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::NotTaken => Self::NotTaken,
            Halt::Dropped(reason, why) => Self::Dropped(reason, why),
        }
    }
}

/// Says where the fault was.
fn named(what: &str, fault: Fault) -> Halt {
    match Halt::from(fault) {
        Halt::Dropped(reason, why) => Halt::Dropped(reason, shorten(format!("{what}: {why}"))),
        halt @ Halt::NotTaken => halt,
    }
}

impl<'a> Way<'a> {
    pub(super) fn new(scene: &'a Scene<'a>, asks: &EdgeAsks, meeting: &'a Meeting) -> Self {
        Self {
            scene,
            reads_steps: asks.reads_steps,
            reached: Reached {
                filled_in: scene.filled_in.clone(),
                payload: scene.filled_in.clone(),
                passed: SmallVec::new(),
            },
            meeting,
        }
    }

    /// What becomes of the packet on this edge, and how far it came where it met others.
    pub(super) fn verdict(mut self, asks: &EdgeAsks) -> (Verdict, Option<Box<Reached>>) {
        if let Some(programs) = &asks.programs
            && let Err(halt) = self.reach(programs)
        {
            return (halt.into(), None);
        }
        let verdict = match self.meeting {
            Meeting::Wait => Verdict::Waits,
            Meeting::Absorbed => Verdict::NotTaken,
            Meeting::None | Meeting::Fire(_) => {
                let taken = match &asks.programs {
                    Some(programs) => self.enter(programs),
                    None => self.change(None, None),
                };
                taken.map_or_else(Verdict::from, Verdict::Taken)
            }
        };
        let met = !matches!(self.meeting, Meeting::None);
        (verdict, met.then(|| Box::new(self.reached)))
    }

    /// What becomes of a packet that came this far before, with those that it meets now.
    pub(super) fn late_verdict(mut self, asks: &EdgeAsks, reached: &Reached) -> Verdict {
        self.reached = reached.clone();
        let taken = match &asks.programs {
            Some(programs) => self.enter(programs),
            None => self.change(None, None),
        };
        taken.map_or_else(Verdict::from, Verdict::Taken)
    }

    /// Whether it gets through all of `via`.
    pub(super) fn gets_through(mut self, via: &[Primitive]) -> bool {
        via.iter().all(|primitive| self.pass(primitive).is_ok())
    }

    /// Takes the packet to the target, up to where others may have to come first.
    fn reach(&mut self, programs: &EdgePrograms) -> Result<(), Halt> {
        for primitive in &programs.via {
            self.pass(primitive)?;
        }
        match &programs.condition {
            Some(condition) => self.must("if", condition),
            None => Ok(()),
        }
    }

    /// Hands the packet to the target: rules, inputs, schema.
    fn enter(&self, programs: &EdgePrograms) -> Result<Change, Halt> {
        self.obey(programs)?;
        let inputs = match &programs.inputs {
            InputsPlan::Keep => None,
            InputsPlan::Once(inputs) => Some(inputs.clone()),
            InputsPlan::PerPacket(block) => Some(self.evaluate(|variables, scene| {
                let value = block.evaluate(variables, scene.question.surroundings);
                let value = value.map_err(|fault| named("runtime", fault))?;
                inputs_of(&value).map_err(|fault| named("runtime", fault))
            })?),
        };
        let inputs = match &programs.schema {
            None => inputs,
            Some(schema) => {
                schema::judge_input(schema.as_ref(), inputs, &self.scene.documents.inputs)
                    .map_err(|why| Halt::Dropped(DropReason::Schema, shorten(why)))?
            }
        };
        self.change(inputs, programs.partition.as_ref())
    }

    /// Takes the packet through a primitive.
    fn pass(&mut self, primitive: &Primitive) -> Result<(), Halt> {
        if let Some(condition) = &primitive.condition {
            self.must(&primitive.id, condition)?;
        }
        if let PrimitivePlan::Transform(block) = &primitive.does {
            let payload = self.evaluate(|variables, scene| {
                let value = block.evaluate(variables, scene.question.surroundings);
                let mut body = BytesMut::new();
                value
                    .and_then(|value| structs::encode(&value, &mut body))
                    .map_err(|fault| named(&primitive.id, fault))?;
                Ok(body.freeze())
            })?;
            self.reached.payload = Some(payload);
        }
        let payload = self.reached.payload.clone();
        self.reached.passed.push((primitive.id.clone(), payload));
        Ok(())
    }

    /// Goes on only if `condition` is true.
    fn must(&self, what: &str, condition: &Condition) -> Result<(), Halt> {
        if self.is_true(what, condition)? {
            Ok(())
        } else {
            Err(Halt::NotTaken)
        }
    }

    fn is_true(&self, what: &str, condition: &Condition) -> Result<bool, Halt> {
        if let Some(known) = condition.known() {
            return Ok(known);
        }
        self.evaluate(|variables, scene| {
            condition
                .evaluate(variables, scene.question.surroundings)
                .map_err(|fault| named(what, fault))
        })
    }

    /// Goes on only if the routing rules let it: deny beats allow.
    fn obey(&self, programs: &EdgePrograms) -> Result<(), Halt> {
        let any = |rules: &[Arc<Condition>]| -> Result<bool, Halt> {
            for when in rules {
                if self.is_true("when", when)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let rules = &programs.rules;
        if any(&rules.deny)? || rules.is_allowlist && !any(&rules.allow)? {
            return Err(Halt::NotTaken);
        }
        Ok(())
    }

    /// Gives the variables of the packet as it is now to a program.
    fn evaluate<T>(
        &self,
        program: impl FnOnce(&Variables<'_>, &Scene<'_>) -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        let Scene {
            question,
            programs,
            documents,
            ..
        } = self.scene;
        let own = documents.payload.source();
        let now = payload_of(self.reached.payload.as_ref(), &own);
        let packet = PacketFields::new(question.view, question.packet, &now);
        let inputs = structs::decode(&programs.inputs);
        if !self.reads_steps {
            return program(&Variables::new(inputs, packet, Vec::new()), self.scene);
        }
        let mut steps = Vec::new();
        put_steps(&mut steps, &programs.id, documents, &self.reached);
        let others = self.meeting.others();
        let read: Vec<_> = others
            .iter()
            .map(|other| Documents::of(&other.packet, &other.view))
            .collect();
        for (other, documents) in others.iter().zip(&read) {
            put_steps(&mut steps, &other.from, documents, &other.reached);
        }
        program(&Variables::new(inputs, packet, steps), self.scene)
    }

    /// What the edge changes in the packet.
    fn change(
        &self,
        inputs: Option<Inputs>,
        partition: Option<&PartitionPlan>,
    ) -> Result<Change, Halt> {
        let changed = Changed {
            payload: self.reached.payload.as_ref(),
            inputs: inputs.as_ref(),
        };
        let question = &self.scene.question;
        let at = (question.packet, question.view);
        let mut change = Change::of(at, &changed)
            .map_err(|why| Halt::Dropped(DropReason::Invalid, shorten(why)))?;
        if let Some(plan) = partition {
            let facts = Facts {
                question,
                documents: self.scene.documents,
                changed: &changed,
            };
            change.partition = facts.partition(plan);
        }
        Ok(change)
    }
}

/// The payload that a packet goes on with: a new one, or its own.
fn payload_of<'p>(new: Option<&'p Bytes>, own: &Payload<'p>) -> Payload<'p> {
    new.map_or_else(|| own.clone(), |body| Payload::Struct(body))
}

/// The step that emitted a packet, and the primitives that it passed (spec 4.3).
fn put_steps<'p>(
    steps: &mut Vec<(&'p str, StepFields<'p>)>,
    from: &'p str,
    documents: &'p Documents<'_>,
    reached: &'p Reached,
) {
    let own = documents.payload.source();
    let own = payload_of(reached.filled_in.as_ref(), &own);
    let inputs = documents.inputs.source();
    steps.push((from, StepFields::new(&own, &inputs)));
    for (id, payload) in &reached.passed {
        let payload = payload_of(payload.as_ref(), &own);
        steps.push((id, StepFields::new(&payload, &Payload::None)));
    }
}

/// An object in both forms that packets carry inputs in.
pub(super) fn inputs_of(value: &expr::Value<'_>) -> Result<Inputs, Fault> {
    let mut body = BytesMut::new();
    structs::encode(value, &mut body)?;
    let mut text = Vec::new();
    json::write(value, COMPACT, &mut text)?;
    Ok(Inputs {
        body: body.freeze(),
        json: text.into(),
    })
}
