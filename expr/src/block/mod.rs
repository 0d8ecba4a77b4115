//! Blocks and conditions of a Story: what the hub compiles once and evaluates per packet.
//!
//! Owns how programs stand in a block's value (every string of it is one, keys are none), what
//! `$bubuTemplate` means, and the truth of a condition (spec 4.1). Never parses an expression
//! itself ([`Program`] does), and knows nothing of packets or edges.

mod compiler;
mod condition;
mod constant;
mod node;
mod wrapper;

pub use condition::Condition;

use crate::chance::Chance;
use crate::compile::{CompileError, Dialect, ErrorKind, Mode};
use crate::fault::Fault;
use crate::limits::{Limits, Meter};
use crate::program::Program;
use crate::reads::Reads;
use crate::template::Cx;
use crate::value::{Fields, Map, Text, Value};
use compiler::Compiler;
use node::{Node, Place};

/// What an evaluation is told of the world: it asks nothing itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// The current time, in nanoseconds since 1970.
    pub now_nanos: i64,
    /// What the random functions begin with: equal seeds give equal values.
    pub seed: u64,
}

impl Surroundings {
    /// What one evaluation has at hand.
    fn of<'l>(&self, limits: &'l Limits) -> Cx<'l> {
        Cx {
            limits,
            meter: Meter::new(limits),
            chance: Chance::new(self.seed),
            now: self.now_nanos,
        }
    }
}

/// A compiled `runtime` or `with` block.
#[derive(Debug)]
pub struct Block {
    node: Node,
    mode: Mode,
    limits: Limits,
    reads: Reads,
    taken_as_cel: Vec<String>,
}

impl Block {
    /// Compiles every string in `value`; keys are none. `value` is an object, or one field's
    /// value of it.
    ///
    /// # Errors
    /// Everything that is wrong anywhere in the block, each with its path and column; what is
    /// only over a limit comes last.
    pub fn compile(
        value: &Value<'_>,
        (mode, dialect): (Mode, Dialect),
        limits: Limits,
    ) -> Result<Self, Vec<CompileError>> {
        let mut compiler = Compiler::new((mode, dialect), &limits);
        let node = compiler.node(value, 0);
        let Compiler {
            mut errors,
            reads,
            taken_as_cel,
            ..
        } = compiler;
        if !errors.is_empty() {
            errors.sort_by_key(|error| error.kind == ErrorKind::Limit);
            return Err(errors);
        }
        let hidden: &[&str] = match mode {
            Mode::If | Mode::Runtime => &[],
            Mode::With => &["packet", "steps"],
        };
        let reads = reads.without(hidden);
        Ok(Self {
            node,
            mode,
            limits,
            reads,
            taken_as_cel,
        })
    }

    /// What it reads.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Paths of the values that are no templates and were taken as CEL (spec 4.4): each is
    /// worth a warning that names the annotation `hub/expressions`.
    #[must_use]
    pub fn taken_as_cel(&self) -> &[String] {
        &self.taken_as_cel
    }

    /// The block's value over the variables `root`, whose keys are `inputs`, `packet` and
    /// `steps`. What is literal or a bare path borrows from the block and the variables.
    ///
    /// # Errors
    /// [`Fault`], which ends the packet on this edge only.
    pub fn evaluate<'v>(
        &'v self,
        root: &'v dyn Fields,
        surroundings: &Surroundings,
    ) -> Result<Value<'v>, Fault> {
        let cx = surroundings.of(&self.limits);
        let root = match self.mode {
            Mode::If | Mode::Runtime => Value::Map(Map::lazy(root)),
            // `$` holds nothing else either, so that what is evaluated once per run cannot
            // hang on a packet.
            Mode::With => Value::map(
                self.mode
                    .roots()
                    .iter()
                    .filter_map(|name| {
                        let value = root.field(name.as_bytes())?;
                        Some((Text::Borrowed(name.as_bytes()), value))
                    })
                    .collect(),
            ),
        };
        self.node.evaluate(&root, &cx, Place::Field)
    }
}
