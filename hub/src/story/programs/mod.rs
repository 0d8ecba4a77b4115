//! The expressions of a Story, compiled when it is loaded (spec 4.4).
//!
//! Owns: which values of a Story are expressions and in which dialect, what is said of those that
//! do not compile or name steps that are not there, and what `with` comes to for a run. Never
//! does: evaluate anything for a packet, or parse an expression itself; crate `expr` does.

mod compile;
mod inputs;
mod reads;
mod schemas;
mod steps;
mod values;

use std::sync::Arc;

use expr::{Block, Condition};

use super::Way;
use super::settings::RuleAction;

pub(super) use compile::compile;
pub use inputs::{Constant, RunInputs};
pub use reads::{Expression, attributes};
pub(super) use schemas::compile_schemas;
pub use schemas::{Checked, Schemas, StepSchemas};
pub(super) use steps::check_steps;

/// The compiled expressions of one step. Shared by all runs.
#[derive(Clone, Debug, Default)]
pub struct StepPrograms {
    /// `if`; `None` if it is omitted, blank, or always true.
    pub condition: Option<Arc<Condition>>,
    /// What an engram's inputs are for a whole run: its `runtime` if that is constant, else
    /// `with` if it has no `runtime`.
    pub with: Option<Arc<Block>>,
    /// `runtime` of an engram, unless it is constant.
    pub runtime: Option<Arc<Block>>,
    /// What a `transform` makes of the payload.
    pub transform: Option<Arc<Block>>,
    /// `routing.rules` of its transport, which rule the packets that it emits.
    pub rules: Arc<[RuleProgram]>,
}

/// One of `routing.rules`, compiled.
#[derive(Clone, Debug)]
pub struct RuleProgram {
    /// `name`
    pub name: Option<String>,
    /// `action`
    pub action: RuleAction,
    /// `when`; `None` if it is omitted, blank, or always true.
    pub when: Option<Arc<Condition>>,
    /// Steps that it concerns, by index; `None`: all.
    pub targets: Option<Vec<usize>>,
}

impl RuleProgram {
    /// Whether it concerns packets that take this way: it names no steps, or one behind the source.
    pub fn concerns(&self, way: &Way) -> bool {
        let named = |targets: &Vec<usize>| targets.iter().any(|step| way.passes(*step));
        self.targets.as_ref().is_none_or(named)
    }
}
