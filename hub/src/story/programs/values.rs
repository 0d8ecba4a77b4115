//! The strings of a block, each with its path and line.
//!
//! Owns: paths inside a value, in the form in which `expr` gives them. Never does: compile.

use std::collections::HashMap;

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

/// Where a string of a block stands.
pub(super) fn leaf_place(block: &Located, leaf: &Leaf<'_>) -> Place {
    Place {
        line: leaf.line,
        path: below(&block.place.path, &leaf.path),
        ..block.place.clone()
    }
}

/// Where the values at `paths` inside a block stand, in the order of the paths.
pub(super) fn places<'p>(block: &Located, paths: impl IntoIterator<Item = &'p str>) -> Vec<Place> {
    // One walk however many they are: a hostile block may hold thousands of errors.
    let mut lines = HashMap::new();
    note_lines(&block.node, String::new(), &mut lines);
    let place = |path: &str| Place {
        line: lines.get(path).copied().unwrap_or(block.place.line),
        path: below(&block.place.path, path),
        ..block.place.clone()
    };
    paths.into_iter().map(place).collect()
}

fn note_lines(node: &Node, at: String, lines: &mut HashMap<String, u32>) {
    match &node.data {
        Data::Scalar(_) => {}
        Data::List(items) => {
            for (i, item) in items.iter().enumerate() {
                note_lines(item, format!("{at}[{i}]"), lines);
            }
        }
        Data::Map(entries) => {
            for entry in entries.iter() {
                let mut at = at.clone();
                yaml::join(&mut at, &entry.key);
                note_lines(&entry.value, at, lines);
            }
        }
    }
    lines.entry(at).or_insert(node.line);
}

/// A path inside a block, from the document's root.
pub(super) fn below(block: &str, path: &str) -> String {
    match path.chars().next() {
        None => block.to_owned(),
        Some('[') => format!("{block}{path}"),
        Some(_) => format!("{block}.{path}"),
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
