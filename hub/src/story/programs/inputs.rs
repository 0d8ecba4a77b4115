//! What a run's inputs are to expressions, and what `with` comes to with them (spec 2.3).

use bytes::{Bytes, BytesMut};
use expr::json::{self, Style};
use expr::{Block, Fault, Fields, Limits, Map, Mode, Surroundings, Text, Value, structs};

use engine::route::DocumentSchema;

use super::values;
use crate::story::{Located, Place, Problem, Step, Story};

/// The inputs of one run, and every `with` over them.
#[derive(Clone, Debug, Default)]
pub struct RunInputs {
    /// The inputs: the contents of a `google.protobuf.Struct`.
    pub body: Bytes,
    /// What `with` (or a constant `runtime`) comes to, by index of the step; `None` where a
    /// step has none, or its inputs are made per packet, or it gets no packets.
    pub with: Vec<Option<Constant>>,
}

/// An object in both forms that packets carry inputs in; the two say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// The contents of a `google.protobuf.Struct`.
    pub body: Bytes,
    /// A JSON object.
    pub json: Bytes,
}

impl Story {
    /// Evaluates `with` of every step that gets packets, once for a run with these inputs that begins
    /// in these `surroundings`.
    ///
    /// # Errors
    /// Every `with` that has no value, each with its place. Whoever gave the inputs, or wrote
    /// the Story, is at fault.
    pub fn run_inputs(
        &self,
        inputs: &serde_json::Map<String, serde_json::Value>,
        surroundings: &Surroundings,
    ) -> Result<RunInputs, Vec<Problem>> {
        let given = self.checked(inputs).map_err(|problem| vec![problem])?;
        let value = object(&given);
        let mut body = BytesMut::new();
        if let Err(fault) = structs::encode(&value, &mut body) {
            return Err(vec![Problem {
                place: self.place.clone(),
                text: format!("the inputs of the run: {fault}"),
            }]);
        }
        let body = body.freeze();
        let inputs = Inputs(structs::decode(&body));
        let mut with = Vec::with_capacity(self.steps.len());
        let mut problems = Vec::new();
        for (i, step) in self.steps.iter().enumerate() {
            let block = self.programs.get(i).and_then(|step| step.with.as_ref());
            let block = block.filter(|_| self.ways.edges.iter().any(|way| way.to == i));
            let made = match block.map(|block| constant(block, (&inputs, surroundings))) {
                None => Ok(None),
                Some(Ok(constant)) => self.held(i, constant).map(Some),
                Some(Err(fault)) => Err(self.problem(step, &fault, (&inputs, surroundings))),
            };
            with.push(made.unwrap_or_else(|problem| {
                problems.push(problem);
                None
            }));
        }
        drop(inputs);
        if problems.is_empty() {
            Ok(RunInputs { body, with })
        } else {
            Err(problems)
        }
    }

    /// The inputs of a run with the defaults of `inputsSchema` filled in.
    fn checked(
        &self,
        inputs: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<serde_json::Map<String, serde_json::Value>, Problem> {
        let mut given = serde_json::Value::Object(inputs.clone());
        if let (Some(schema), Some(written)) = (&self.schemas.inputs, &self.inputs_schema) {
            schema.apply(&mut given).map_err(|broken| Problem {
                place: written.place.clone(),
                text: format!("the inputs of the run do not fit the schema: {broken}"),
            })?;
        }
        match given {
            serde_json::Value::Object(given) => Ok(given),
            _ => Ok(inputs.clone()),
        }
    }

    /// What a step is always given, with the defaults of its `inputSchema` filled in.
    fn held(&self, at: usize, made: Constant) -> Result<Constant, Problem> {
        let schemas = self.schemas.of(at);
        let (Some(schema), Some(step)) = (schemas.input, self.steps.get(at)) else {
            return Ok(made);
        };
        let problem = |text: String| {
            let with = step.runtime.as_ref().or(step.with.as_ref());
            let place = with.map_or(&step.place, |with| &with.place).clone();
            let text = format!("step {}: the inputs do not fit its schema: {text}", step.id);
            Problem { place, text }
        };
        let mut given = serde_json::from_slice(&made.json).map_err(|e| problem(e.to_string()))?;
        if !schema.apply(&mut given).map_err(problem)? {
            return Ok(made);
        }
        both(&Value::from(&given)).map_err(|fault| problem(fault.to_string()))
    }

    fn problem(
        &self,
        step: &Step,
        fault: &Fault,
        (inputs, surroundings): (&Inputs<'_>, &Surroundings),
    ) -> Problem {
        let place = match step.runtime.as_ref().or(step.with.as_ref()) {
            Some(written) => self.failing(written, Mode::With, (inputs, surroundings)),
            None => step.place.clone(),
        };
        let text = format!("step {}: {fault}", step.id);
        Problem { place, text }
    }

    /// Where the first expression of a block stands that has no value over these variables; the
    /// block itself if each has one.
    pub(crate) fn failing(
        &self,
        written: &Located,
        mode: Mode,
        (root, surroundings): (&dyn Fields, &Surroundings),
    ) -> Place {
        let mut leaves = values::leaves(&written.node).into_iter();
        let leaf = leaves.find(|leaf| {
            let value = Value::text(leaf.text);
            let compiled = Block::compile(&value, (mode, self.dialect), Limits::default());
            compiled.is_ok_and(|block| block.evaluate(root, surroundings).is_err())
        });
        leaf.map_or_else(
            || written.place.clone(),
            |leaf| values::leaf_place(written, &leaf),
        )
    }
}

fn object(entries: &serde_json::Map<String, serde_json::Value>) -> Value<'static> {
    let entry = |(key, value): (&String, &serde_json::Value)| {
        (Text::from(key.as_bytes().to_vec()), Value::from(value))
    };
    Value::map(entries.iter().map(entry).collect())
}

fn constant(
    block: &Block,
    (inputs, surroundings): (&Inputs<'_>, &Surroundings),
) -> Result<Constant, Fault> {
    both(&block.evaluate(inputs, surroundings)?)
}

/// An object in both forms.
fn both(value: &Value<'_>) -> Result<Constant, Fault> {
    let mut body = BytesMut::new();
    structs::encode(value, &mut body)?;
    // Written from the Struct, so that the two agree.
    let mut json = Vec::new();
    let decoded = Value::Map(structs::decode(&body));
    let compact = Style {
        indented: false,
        html_safe: false,
    };
    json::write(&decoded, compact, &mut json)?;
    Ok(Constant {
        json: json.into(),
        body: body.freeze(),
    })
}

/// The variables of `with`.
#[derive(Debug)]
struct Inputs<'i>(Map<'i>);

impl Fields for Inputs<'_> {
    fn field<'v>(&'v self, key: &[u8]) -> Option<Value<'v>> {
        (key == b"inputs").then(|| Value::Map(self.0.clone()))
    }

    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)> {
        vec![(Text::Borrowed(b"inputs"), Value::Map(self.0.clone()))]
    }
}
