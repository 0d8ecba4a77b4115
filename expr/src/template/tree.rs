//! What a template is once it is parsed.

use super::number::Number;
use crate::functions::Function;

/// A list of nodes, in the order of the text.
pub(super) type Nodes = Vec<Node>;

#[derive(Debug)]
pub(super) enum Node {
    Text(Box<[u8]>),
    Action(Pipe),
    If(Pipe, Nodes, Nodes),
    With(Pipe, Nodes, Nodes),
    Range(Pipe, Nodes, Nodes),
    Break,
    Continue,
    /// An inclusion, which no scope allows: its name and place.
    Include(String, usize),
}

/// Commands in a row, each given the result of the one before; and the variables that get
/// the last result.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    pub(super) declares: Vec<Variable>,
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A variable's name, as a number.
pub(super) type Variable = u32;

/// The variable `$`.
pub(super) const ROOT: Variable = 0;

/// The first operand is what is done, the others are its arguments.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) operands: Vec<Operand>,
}

#[derive(Debug)]
pub(super) struct Operand {
    pub(super) term: Term,
    /// Column in the source, from 1.
    pub(super) column: usize,
}

/// Names of fields, one after the other.
pub(super) type Path = Vec<Box<str>>;

#[derive(Debug)]
pub(super) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Text(Box<[u8]>),
    Field(Path),
    Variable(Variable, Path),
    Function(&'static Function),
    Pipe(Pipe),
    Chain(Box<Operand>, Path),
}

impl Term {
    /// Whether it can only stand first in a pipeline.
    pub(super) fn is_literal(&self) -> bool {
        matches!(
            self,
            Self::Dot | Self::Nil | Self::Bool(_) | Self::Number(_) | Self::Text(_)
        )
    }
}
