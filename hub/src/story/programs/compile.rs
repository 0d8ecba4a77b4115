//! Compiling all expressions of a Story, with every error at its place.
//!
//! Owns: which value is compiled as what, and how errors are worded.

use std::collections::HashMap;
use std::sync::Arc;

use expr::{Block, CompileError, Condition, Limits, Mode, Value};

use super::{RuleProgram, StepPrograms, values};
use crate::story::document::StoryDocument;
use crate::story::read::View;
use crate::story::settings::{Rule, RuleAction, StreamingSettings};
use crate::story::yaml::{Data, Meaning};
use crate::story::{LoadOptions, Located, Place, PrimitiveKind, Step, StepKind, Story};

/// Compiles the expressions of a routed Story whose ways are known; what is wrong with them is
/// reported.
pub(in crate::story) fn compile(
    document: &StoryDocument<'_>,
    story: &Story,
    options: &LoadOptions,
) -> Vec<StepPrograms> {
    let compiler = Compiler {
        view: &document.view,
        story,
        limits: limits(options),
    };
    let mut by_settings: HashMap<*const StreamingSettings, Arc<[RuleProgram]>> = HashMap::new();
    let mut programs = Vec::with_capacity(story.steps.len());
    for step in &story.steps {
        // Steps of one transport share its settings.
        let rules = by_settings
            .entry(Arc::as_ptr(&step.settings))
            .or_insert_with(|| compiler.rules(step));
        programs.push(StepPrograms {
            rules: rules.clone(),
            ..compiler.step(step)
        });
    }
    programs
}

/// What expressions may use, as the configuration says.
fn limits(options: &LoadOptions) -> Limits {
    Limits {
        output_bytes: options.output_bytes,
        ..Limits::default()
    }
}

struct Compiler<'c, 'a> {
    view: &'c View<'a>,
    story: &'c Story,
    limits: Limits,
}

impl Compiler<'_, '_> {
    fn step(&self, step: &Step) -> StepPrograms {
        let whose = format!("step {}", step.id);
        let mut programs = StepPrograms {
            condition: self.condition(step.condition.as_ref(), &whose),
            ..StepPrograms::default()
        };
        if let Some(condition) = &programs.condition
            && let (Some(false), Some(written)) = (condition.known(), &step.condition)
        {
            let text = format!("is always false: no packet gets to step {}", step.id);
            self.view.warn_at(&written.place, text);
        }
        match &step.kind {
            StepKind::Engram(_) => {
                let runtime = self.object(step.runtime.as_ref(), (Mode::Runtime, &whose));
                let with = self.object(step.with.as_ref(), (Mode::With, &whose));
                match &step.runtime {
                    None => programs.with = with,
                    Some(written) if values::leaves(&written.node).is_empty() => {
                        programs.with = runtime;
                    }
                    Some(_) => programs.runtime = runtime,
                }
            }
            StepKind::Primitive(kind) => {
                if let Some(runtime) = &step.runtime {
                    let text = "a primitive has no use for runtime; it is ignored";
                    self.view.warn_at(&runtime.place, text);
                }
                if *kind == PrimitiveKind::Transform {
                    programs.transform = self.transform(step, &whose);
                }
            }
        }
        programs
    }

    /// `with.expr`, or `with` as a map of expressions.
    fn transform(&self, step: &Step, whose: &str) -> Option<Arc<Block>> {
        let wants = "a transform needs with.expr, or a map of expressions in with";
        let Some(with) = &step.with else {
            self.view.problem_at(&step.place, wants);
            return None;
        };
        let Data::Map(entries) = &with.node.data else {
            self.view.problem_at(&with.place, wants);
            return None;
        };
        let Some(expression) = with.part("expr") else {
            return self.block(with, (Mode::Runtime, whose));
        };
        if entries.len() > 1 {
            let text = "a transform has either with.expr or a map of expressions, here are both";
            self.view.problem_at(&with.place, text);
            return None;
        }
        self.object(Some(&expression), (Mode::Runtime, whose))
    }

    fn rules(&self, step: &Step) -> Arc<[RuleProgram]> {
        let rules = &step.settings.routing.rules;
        rules.iter().enumerate().map(|at| self.rule(at)).collect()
    }

    fn rule(&self, (i, rule): (usize, &Rule)) -> RuleProgram {
        let index = |target: &String| {
            let mut steps = self.story.steps.iter();
            let by_id = self.story.step(target);
            by_id.or_else(|| steps.position(|step| step.name == *target))
        };
        let targets = &rule.targets;
        RuleProgram {
            name: rule.name.clone(),
            action: rule.action,
            when: self.condition(rule.when.as_ref(), &rule_name(i, rule)),
            // A Transport's rules may be about steps of other Stories.
            targets: (!targets.is_empty()).then(|| targets.iter().filter_map(index).collect()),
        }
    }

    /// A condition; `None` if every packet passes, or it does not compile.
    fn condition(&self, written: Option<&Located>, whose: &str) -> Option<Arc<Condition>> {
        let written = written?;
        let Some(text) = truth_text(written) else {
            self.view.problem_at(
                &written.place,
                "must be text with an expression, or true or false",
            );
            return None;
        };
        let compiled = Condition::compile(text, self.story.dialect, self.limits);
        let condition = match compiled {
            Ok(condition) => condition,
            Err(errors) => {
                self.report(errors, written, whose);
                return None;
            }
        };
        if condition.is_taken_as_cel() {
            self.warn_of_cel(&written.place);
        }
        (condition.known() != Some(true)).then(|| Arc::new(condition))
    }

    /// A block that must come to an object.
    fn object(&self, written: Option<&Located>, at: (Mode, &str)) -> Option<Arc<Block>> {
        let written = written?;
        if !values::may_be_object(&written.node) {
            let text = "must be a mapping, or one expression that gives an object";
            self.view.problem_at(&written.place, text);
            return None;
        }
        self.block(written, at)
    }

    fn block(&self, written: &Located, (mode, whose): (Mode, &str)) -> Option<Arc<Block>> {
        let value = Value::from(&written.json());
        match Block::compile(&value, (mode, self.story.dialect), self.limits) {
            Ok(block) => {
                let paths = block.taken_as_cel();
                if !paths.is_empty() {
                    let places = values::places(written, paths.iter().map(String::as_str));
                    places.iter().for_each(|place| self.warn_of_cel(place));
                }
                Some(Arc::new(block))
            }
            Err(errors) => {
                self.report(errors, written, whose);
                None
            }
        }
    }

    fn report(&self, errors: Vec<CompileError>, written: &Located, whose: &str) {
        let places = values::places(written, errors.iter().map(|error| &*error.path));
        for (error, place) in errors.iter().zip(places) {
            let text = self.worded(error, whose);
            self.view.problem_at(&place, text);
        }
    }

    /// What is wrong, what may have been meant, and where in which expression of whom.
    fn worded(&self, error: &CompileError, whose: &str) -> String {
        let near = error.near.as_ref();
        let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        format!(
            "{}{near} ({})",
            error.message,
            at(self.story, (error.column, &error.expression), whose)
        )
    }

    fn warn_of_cel(&self, place: &Place) {
        self.view.warn_at(
            place,
            "is no template but CEL, and is evaluated as such; write it as a template, or all \
             expressions of the Story in CEL with the annotation hub/expressions: cel",
        );
    }
}

/// `column 4 of "{{ uper packet.text }}", step b of Story default/s`
pub(super) fn at(story: &Story, (column, expression): (usize, &str), whose: &str) -> String {
    let (namespace, name) = (&story.namespace, &story.name);
    let place = if expression.is_empty() {
        String::new()
    } else {
        format!("column {column} of {:?}, ", excerpt(expression, column))
    };
    format!("{place}{whose} of Story {namespace}/{name}")
}

/// What a condition's text is; `true` and `false` may stand without quotes.
fn truth_text(written: &Located) -> Option<&str> {
    match &written.node.data {
        Data::Scalar(scalar) => match scalar.meaning {
            Meaning::Text => Some(&scalar.text),
            Meaning::Boolean(true) => Some("true"),
            Meaning::Boolean(false) => Some("false"),
            _ => None,
        },
        Data::List(_) | Data::Map(_) => None,
    }
}

/// How a rule is called in messages.
pub(super) fn rule_name(i: usize, rule: &Rule) -> String {
    match (&rule.name, rule.action) {
        (Some(name), _) => format!("rule {name}"),
        (None, RuleAction::Allow) => format!("allow rule {i}"),
        (None, RuleAction::Deny) => format!("deny rule {i}"),
    }
}

/// The expression, or what stands round the column of a long one.
fn excerpt(expression: &str, column: usize) -> String {
    /// Characters that are shown.
    const SHOWN: usize = 100;
    let chars = expression.char_indices();
    let at = chars.take_while(|(byte, _)| byte + 1 < column).count();
    let first = if expression.chars().count() <= SHOWN {
        0
    } else {
        at.saturating_sub(SHOWN / 2)
    };
    let shown: String = expression.chars().skip(first).take(SHOWN).collect();
    let before = if first > 0 { "..." } else { "" };
    let after = if expression.chars().count() > first + SHOWN {
        "..."
    } else {
        ""
    };
    format!("{before}{shown}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_expression_is_shown_round_its_column() {
        assert_eq!(excerpt("{{ a }}", 4), "{{ a }}");
        let long = format!("{}X{}", "a".repeat(300), "b".repeat(300));
        let shown = excerpt(&long, 301);
        assert!(
            shown.starts_with("...a") && shown.ends_with("b..."),
            "{shown}"
        );
        assert!(shown.contains("aXb") && shown.len() < 120, "{shown}");
        assert!(excerpt(&"ä".repeat(200), 400).ends_with('ä'));
    }
}
