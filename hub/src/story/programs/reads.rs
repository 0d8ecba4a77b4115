//! Every expression of a Story on its own, with what it reads: for people, and for finding the
//! one that names a step.

use std::collections::BTreeSet;
use std::sync::Arc;

use expr::{Block, Limits, Mode, Reads, Value};

use super::compile::rule_name;
use super::values::{self, Leaf};
use crate::story::{Located, Place, PrimitiveKind, StepKind, Story, StreamingSettings};

/// An expression that compiles.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Whose: `step b`, or `rule english`.
    pub whose: String,
    /// Which: `if`, `when`, `runtime.text`.
    pub field: String,
    /// Where it stands.
    pub place: Place,
    /// What it reads.
    pub reads: Reads,
    pub(super) text: String,
    pub(super) owner: Owner,
    /// Whether variables of its own take the place of `steps`.
    pub(super) has_own_steps: bool,
}

/// Whose packets an expression is evaluated for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Those that come to a step.
    Step(usize),
    /// Those that these steps emit, towards these (`None`: all).
    Rule(Vec<usize>, Option<Vec<usize>>),
}

impl Story {
    /// Every expression of a routed Story, step by step; literals are none.
    pub fn expressions(&self) -> Vec<Expression> {
        if !self.routed {
            return Vec::new();
        }
        let mut all = Vec::new();
        for (i, step) in self.steps.iter().enumerate() {
            let mut add = |field: &str, block: Option<&Located>, mode| {
                let block = block.map(|block| (block, field, mode));
                let owner = (format!("step {}", step.id), Owner::Step(i));
                all.extend(block.map(|block| self.each(block, owner)));
            };
            add("if", step.condition.as_ref(), Mode::If);
            match step.kind {
                StepKind::Engram(_) => {
                    add("runtime", step.runtime.as_ref(), Mode::Runtime);
                    add("with", step.with.as_ref(), Mode::With);
                }
                StepKind::Primitive(PrimitiveKind::Transform) => {
                    add("with", step.with.as_ref(), Mode::Runtime);
                }
                StepKind::Primitive(_) => {}
            }
        }
        all.extend(self.rule_expressions());
        all.into_iter().flatten().collect()
    }

    /// Those of routing rules, once for all steps that share them.
    fn rule_expressions(&self) -> Vec<Vec<Expression>> {
        let mut sources: Vec<(&Arc<StreamingSettings>, Vec<usize>)> = Vec::new();
        for way in &self.ways.edges {
            let Some(step) = self.steps.get(way.from) else {
                continue;
            };
            let shares = |known: &&mut (&Arc<_>, _)| Arc::ptr_eq(known.0, &step.settings);
            match sources.iter_mut().find(shares) {
                Some((_, steps)) if steps.last() == Some(&way.from) => {}
                Some((_, steps)) => steps.push(way.from),
                None => sources.push((&step.settings, vec![way.from])),
            }
        }
        let mut all = Vec::new();
        for (settings, steps) in sources {
            let programs = steps.first().and_then(|step| self.programs.get(*step));
            for (i, rule) in settings.routing.rules.iter().enumerate() {
                let Some(when) = &rule.when else {
                    continue;
                };
                let compiled = programs.and_then(|programs| programs.rules.get(i));
                let targets = compiled.and_then(|rule| rule.targets.clone());
                let owner = Owner::Rule(steps.clone(), targets);
                all.push(self.each((when, "when", Mode::If), (rule_name(i, rule), owner)));
            }
        }
        all
    }

    /// The expressions of one block.
    fn each(
        &self,
        (block, field, mode): (&Located, &str, Mode),
        (whose, owner): (String, Owner),
    ) -> Vec<Expression> {
        let made = |leaf: Leaf<'_>| {
            let value = Value::text(leaf.text.trim());
            let compiled = Block::compile(&value, (mode, self.dialect), Limits::default());
            Some(Expression {
                whose: whose.clone(),
                field: values::below(field, &leaf.path),
                place: values::leaf_place(block, &leaf),
                reads: compiled.ok()?.reads().clone(),
                text: leaf.text.to_owned(),
                owner: owner.clone(),
                has_own_steps: leaf.has_own_steps,
            })
        };
        values::leaves(&block.node)
            .into_iter()
            .filter_map(made)
            .collect()
    }
}

impl Expression {
    /// Ids of the steps that it reads; `None` where it may read any.
    pub(super) fn steps(&self) -> Option<BTreeSet<&str>> {
        if self.has_own_steps {
            return Some(BTreeSet::new());
        }
        self.reads.steps()
    }
}

/// What is read, for people: `packet.metadata.lang`, `steps["my-step"].text`. A path stands for
/// everything below it.
pub fn attributes(reads: &Reads) -> Vec<String> {
    reads.paths().map(shown_path).collect()
}

fn shown_path(path: &[Box<str>]) -> String {
    let mut shown = String::new();
    for (i, key) in path.iter().enumerate() {
        let plain = key.chars().all(|c| c.is_alphanumeric() || c == '_') && !key.is_empty();
        match (i, plain) {
            (0, _) => shown.push_str(key),
            (_, true) => shown.extend([".", key]),
            (_, false) => shown.push_str(&format!("[{key:?}]")),
        }
    }
    shown
}
