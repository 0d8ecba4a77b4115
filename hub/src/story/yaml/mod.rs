//! YAML text to nodes with lines.
//!
//! Owns: the tree of a document, its bounds (depth, size, what aliases expand to), duplicate
//! keys, merge keys. Never does: know what a field means.
//!
//! The tree is built from the parser's events with a stack of our own, because a recursive
//! loader lets a hostile file overflow the thread's stack.

mod builder;
mod scalar;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use saphyr_parser::{Event, Parser};

use builder::Builder;
pub(super) use scalar::{Meaning, Scalar};

/// One YAML value and the line where it begins. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::story) struct Node {
    /// From 1.
    pub(in crate::story) line: u32,
    pub(in crate::story) data: Data,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::story) enum Data {
    Scalar(Scalar),
    List(Arc<Vec<Node>>),
    Map(Arc<Vec<Entry>>),
}

/// One key of a mapping with its value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::story) struct Entry {
    pub(in crate::story) key: String,
    /// Line of the key.
    pub(in crate::story) line: u32,
    pub(in crate::story) value: Node,
}

/// Something wrong with a document that is YAML all the same.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::story) struct Fault {
    pub(in crate::story) line: u32,
    pub(in crate::story) path: String,
    pub(in crate::story) text: String,
}

/// What a text holds: documents that are not empty, faults, and where it stops being YAML.
#[derive(Debug, Default)]
pub(in crate::story) struct Parsed {
    pub(in crate::story) documents: Vec<Node>,
    pub(in crate::story) faults: Vec<Fault>,
    /// Line and text; what follows was not read.
    pub(in crate::story) broken: Option<(u32, String)>,
}

impl Node {
    /// The value of a mapping's key.
    pub(in crate::story) fn get(&self, key: &str) -> Option<&Node> {
        match &self.data {
            Data::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == key)
                .map(|entry| &entry.value),
            _ => None,
        }
    }

    pub(in crate::story) fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar(scalar) if scalar.meaning == Meaning::Null)
    }

    /// The value as JSON; the parser let no number in that JSON cannot say.
    pub(in crate::story) fn json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.data {
            Data::Scalar(scalar) => match scalar.meaning {
                Meaning::Null => Value::Null,
                Meaning::Boolean(flag) => Value::Bool(flag),
                Meaning::Integer(number) => i64::try_from(number)
                    .map(Value::from)
                    .or_else(|_| u64::try_from(number).map(Value::from))
                    .unwrap_or_else(|_| Value::from(number as f64)),
                Meaning::Fraction(number) => Value::from(number),
                Meaning::Text => Value::from(scalar.text.as_ref()),
            },
            Data::List(items) => items.iter().map(Node::json).collect(),
            Data::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.value.json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// Adds a key to a path.
pub(in crate::story) fn join(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// Reads every document of a text.
pub(in crate::story) fn parse(text: &str) -> Parsed {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let step = match next {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.take(event, line(span.start.line())),
            Err(error) => {
                let mark = error.marker();
                let at = blamed(text, line(mark.line()), error.info());
                Err((at, format!("column {}: {}", mark.col() + 1, error.info())))
            }
        };
        if let Err((at, why)) = step {
            builder.parsed.broken = Some((at, format!("line {at}, {why}")));
            break;
        }
    }
    builder.parsed
}

fn line(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// The line of an error. For a tab in an indentation the parser names the line before it, for
/// an unfinished file a line past its end.
fn blamed(text: &str, line: u32, info: &str) -> u32 {
    let lines: Vec<&str> = text.split(['\n', '\r']).collect();
    let count = lines.len() - text.matches("\r\n").count();
    let count = if text.ends_with(['\n', '\r']) {
        count - 1
    } else {
        count
    };
    let indented_by_tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    let next = text.lines().nth(line as usize);
    let tab_follows = info.contains("tab") && next.is_some_and(indented_by_tab);
    (line + u32::from(tab_follows)).clamp(1, u32::try_from(count.max(1)).unwrap_or(u32::MAX))
}
