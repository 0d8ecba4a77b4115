//! What a template reads, and which steps it names.

use super::tree::{Command, Node, Operand, Pipe, ROOT, Term};
use crate::reads::Reads;

/// Everything that `nodes` may read.
pub(super) fn reads(nodes: &[Node]) -> Reads {
    let mut walk = Walk {
        out: Reads::default(),
    };
    walk.nodes(nodes, false);
    walk.out
}

struct Walk {
    out: Reads,
}

impl Walk {
    fn nodes(&mut self, nodes: &[Node], moved: bool) {
        for node in nodes {
            match node {
                Node::Action(pipe) => self.pipe(pipe, moved),
                Node::If(pipe, then, otherwise) => {
                    self.pipe(pipe, moved);
                    self.nodes(then, moved);
                    self.nodes(otherwise, moved);
                }
                Node::With(pipe, then, otherwise) | Node::Range(pipe, then, otherwise) => {
                    self.pipe(pipe, moved);
                    self.nodes(then, true);
                    self.nodes(otherwise, moved);
                }
                _ => {}
            }
        }
    }

    fn pipe(&mut self, pipe: &Pipe, moved: bool) {
        for command in &pipe.commands {
            self.command(command, moved, &[]);
        }
    }

    /// A command whose result has `fields` asked of it.
    fn command(&mut self, command: &Command, moved: bool, fields: &[Box<str>]) {
        if let Some((object, keys)) = lookup(command)
            && let Some(mut path) = path_of(object, moved)
        {
            path.extend(keys);
            path.extend_from_slice(fields);
            self.out.add(path);
            return;
        }
        for operand in &command.operands {
            self.operand(operand, moved);
        }
    }

    fn operand(&mut self, operand: &Operand, moved: bool) {
        match &operand.term {
            Term::Pipe(pipe) => self.pipe(pipe, moved),
            Term::Chain(inner, fields) => match &inner.term {
                Term::Pipe(pipe) => match pipe.commands.as_slice() {
                    [only] if pipe.declares.is_empty() => self.command(only, moved, fields),
                    _ => self.pipe(pipe, moved),
                },
                _ => self.operand(inner, moved),
            },
            _ => {
                if let Some(path) = path_of(operand, moved) {
                    self.out.add(path);
                }
            }
        }
    }
}

/// The path below the roots that an operand is; `None` where it reads nothing itself.
fn path_of(operand: &Operand, moved: bool) -> Option<Vec<Box<str>>> {
    match &operand.term {
        Term::Field(path) => Some(path.clone()),
        Term::Variable(ROOT, path) => Some(path.clone()),
        Term::Dot if !moved => Some(Vec::new()),
        _ => None,
    }
}

/// A lookup by keys that are known: the object and the keys.
fn lookup(command: &Command) -> Option<(&Operand, Vec<Box<str>>)> {
    let (first, args) = command.operands.split_first()?;
    let Term::Function(function) = &first.term else {
        return None;
    };
    if !matches!(function.name, "index" | "get" | "hasKey") {
        return None;
    }
    let (object, keys) = args.split_first()?;
    let keys: Option<Vec<Box<str>>> = keys
        .iter()
        .map(|key| match &key.term {
            Term::Text(text) => std::str::from_utf8(text).ok().map(Box::from),
            _ => None,
        })
        .collect();
    keys.filter(|keys| !keys.is_empty())
        .map(|keys| (object, keys))
}

/// The steps that a template names so that their whole output must be at hand.
pub(super) fn named_steps(nodes: &[Node], out: &mut Vec<Box<[u8]>>) {
    for node in nodes {
        match node {
            Node::Action(pipe) => steps_of_pipe(pipe, out),
            Node::If(pipe, then, otherwise)
            | Node::With(pipe, then, otherwise)
            | Node::Range(pipe, then, otherwise) => {
                steps_of_pipe(pipe, out);
                named_steps(then, out);
                named_steps(otherwise, out);
            }
            _ => {}
        }
    }
}

fn steps_of_pipe(pipe: &Pipe, out: &mut Vec<Box<[u8]>>) {
    for command in &pipe.commands {
        steps_of_command(command, out);
    }
}

fn is_steps(path: &[Box<str>]) -> bool {
    path.first().is_some_and(|root| &**root == "steps")
}

fn steps_of_command(command: &Command, out: &mut Vec<Box<[u8]>>) {
    if let [first, object, key, ..] = command.operands.as_slice()
        && let (Term::Function(function), Term::Field(path), Term::Text(key)) =
            (&first.term, &object.term, &key.term)
        && function.name == "index"
        && is_steps(path)
    {
        out.push(key.clone());
    }
    for operand in &command.operands {
        match &operand.term {
            Term::Field(path) if is_steps(path) => {
                out.extend(path.get(1).map(|name| name.as_bytes().into()));
            }
            Term::Chain(inner, _) => {
                if let Term::Pipe(pipe) = &inner.term {
                    steps_of_pipe(pipe, out);
                }
            }
            Term::Pipe(pipe) => steps_of_pipe(pipe, out),
            _ => {}
        }
    }
}
