//! The strings of a block, each with its path and line.
//!
//! Owns: paths inside a value, in the form in which `expr` gives them. Never does: compile.

use crate::story::yaml::{self, Data, Node};
use crate::story::{Located, Place};

/// The key whose string is a template with variables of its own (spec 4.1).
const TEMPLATE: &str = "$bubuTemplate";
/// The key of these variables.
const VARIABLES: &str = "$bubuTemplateVars";

/// A string of a block that may be an expression.
#[derive(Debug)]
pub(super) struct Leaf<'n> {
    /// From the block's root, `a.b[0]`; empty for the root itself.
    pub(super) path: String,
    /// Line of the value.
    pub(super) line: u32,
    pub(super) text: &'n str,
    /// Whether variables beside it take the place of `steps`.
    pub(super) has_own_steps: bool,
}

/// Every string of the block that holds an action, in order.
pub(super) fn leaves(block: &Node) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    collect(block, String::new(), false, &mut found);
    found
}

fn collect<'n>(node: &'n Node, path: String, has_own_steps: bool, found: &mut Vec<Leaf<'n>>) {
    match &node.data {
        Data::Scalar(scalar) => {
            if scalar.text.contains("{{") {
                found.push(Leaf {
                    path,
                    line: node.line,
                    text: &scalar.text,
                    has_own_steps,
                });
            }
        }
        Data::List(items) => {
            for (i, item) in items.iter().enumerate() {
                collect(item, format!("{path}[{i}]"), has_own_steps, found);
            }
        }
        Data::Map(entries) => {
            let wraps = node.get(TEMPLATE).is_some();
            let own = node.get(VARIABLES).is_some_and(may_give_steps);
            for entry in entries.iter() {
                let is_template = entry.key == TEMPLATE;
                if wraps && !is_template && entry.key != VARIABLES {
                    continue;
                }
                let mut path = path.clone();
                yaml::join(&mut path, &entry.key);
                let has_own_steps = has_own_steps || (is_template && own);
                collect(&entry.value, path, has_own_steps, found);
            }
        }
    }
}

/// Whether variables may hold `steps`: those that an expression makes may hold anything.
fn may_give_steps(variables: &Node) -> bool {
    match &variables.data {
        Data::Map(_) => variables.get("steps").is_some(),
        _ => true,
    }
}

/// Where the value at `path` inside a block stands.
pub(super) fn place(block: &Located, path: &str) -> Place {
    let line = line_of(&block.node, "", path).unwrap_or(block.place.line);
    Place {
        line,
        path: below(&block.place.path, path),
        ..block.place.clone()
    }
}

/// A path inside a block, from the document's root.
pub(super) fn below(block: &str, path: &str) -> String {
    match path.chars().next() {
        None => block.to_owned(),
        Some('[') => format!("{block}{path}"),
        Some(_) => format!("{block}.{path}"),
    }
}

fn line_of(node: &Node, at: &str, path: &str) -> Option<u32> {
    if at == path {
        return Some(node.line);
    }
    if !path.starts_with(at) {
        return None;
    }
    match &node.data {
        Data::Scalar(_) => None,
        Data::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(i, item)| line_of(item, &format!("{at}[{i}]"), path)),
        Data::Map(entries) => entries.iter().find_map(|entry| {
            let mut at = at.to_owned();
            yaml::join(&mut at, &entry.key);
            line_of(&entry.value, &at, path)
        }),
    }
}

/// Whether a block can come to an object: a mapping, or one text that is an expression.
pub(super) fn may_be_object(block: &Node) -> bool {
    match &block.data {
        Data::Map(_) => true,
        Data::List(_) => false,
        Data::Scalar(scalar) => scalar.text.contains("{{"),
    }
}
