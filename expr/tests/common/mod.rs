//! Variables at hand, and one call for a whole evaluation.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use expr::{
    Block, CompileError, Condition, Dialect, Fault, Fields, Limits, Mode, Surroundings, Text,
    Value, json,
};

/// The roots, from JSON.
#[derive(Debug)]
pub(crate) struct Roots(pub(crate) Value<'static>);

impl Roots {
    pub(crate) fn of(text: &str) -> Self {
        Self(json::parse(text.as_bytes()).expect("variables in JSON"))
    }
}

impl Fields for Roots {
    fn field<'v>(&'v self, key: &[u8]) -> Option<Value<'v>> {
        self.0.as_map()?.get(key)
    }

    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)> {
        let map = self.0.as_map().expect("an object");
        map.tree().as_ref().clone().into_iter().collect()
    }
}

/// What came of an evaluation.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Value(String),
    Refused(Vec<CompileError>),
    Failed(Fault),
}

pub(crate) const VARIABLES: &str = r#"{
    "inputs": {"model": "small", "langs": ["de", "en"]},
    "packet": {"text": "Hello, world", "n": 3, "none": null, "items": ["a", "b"],
               "user": {"name": "Ana"}, "metadata": {"lang": "de", "participant.id": "p-1"}},
    "steps": {"asr": {"text": "hi"}, "my-step": {"x": 1}}
}"#;

pub(crate) fn value_in(source: &str, dialect: Dialect, mode: Mode, limits: Limits) -> Outcome {
    let roots = Roots::of(VARIABLES);
    let source = Value::owned(source);
    match Block::compile(&source, (mode, dialect), limits) {
        Err(errors) => Outcome::Refused(errors),
        Ok(block) => match block.evaluate(&roots, &Surroundings::default()) {
            Err(fault) => Outcome::Failed(fault),
            Ok(value) => {
                let style = json::Style {
                    indented: false,
                    html_safe: false,
                };
                let mut out = Vec::new();
                json::write(&value, style, &mut out).expect("JSON");
                Outcome::Value(String::from_utf8(out).expect("UTF-8"))
            }
        },
    }
}

pub(crate) fn value(source: &str, dialect: Dialect) -> Outcome {
    value_in(source, dialect, Mode::Runtime, Limits::default())
}

pub(crate) fn answer(source: &str, dialect: Dialect) -> Result<bool, Fault> {
    Condition::compile(source, dialect, Limits::default())
        .expect("a condition")
        .evaluate(&Roots::of(VARIABLES), &Surroundings::default())
}

pub(crate) fn errors(source: &str, mode: Mode, dialect: Dialect) -> Vec<CompileError> {
    match value_in(source, dialect, mode, Limits::default()) {
        Outcome::Refused(errors) => errors,
        other => panic!("{source} is not refused: {other:?}"),
    }
}
