//! Which roots a template may read where it stands (spec 4.1), checked when it is compiled.
//!
//! Every name that is asked of the dot must be a root, also where `range` or `with` moved the
//! dot and in branches that never run: what an author writes means the same everywhere. Paths
//! from `$` and from variables are free. Never evaluates anything.

use super::tree::{Command, Node, Operand, Pipe, Term};
use crate::fault::nearest;

/// A name that may not be read, or an inclusion.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stray {
    /// Where in the source, from 1.
    pub(super) column: usize,
    pub(super) message: String,
    /// The root that may have been meant.
    pub(super) near: Option<String>,
}

/// Everything in `nodes` that the scope `roots` does not allow, in the order of the text.
pub(super) fn check(nodes: &[Node], roots: &'static [&'static str]) -> Vec<Stray> {
    let mut check = Check {
        roots,
        strays: Vec::new(),
    };
    check.nodes(nodes);
    check.strays
}

struct Check {
    roots: &'static [&'static str],
    strays: Vec<Stray>,
}

impl Check {
    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Action(pipe) => self.pipe(pipe),
                Node::If(pipe, then, otherwise)
                | Node::With(pipe, then, otherwise)
                | Node::Range(pipe, then, otherwise) => {
                    self.pipe(pipe);
                    self.nodes(then);
                    self.nodes(otherwise);
                }
                Node::Include(name, column) => self.strays.push(Stray {
                    column: *column,
                    message: format!("template inclusion is not supported ({name})"),
                    near: None,
                }),
                Node::Text(_) | Node::Break | Node::Continue => {}
            }
        }
    }

    fn pipe(&mut self, pipe: &Pipe) {
        for command in &pipe.commands {
            if let Some((name, column)) = name_asked_of_dot(command) {
                self.name(name, column);
            }
            for operand in &command.operands {
                self.operand(operand);
            }
        }
    }

    fn operand(&mut self, operand: &Operand) {
        match &operand.term {
            Term::Field(path) => {
                if let Some(name) = path.first() {
                    self.name(name, operand.column);
                }
            }
            Term::Pipe(pipe) => self.pipe(pipe),
            Term::Chain(inner, path) => {
                if let Some(name) = path.first().filter(|_| is_dot(inner)) {
                    self.name(name, operand.column);
                }
                self.operand(inner);
            }
            _ => {}
        }
    }

    fn name(&mut self, name: &str, column: usize) {
        if self.roots.contains(&name) {
            return;
        }
        self.strays.push(Stray {
            column,
            message: format!("{name:?} may not be read here"),
            near: nearest(name, self.roots.iter().copied()).map(str::to_owned),
        });
    }
}

/// Whether an operand is the dot, in parentheses or not.
fn is_dot(operand: &Operand) -> bool {
    match &operand.term {
        Term::Dot => true,
        Term::Pipe(pipe) => match pipe.commands.as_slice() {
            [only] => matches!(only.operands.as_slice(), [operand] if is_dot(operand)),
            _ => false,
        },
        _ => false,
    }
}

/// The name that a call asks of the dot, and its column: `index . "k"`, `get . "k"` and
/// `dig "k" ... .`. Other functions may ask for anything: without the dot they find nothing.
fn name_asked_of_dot(command: &Command) -> Option<(&str, usize)> {
    let (first, args) = command.operands.split_first()?;
    let Term::Function(function) = &first.term else {
        return None;
    };
    let (object, key) = match (function.name, args) {
        ("index" | "get", [object, key, ..]) => (object, key),
        ("dig", [key, .., object]) => (object, key),
        _ => return None,
    };
    match &key.term {
        Term::Text(name) if is_dot(object) => {
            Some((std::str::from_utf8(name).unwrap_or_default(), key.column))
        }
        _ => None,
    }
}
