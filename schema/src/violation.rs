//! Why a value does not match, in few words.

use std::fmt::{self, Write};

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use crate::limits::TEXT_BYTES;

/// What is wrong with a value. The fault of whoever made the value; the same value fails again.
/// Never holds more of it than a few names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    path: String,
    message: String,
}

impl Violation {
    pub(crate) fn new(path: &str, message: &dyn fmt::Display) -> Self {
        Self {
            path: short(&path),
            message: short(message),
        }
    }

    /// The most telling of what `error` holds: of branches that all failed, the one that fits best.
    pub(crate) fn of(error: &ValidationError<'_>, value: &Value) -> Self {
        let nearest = nearest(error, 0);
        let path = path(nearest, value);
        Self::new(&path, &nearest.masked_with("the value"))
    }

    /// Where in the value, as `user.tags[2]`; empty for the value itself. At most
    /// [`TEXT_BYTES`](crate::limits::TEXT_BYTES).
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there, in one line of at most [`TEXT_BYTES`](crate::limits::TEXT_BYTES).
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Violation {}

/// Of alternatives that all failed, the error that lies deepest in the value: that branch matched
/// the most.
fn nearest<'e, 'v>(error: &'e ValidationError<'v>, depth: usize) -> &'e ValidationError<'v>
where
    'static: 'v,
{
    const DEPTH: usize = 8;
    let context = match error.kind() {
        ValidationErrorKind::AnyOf { context } => context,
        ValidationErrorKind::OneOfNotValid { context } => context,
        _ => return error,
    };
    let own = steps(error);
    let firsts = context.iter().filter_map(|branch| branch.first());
    let deeper = firsts
        .filter(|inner| steps(inner) > own)
        .max_by_key(|inner| steps(inner));
    match deeper {
        Some(inner) if depth < DEPTH => nearest(inner, depth + 1),
        _ => error,
    }
}

fn steps(error: &ValidationError<'_>) -> usize {
    error.instance_path().segments().count()
}

fn path(error: &ValidationError<'_>, value: &Value) -> String {
    let mut out = String::new();
    let mut place = Some(value);
    for segment in error.instance_path().segments() {
        if out.len() > TEXT_BYTES {
            break;
        }
        // A pointer alone does not tell an index from a key of digits.
        match (segment, place) {
            (LocationSegment::Index(index), Some(Value::Array(list))) => {
                place = list.get(index);
                let _ = write!(out, "[{index}]");
            }
            (LocationSegment::Index(index), _) => {
                let name = index.to_string();
                place = place.and_then(|map| map.get(&name));
                push_name(&mut out, &name);
            }
            (LocationSegment::Property(name), _) => {
                place = place.and_then(|map| map.get(name.as_ref()));
                push_name(&mut out, &name);
            }
        }
    }
    out
}

fn push_name(out: &mut String, name: &str) {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '$';
    if name.is_empty() || !name.chars().all(plain) {
        let _ = write!(out, "[{name:?}]");
    } else {
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(name);
    }
}

/// `text` in one line of at most [`TEXT_BYTES`]; no more of it is ever written out.
pub(crate) fn short(text: &dyn fmt::Display) -> String {
    let mut line = Line(String::new());
    if write!(line, "{text}").is_err() {
        line.0.push('…');
    }
    line.0
}

/// Refuses to take more than there is room for, which ends the writing.
struct Line(String);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.0.len() + c.len_utf8() > TEXT_BYTES - '…'.len_utf8() {
                return Err(fmt::Error);
            }
            self.0.push(if c.is_control() { ' ' } else { c });
        }
        Ok(())
    }
}
