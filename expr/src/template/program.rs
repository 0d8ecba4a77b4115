//! A compiled template, and what it gives.

use super::eval::{Cx, Eval};
use super::offloaded::holds_reference;
use super::parser::{self, Parsed, Wrong};
use super::path::{BarePath, bare};
use super::reads::{named_steps, reads};
use super::scope::check;
use super::shortcut::MetadataTest;
use super::tree::{Node, Nodes, Pipe};
use crate::characters::trim_space;
use crate::compile::{CompileError, ErrorKind, Mode};
use crate::fault::{Bound, Fault};
use crate::format;
use crate::json;
use crate::limits::Limits;
use crate::reads::Reads;
use crate::value::{IntType, Text, Value};

/// One text of a block, compiled.
#[derive(Debug)]
pub struct Template {
    source: Box<str>,
    body: Body,
    /// Steps whose whole output must be at hand.
    steps: Vec<Box<[u8]>>,
    reads: Reads,
}

#[derive(Debug)]
enum Body {
    Literal,
    Path(BarePath),
    /// One action and nothing else: its result keeps its type where it is JSON.
    Action {
        pipe: Pipe,
        typed: bool,
    },
    Nodes {
        nodes: Nodes,
        typed: bool,
    },
}

impl Template {
    /// Compiles a text for a mode.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its column (`path` is left empty).
    pub fn compile(source: &str, mode: Mode, limits: &Limits) -> Result<Self, Vec<CompileError>> {
        let error = |kind, column, message: String, near| CompileError {
            kind,
            path: String::new(),
            column,
            expression: source.to_owned(),
            message,
            near,
        };
        if source.len() > limits.source_bytes {
            let message = format!("longer than {} bytes", limits.source_bytes);
            return Err(vec![error(ErrorKind::Limit, 1, message, None)]);
        }
        if !source.contains("{{") {
            return Ok(Self::literal(source));
        }
        let parsed = parser::parse(source, mode.functions(), limits.nesting).map_err(
            |Wrong {
                 column,
                 message,
                 near,
             }| { vec![error(ErrorKind::Parse, column, message, near)] },
        )?;
        let strays = check(&parsed.nodes, mode.roots());
        if !strays.is_empty() {
            let errors = strays.into_iter();
            return Err(errors
                .map(|stray| error(ErrorKind::Scope, stray.column, stray.message, stray.near))
                .collect());
        }
        let mut steps = Vec::new();
        named_steps(&parsed.nodes, &mut steps);
        steps.sort();
        steps.dedup();
        let reads = reads(&parsed.nodes);
        Ok(Self {
            source: source.into(),
            body: Body::of(source, parsed, mode, limits),
            steps,
            reads,
        })
    }

    fn literal(source: &str) -> Self {
        Self {
            source: source.into(),
            body: Body::Literal,
            steps: Vec::new(),
            reads: Reads::default(),
        }
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Whether it is text without any action.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self.body, Body::Literal)
    }

    /// The comparison with metadata that it is, if it is one.
    pub(crate) fn metadata_test(&self) -> Option<MetadataTest> {
        match &self.body {
            Body::Action { pipe, .. } => MetadataTest::of(pipe),
            Body::Literal | Body::Path(_) | Body::Nodes { .. } => None,
        }
    }

    /// The value of the text over the variables `root`.
    pub(crate) fn evaluate<'v>(
        &'v self,
        root: &Value<'v>,
        cx: &Cx<'_>,
    ) -> Result<Value<'v>, Fault> {
        match &self.body {
            Body::Literal => Ok(Value::text(&self.source)),
            Body::Path(path) => path.evaluate(root, &cx.meter),
            Body::Action { pipe, typed } => {
                self.check_at_hand(root, cx)?;
                let value = Eval::new(cx, root.clone()).value(pipe)?;
                finished(value, *typed, cx)
            }
            Body::Nodes { nodes, typed } => {
                self.check_at_hand(root, cx)?;
                let text = Eval::new(cx, root.clone()).render(nodes)?;
                Ok(parsed(Text::from(text), *typed))
            }
        }
    }

    /// Fails where a step that is named holds a reference to data kept elsewhere.
    fn check_at_hand(&self, root: &Value<'_>, cx: &Cx<'_>) -> Result<(), Fault> {
        if self.steps.is_empty() {
            return Ok(());
        }
        let Some(steps) = root.get("steps") else {
            return Ok(());
        };
        let Some(steps) = steps.as_map() else {
            return Ok(());
        };
        for name in &self.steps {
            let Some(step) = steps.get(name) else {
                continue;
            };
            if holds_reference(&step, &cx.meter)? {
                return Err(Fault::Offloaded(format!(
                    "step {} holds a storage reference",
                    String::from_utf8_lossy(name)
                )));
            }
        }
        Ok(())
    }
}

impl Body {
    fn of(source: &str, parsed: Parsed, mode: Mode, limits: &Limits) -> Self {
        let trimmed = source.trim();
        let is_exact = trimmed.len() == source.len();
        // Space around an action is text, which only its type does not see.
        let single = if is_exact {
            Single::of(&parsed, trimmed)
        } else {
            parser::parse(trimmed, mode.functions(), limits.nesting)
                .map_or(Single::No, |parsed| Single::of(&parsed, trimmed))
        };
        let typed = !matches!(single, Single::No) && parsed.only_builtins;
        let mut nodes = parsed.nodes;
        match (single, nodes.pop()) {
            (Single::Path(path), _) => Self::Path(path),
            (Single::Action, Some(Node::Action(pipe))) if is_exact && pipe.declares.is_empty() => {
                Self::Action { pipe, typed }
            }
            (_, last) => {
                nodes.extend(last);
                Self::Nodes { nodes, typed }
            }
        }
    }
}

/// Whether a text, less the space around it, is a single action.
enum Single {
    No,
    /// Besides comments.
    Action,
    Path(BarePath),
}

impl Single {
    fn of(parsed: &Parsed, text: &str) -> Self {
        let [Node::Action(pipe)] = parsed.nodes.as_slice() else {
            return Self::No;
        };
        let inside = text
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
            .filter(|_| parsed.is_one_action);
        match inside.and_then(|inside| bare(pipe, inside)) {
            Some(path) => Self::Path(path),
            None => Self::Action,
        }
    }
}

/// What a single action gives: where it is `typed`, what its text says as JSON.
fn finished<'v>(value: Value<'v>, typed: bool, cx: &Cx<'_>) -> Result<Value<'v>, Fault> {
    let shown = match value {
        Value::Bool(bit) if typed => return Ok(Value::Bool(bit)),
        Value::Int(IntType::Int | IntType::Int64, number) if typed => {
            return Ok(Value::Float(number as f64));
        }
        Value::Bool(bit) => return Ok(Value::text(if bit { "true" } else { "false" })),
        Value::Absent | Value::Nil => return Ok(Value::text("<no value>")),
        Value::Text(text) => text,
        other => Text::from(format::metered(&other, cx)?),
    };
    if shown.len() > cx.limits.output_bytes {
        return Err(Fault::Limit(Bound::Output));
    }
    cx.meter.make(shown.len())?;
    Ok(parsed(shown, typed))
}

/// The text, or what it says as JSON where it is `typed` and valid.
fn parsed(text: Text<'_>, typed: bool) -> Value<'_> {
    let trimmed = trim_space(text.bytes());
    // Most texts cannot be JSON, as their first byte tells.
    let may_be = trimmed.first().is_some_and(|byte| {
        matches!(
            byte,
            b'{' | b'[' | b'"' | b'-' | b't' | b'f' | b'n' | b'0'..=b'9'
        )
    });
    match (typed && may_be).then(|| json::parse(trimmed)).flatten() {
        Some(value) => value,
        None => Value::Text(text),
    }
}
