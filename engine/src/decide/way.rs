//! One packet on its way along one edge: primitives, `if`, rules, inputs.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use expr::json::{self, Style};
use expr::{Condition, Fault, PacketFields, Payload, StepFields, Variables, structs};
use smallvec::SmallVec;

use super::change::{Change, Changed};
use super::{EdgeAsks, Scene, Verdict, schema, shorten};
use crate::account::DropReason;
use crate::route::{EdgePrograms, Inputs, InputsPlan, Primitive, PrimitivePlan};

/// How JSON stands in an envelope frame.
const COMPACT: Style = Style {
    indented: false,
    html_safe: false,
};

/// A step that the packet has passed, and the payload that it had then.
struct Passed<'a> {
    id: &'a str,
    /// `None` for that of the packet itself.
    payload: Option<Bytes>,
}

/// A packet on its way.
pub(super) struct Way<'a> {
    scene: &'a Scene<'a>,
    reads_steps: bool,
    /// The payload where it is not the packet's own any more: the contents of a Struct.
    payload: Option<Bytes>,
    passed: SmallVec<[Passed<'a>; 2]>,
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
    pub(super) fn new(scene: &'a Scene<'a>, asks: &EdgeAsks, payload: Option<Bytes>) -> Self {
        Self {
            scene,
            reads_steps: asks.reads_steps,
            payload,
            passed: SmallVec::new(),
        }
    }

    /// What becomes of the packet on this edge.
    pub(super) fn verdict(mut self, asks: &'a EdgeAsks) -> Verdict {
        let taken = match &asks.programs {
            Some(programs) => self.go(programs),
            None => self.change(None),
        };
        taken.map_or_else(Verdict::from, Verdict::Taken)
    }

    /// Whether it gets through all of `via`.
    pub(super) fn gets_through(mut self, via: &'a [Primitive]) -> bool {
        via.iter().all(|primitive| self.pass(primitive).is_ok())
    }

    fn go(&mut self, programs: &'a EdgePrograms) -> Result<Change, Halt> {
        for primitive in &programs.via {
            self.pass(primitive)?;
        }
        if let Some(condition) = &programs.condition {
            self.must("if", condition)?;
        }
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
        self.change(inputs)
    }

    /// Takes the packet through a primitive.
    fn pass(&mut self, primitive: &'a Primitive) -> Result<(), Halt> {
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
            self.payload = Some(payload);
        }
        self.passed.push(Passed {
            id: &primitive.id,
            payload: self.payload.clone(),
        });
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
        } = self.scene;
        let own = documents.payload.source();
        let now = match &self.payload {
            Some(body) => Payload::Struct(body),
            None => own.clone(),
        };
        let packet = PacketFields::new(question.view, question.packet, &now);
        let mut steps = Vec::new();
        if self.reads_steps {
            let inputs = documents.inputs.source();
            steps.push((&*programs.id, StepFields::new(&own, &inputs)));
            for passed in &self.passed {
                let payload = match &passed.payload {
                    Some(body) => Payload::Struct(body),
                    None => own.clone(),
                };
                steps.push((passed.id, StepFields::new(&payload, &Payload::None)));
            }
        }
        let inputs = structs::decode(&programs.inputs);
        program(&Variables::new(inputs, packet, steps), self.scene)
    }

    /// What the edge changes in the packet.
    fn change(&self, inputs: Option<Inputs>) -> Result<Change, Halt> {
        let changed = Changed {
            payload: self.payload.as_ref(),
            inputs: inputs.as_ref(),
        };
        let question = &self.scene.question;
        Change::of((question.packet, question.view), &changed)
            .map_err(|why| Halt::Dropped(DropReason::Invalid, shorten(why)))
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
