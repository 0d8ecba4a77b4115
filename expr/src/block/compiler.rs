//! A block's value to nodes, and everything that is wrong with it.
//!
//! Owns the path of what is being compiled, and what the programs of the block read.

use super::Program;
use super::constant::constant;
use super::node::Node;
use super::wrapper::{TEMPLATE, VARIABLES, Wrapper};
use crate::compile::{CompileError, Dialect, ErrorKind, Mode};
use crate::limits::Limits;
use crate::reads::Reads;
use crate::value::{Text, Tree, Value};

pub(super) struct Compiler<'l> {
    to: (Mode, Dialect),
    limits: &'l Limits,
    /// Of the value at hand: `a.b[0]`.
    path: String,
    pub(super) errors: Vec<CompileError>,
    pub(super) reads: Reads,
    pub(super) taken_as_cel: Vec<String>,
}

impl<'l> Compiler<'l> {
    pub(super) fn new(to: (Mode, Dialect), limits: &'l Limits) -> Self {
        Self {
            to,
            limits,
            path: String::new(),
            errors: Vec::new(),
            reads: Reads::default(),
            taken_as_cel: Vec::new(),
        }
    }

    /// Compiles a value that is `depth` lists and objects deep in the block.
    pub(super) fn node(&mut self, value: &Value<'_>, depth: usize) -> Node {
        if depth > self.limits.depth {
            let message = format!("nested deeper than {}", self.limits.depth);
            self.wrong(ErrorKind::Limit, message);
            return Node::Literal(Value::Nil);
        }
        match value {
            Value::Text(text) => match self.program(text) {
                Some(program) => match constant(&program, self.to, self.limits) {
                    Some(value) => Node::Literal(value),
                    None => Node::Program(Box::new(program)),
                },
                None => Node::Literal(Value::Nil),
            },
            Value::List(list) => {
                let values = list.values();
                let nodes = values.iter().enumerate();
                Node::list(
                    nodes
                        .map(|(i, value)| self.below(&format!("[{i}]"), value, depth))
                        .collect(),
                )
            }
            Value::Map(map) => {
                let tree = map.tree();
                match tree.get(TEMPLATE) {
                    Some(template) => self.wrapper(template, &tree, depth),
                    None => self.object(&tree, depth),
                }
            }
            other => Node::Literal(other.clone().into_owned()),
        }
    }

    /// Compiles a value one level below, whose part of the path is `segment`.
    fn below(&mut self, segment: &str, value: &Value<'_>, depth: usize) -> Node {
        let len = self.enter(segment);
        let node = self.node(value, depth + 1);
        self.path.truncate(len);
        node
    }

    /// Adds a segment to the path; the path's length before.
    fn enter(&mut self, segment: &str) -> usize {
        let len = self.path.len();
        if len > 0 && !segment.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(segment);
        len
    }

    fn object(&mut self, tree: &Tree<'_>, depth: usize) -> Node {
        let mut entries = Vec::with_capacity(tree.len());
        for (key, value) in tree {
            let name = String::from_utf8_lossy(key.bytes());
            let node = self.below(&name, value, depth);
            entries.push((key.clone().into_owned(), node));
        }
        Node::object(entries)
    }

    fn wrapper(&mut self, template: &Value<'_>, tree: &Tree<'_>, depth: usize) -> Node {
        let program = self.expression(template);
        let variables = tree
            .get(VARIABLES)
            .filter(|variables| variables.as_map().is_some())
            .map(|variables| self.below("$bubuTemplateVars", variables, depth));
        self.ignored(tree, depth);
        let Some((program, reads)) = program else {
            return Node::Literal(Value::Nil);
        };
        // What the variables replace is not read.
        let names: Vec<&str> = match (&variables, tree.get(VARIABLES)) {
            (Some(Node::Object(_) | Node::Literal(_)), Some(Value::Map(given))) => {
                let given = given.tree();
                let roots = ["inputs", "packet", "steps"].into_iter();
                roots
                    .filter(|root| given.contains_key(root.as_bytes()))
                    .collect()
            }
            _ => Vec::new(),
        };
        self.reads.merge(&reads.without(&names));
        Node::Wrapper(Box::new(Wrapper { program, variables }))
    }

    /// The expression of a wrapper, and what it reads.
    fn expression(&mut self, template: &Value<'_>) -> Option<(Program, Reads)> {
        let len = self.enter("$bubuTemplate");
        let before = std::mem::take(&mut self.reads);
        let program = match template {
            Value::Text(text) => self.program(text),
            other => {
                let message = format!("must be a string, not {}", other.type_name());
                self.wrong(ErrorKind::Type, message);
                None
            }
        };
        let reads = std::mem::replace(&mut self.reads, before);
        self.path.truncate(len);
        program.map(|program| (program, reads))
    }

    /// Compiles what a wrapper holds besides, only to find what is wrong with it.
    fn ignored(&mut self, tree: &Tree<'_>, depth: usize) {
        let (reads, warned) = (self.reads.clone(), self.taken_as_cel.len());
        for (key, value) in tree {
            let is_used = match key.bytes() {
                TEMPLATE => true,
                VARIABLES => value.as_map().is_some(),
                _ => false,
            };
            if !is_used {
                self.below(&String::from_utf8_lossy(key.bytes()), value, depth);
            }
        }
        self.reads = reads;
        self.taken_as_cel.truncate(warned);
    }

    fn program(&mut self, text: &Text<'_>) -> Option<Program> {
        let Ok(source) = std::str::from_utf8(text.bytes()) else {
            self.wrong(ErrorKind::Type, "a text that is no UTF-8".to_owned());
            return None;
        };
        match Program::compile(source, self.to, self.limits) {
            Ok(program) => {
                self.reads.merge(program.reads());
                if program.is_fallback(self.to.1) {
                    self.taken_as_cel.push(self.path.clone());
                }
                Some(program)
            }
            Err(errors) => {
                self.errors
                    .extend(errors.into_iter().map(|error| CompileError {
                        path: self.path.clone(),
                        ..error
                    }));
                None
            }
        }
    }

    /// Notes what is wrong with the value at hand as a whole.
    fn wrong(&mut self, kind: ErrorKind, message: String) {
        self.errors.push(CompileError {
            kind,
            path: self.path.clone(),
            column: 1,
            expression: String::new(),
            message,
            near: None,
        });
    }
}
