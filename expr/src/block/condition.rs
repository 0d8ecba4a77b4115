//! Conditions: `if` and `when`, and what counts as true.

use super::constant::constant;
use super::{Program, Surroundings};
use crate::characters::trim_space;
use crate::compile::{CompileError, Dialect, Mode};
use crate::fault::Fault;
use crate::limits::Limits;
use crate::reads::Reads;
use crate::template::MetadataTest;
use crate::value::{Fields, Map, Value};

/// A compiled `if` or `when`.
#[derive(Debug)]
pub struct Condition {
    test: Test,
    limits: Limits,
    reads: Reads,
    is_taken_as_cel: bool,
}

#[derive(Debug)]
enum Test {
    Known(bool),
    Program(Program, Option<MetadataTest>),
}

impl Condition {
    /// Compiles a condition; space around it does not count, and blank is true.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its column.
    pub fn compile(
        source: &str,
        dialect: Dialect,
        limits: Limits,
    ) -> Result<Self, Vec<CompileError>> {
        let trimmed = source.trim();
        if trimmed.is_empty() {
            return Ok(Self {
                test: Test::Known(true),
                limits,
                reads: Reads::default(),
                is_taken_as_cel: false,
            });
        }
        let to = (Mode::If, dialect);
        let program = Program::compile(trimmed, to, &limits).map_err(|errors| {
            let before = source.len() - source.trim_start().len();
            let in_source = |error: CompileError| CompileError {
                column: error.column + before,
                expression: source.to_owned(),
                ..error
            };
            errors.into_iter().map(in_source).collect::<Vec<_>>()
        })?;
        let known = constant(&program, to, &limits).and_then(|value| truth(&value).ok());
        Ok(Self {
            limits,
            reads: program.reads().clone(),
            is_taken_as_cel: program.is_fallback(dialect),
            test: known.map_or_else(
                || {
                    let shortcut = program.metadata_test();
                    Test::Program(program, shortcut)
                },
                Test::Known,
            ),
        })
    }

    /// What it reads.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Whether it is no template and was taken as CEL (spec 4.4), which is worth a warning.
    #[must_use]
    pub fn is_taken_as_cel(&self) -> bool {
        self.is_taken_as_cel
    }

    /// Its answer where that is known without any variables.
    #[must_use]
    pub fn known(&self) -> Option<bool> {
        match self.test {
            Test::Known(answer) => Some(answer),
            Test::Program(..) => None,
        }
    }

    /// Its answer over the variables `root` (see [`Block::evaluate`](crate::Block::evaluate)).
    ///
    /// # Errors
    /// [`Fault`], also where the result is no truth value.
    pub fn evaluate(&self, root: &dyn Fields, surroundings: &Surroundings) -> Result<bool, Fault> {
        let program = match &self.test {
            Test::Known(answer) => return Ok(*answer),
            Test::Program(program, shortcut) => {
                if let Some(answer) = shortcut.as_ref().and_then(|test| test.evaluate(root)) {
                    return Ok(answer);
                }
                program
            }
        };
        let cx = surroundings.of(&self.limits);
        let value = program.evaluate(&Value::Map(Map::lazy(root)), &cx)?;
        truth(&value)
    }
}

/// What a result means: a bool itself, a text by its word, anything else nothing.
fn truth(value: &Value<'_>) -> Result<bool, Fault> {
    let text = match value {
        Value::Bool(answer) => return Ok(*answer),
        Value::Text(text) => text.bytes(),
        other => {
            let name = other.type_name();
            return Err(Fault::type_error(format!("{name} is no truth value")));
        }
    };
    let word = trim_space(text);
    let is_one_of = |words: &[&str]| {
        words
            .iter()
            .any(|one| word.eq_ignore_ascii_case(one.as_bytes()))
    };
    if is_one_of(&["true", "1", "yes", "y"]) {
        Ok(true)
    } else if is_one_of(&["false", "0", "no", "n", ""]) {
        Ok(false)
    } else {
        let shown: String = String::from_utf8_lossy(word).chars().take(64).collect();
        Err(Fault::type_error(format!("{shown:?} is no truth value")))
    }
}
