//! Vectors of the template dialect (spec 4.1): `{id, mode, expr, vars, result | error}`.

use std::path::{Path, PathBuf};

use expr::{
    Block, CompileError, Condition, Dialect, ErrorKind, Fault, Fields, Limits, Mode, Surroundings,
    Text, Value, json,
};

use crate::report::{FileError, Report};

/// Tries every case of the files.
///
/// # Errors
/// A file or a line that cannot be read.
pub fn check(files: &[PathBuf]) -> Result<Report, FileError> {
    let mut report = Report::default();
    for path in files {
        report.append(check_file(path)?);
    }
    Ok(report)
}

fn check_file(path: &Path) -> Result<Report, FileError> {
    let text = std::fs::read_to_string(path).map_err(|source| FileError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut report = Report::default();
    let mut lines = 0;
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        lines += 1;
        let case = Case::read(line).ok_or_else(|| FileError::Line {
            path: path.to_owned(),
            line: i + 1,
            reason: "no case of the template dialect".to_owned(),
        })?;
        report.add(case.id.clone(), case.differences());
    }
    if lines == 0 {
        return Err(FileError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(report)
}

struct Case {
    id: String,
    mode: Mode,
    expression: Value<'static>,
    variables: Variables,
    wanted: Outcome,
}

/// What comes of a case: a value, or a kind of error and its words.
enum Outcome {
    Value(Value<'static>),
    Error(String, String),
}

/// The roots, at hand.
#[derive(Debug)]
struct Variables(Value<'static>);

impl Fields for Variables {
    fn field<'v>(&'v self, key: &[u8]) -> Option<Value<'v>> {
        self.0.as_map()?.get(key)
    }

    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)> {
        let map = self.0.as_map();
        map.map(|map| map.tree().as_ref().clone().into_iter().collect())
            .unwrap_or_default()
    }
}

fn text_of(value: &Value<'_>) -> Option<String> {
    String::from_utf8(value.as_text()?.to_vec()).ok()
}

impl Case {
    fn read(line: &str) -> Option<Self> {
        let line = json::parse(line.as_bytes())?;
        let mode = match line.get("mode")?.as_text()? {
            b"if" => Mode::If,
            b"runtime" => Mode::Runtime,
            b"with" => Mode::With,
            _ => return None,
        };
        let wanted = match (line.get("result"), line.get("error")) {
            (Some(result), None) => Outcome::Value(result),
            (None, Some(error)) => Outcome::Error(
                text_of(&error.get("kind")?)?,
                error
                    .get("text")
                    .as_ref()
                    .and_then(text_of)
                    .unwrap_or_default(),
            ),
            _ => return None,
        };
        Some(Self {
            id: text_of(&line.get("id")?)?,
            mode,
            expression: line.get("expr")?,
            variables: Variables(line.get("vars")?),
            wanted,
        })
    }

    fn differences(&self) -> Vec<String> {
        let found = self.run();
        let same = match (&self.wanted, &found) {
            (Outcome::Value(wanted), Outcome::Value(found)) => same(wanted, found),
            (Outcome::Error(wanted, _), Outcome::Error(found, _)) => class(wanted) == class(found),
            _ => false,
        };
        if same {
            return Vec::new();
        }
        vec![
            format!("expr   {}", shown(&self.expression)),
            format!("wanted {}", self.wanted.shown()),
            format!("found  {}", found.shown()),
        ]
    }

    fn run(&self) -> Outcome {
        let surroundings = Surroundings {
            now_nanos: 1_715_000_000_000_000_000,
            seed: 1,
        };
        if self.mode == Mode::If {
            let source = text_of(&self.expression).unwrap_or_default();
            return match Condition::compile(&source, Dialect::Template, Limits::default()) {
                Err(errors) => refused(&errors),
                Ok(condition) => match condition.evaluate(&self.variables, &surroundings) {
                    Ok(answer) => Outcome::Value(Value::Bool(answer)),
                    Err(fault) => failed(&fault),
                },
            };
        }
        let block = Value::map([(Text::Borrowed(b"value"), self.expression.clone())].into());
        match Block::compile(&block, (self.mode, Dialect::Template), Limits::default()) {
            Err(errors) => refused(&errors),
            Ok(block) => match block.evaluate(&self.variables, &surroundings) {
                Ok(value) => Outcome::Value(value.get("value").unwrap_or_default().into_owned()),
                Err(fault) => failed(&fault),
            },
        }
    }
}

/// `type` and `other` are one class.
fn class(kind: &str) -> &str {
    if kind == "other" { "type" } else { kind }
}

fn refused(errors: &[CompileError]) -> Outcome {
    let first = errors.first();
    let kind = match first.map(|error| error.kind) {
        Some(ErrorKind::Scope) => "scope",
        Some(ErrorKind::Type) => "type",
        Some(ErrorKind::Limit) => "limit",
        Some(ErrorKind::Parse) | None => "parse",
    };
    Outcome::Error(
        kind.to_owned(),
        first.map(ToString::to_string).unwrap_or_default(),
    )
}

fn failed(fault: &Fault) -> Outcome {
    let kind = match fault {
        Fault::MissingKey { .. } => "missing_key",
        Fault::NotReady { .. } => "not_ready",
        Fault::Offloaded(_) => "offloaded",
        Fault::Limit(_) => "limit",
        Fault::Type { .. } => "type",
        Fault::Refused { .. } => "other",
    };
    Outcome::Error(kind.to_owned(), fault.to_string())
}

/// Equal as JSON: numbers by value.
fn same(one: &Value<'_>, two: &Value<'_>) -> bool {
    match (one, two) {
        (Value::List(one), Value::List(two)) => {
            let (one, two) = (one.values(), two.values());
            one.len() == two.len() && one.iter().zip(two.iter()).all(|(one, two)| same(one, two))
        }
        (Value::Map(one), Value::Map(two)) => {
            let (one, two) = (one.tree(), two.tree());
            one.len() == two.len()
                && one
                    .iter()
                    .zip(two.iter())
                    .all(|((key, one), (other, two))| key == other && same(one, two))
        }
        _ => one == two,
    }
}

fn shown(value: &Value<'_>) -> String {
    let style = json::Style {
        indented: false,
        html_safe: false,
    };
    let mut out = Vec::new();
    match json::write(value, style, &mut out) {
        Ok(()) => {
            let text = String::from_utf8_lossy(&out).into_owned();
            let cut = text
                .char_indices()
                .nth(400)
                .map_or(text.len(), |(at, _)| at);
            text[..cut].to_owned()
        }
        Err(fault) => fault.to_string(),
    }
}

impl Outcome {
    fn shown(&self) -> String {
        match self {
            Self::Value(value) => shown(value),
            Self::Error(kind, text) => {
                let cut = text
                    .char_indices()
                    .nth(200)
                    .map_or(text.len(), |(at, _)| at);
                format!("{kind} ({})", &text[..cut])
            }
        }
    }
}
