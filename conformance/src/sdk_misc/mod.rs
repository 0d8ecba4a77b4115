//! `sdk-misc.jsonl`: everything else that engrams and the Go SDK must agree on.
//!
//! Owns the topics and who answers for each: the crate `engram`, or `transport-proto`
//! where the hub needs the answer too (partitions, names of stream types).

mod chunks;
mod control;
mod errors_told;
mod secrets;
mod starting;

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::report::{FileError, Report};
use crate::{errors, lines};
use secrets::Scene;

#[derive(Deserialize)]
pub(crate) struct Line {
    id: String,
    topic: String,
    #[serde(rename = "in")]
    input: Value,
    ok: bool,
    out: Option<Value>,
    error: Option<String>,
}

/// What our code makes of a line: what comes out, and the error's text.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    out: Option<Value>,
    error: Option<String>,
}

impl Answer {
    fn out(value: impl Into<Value>) -> Self {
        Self {
            out: Some(value.into()),
            error: None,
        }
    }

    fn error(error: impl ToString) -> Self {
        Self {
            out: None,
            error: Some(error.to_string()),
        }
    }

    fn of<T: Into<Value>, E: ToString>(outcome: Result<T, E>) -> Self {
        match outcome {
            Ok(value) => Self::out(value),
            Err(error) => Self::error(error),
        }
    }
}

/// Tries every case of the files.
///
/// # Errors
/// [`FileError`] where a file or one of its lines cannot be read.
pub fn check(paths: &[impl AsRef<Path>]) -> Result<Report, FileError> {
    let mut report = Report::default();
    for path in paths {
        let mut all = Vec::new();
        lines::read(path.as_ref(), |line: Line| {
            all.push(line);
            Ok(())
        })?;
        let scene = Scene::of(&all).map_err(|reason| FileError::Line {
            path: path.as_ref().to_owned(),
            line: 1,
            reason,
        })?;
        for (i, line) in all.iter().enumerate() {
            let answer = answer(line, &scene).map_err(|reason| FileError::Line {
                path: path.as_ref().to_owned(),
                line: i + 1,
                reason,
            })?;
            report.add(line.id.clone(), differences(line, answer));
        }
    }
    Ok(report)
}

/// Asks whoever owns the topic; an error is a fault of the file.
fn answer(line: &Line, scene: &Scene) -> Result<Answer, String> {
    let input = &line.input;
    match line.topic.as_str() {
        "idempotency" => Ok(starting::idempotency(input)),
        "duration" => starting::duration(input),
        "binding" => starting::binding(input),
        "endpoint_plaintext" => starting::plaintext(input),
        "security_mode" => starting::security_mode(input),
        "tunables" => Ok(starting::tunables(input)),
        "partition" => starting::partition(input),
        "stream_type" => starting::stream_type(input),
        "control_reply" => Ok(control::reply(input)),
        "control_encode" => control::encode(input),
        "handshake" => control::handshake(input),
        "session_end" => control::session_end(input),
        "chunks" => chunks::run(input),
        "structured_error_build" => errors_told::build(input),
        "structured_error_parse" => errors_told::parse(input),
        "stream_error_build" => errors_told::build_message(input),
        "stream_error_parse" => errors_told::parse_message(input),
        "secrets" => scene.expand(input, line.out.as_ref()),
        "secrets_redaction" => scene.redacted(input),
        // They say what the lines of topic secrets mean.
        "secrets_env" | "secrets_tree" => Ok(Answer {
            out: line.out.clone(),
            error: None,
        }),
        other => Err(format!("no topic is called {other}")),
    }
}

fn differences(line: &Line, answer: Answer) -> Vec<String> {
    let mut differences = Vec::new();
    if line.ok == line.error.is_some() {
        differences.push("the line has an error exactly where it is not ok".to_owned());
    }
    errors::compare(
        "error",
        line.error.as_deref(),
        answer.error,
        &mut differences,
    );
    let expected = line.out.as_ref();
    let same = match (expected, &answer.out) {
        (Some(expected), Some(actual)) => is_same(expected, actual),
        (None, _) => true,
        (Some(_), None) => false,
    };
    if !same {
        let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
        differences.push(format!(
            "{}, expected {}",
            text(answer.out.as_ref()),
            text(expected)
        ));
    }
    differences
}

/// JSON equality; texts that hold JSON are compared as JSON, errors inside as errors.
fn is_same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            expected.len() == actual.len()
                && expected.iter().all(|(name, expected)| {
                    actual
                        .get(name)
                        .is_some_and(|actual| is_same(expected, actual))
                })
        }
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len()
                && expected
                    .iter()
                    .zip(actual)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::String(expected), Value::String(actual)) if expected.starts_with('{') => {
            let json = |text: &str| serde_json::from_str::<Value>(text).ok();
            expected == actual || json(expected).is_some_and(|one| json(actual) == Some(one))
        }
        _ => expected == actual,
    }
}

/// A text of a line.
fn text(input: &Value) -> Result<&str, String> {
    input.as_str().ok_or_else(|| "in: no text".to_owned())
}
