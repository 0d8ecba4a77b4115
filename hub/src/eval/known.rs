//! What is known of a way before any packet comes.
//!
//! Owns: why no packet takes a way whatever it holds. The hub asks nothing else on such a way
//! (see `app::edges`).

use expr::Condition;

use crate::story::settings::RuleAction;
use crate::story::{RuleProgram, StepPrograms, Story, Way};

/// Why no packet takes a way; `None` if one may.
pub(super) fn never(story: &Story, way: &Way) -> Option<String> {
    let programs = |at: usize| story.programs.get(at);
    let asks = |at: &usize| Some((*at, programs(*at)?.condition.as_ref()?));
    let mut conditions = way.via.iter().chain([&way.to]).filter_map(asks);
    if let Some((at, _)) = conditions.find(|(_, condition)| is_never(condition)) {
        let id = story.steps.get(at).map_or("?", |step| &step.id);
        return Some(format!("if of {id} is never true"));
    }
    let is_engram = story.steps.get(way.to).is_some_and(|to| to.is_engram());
    let rules = |from: &StepPrograms| barred(&from.rules, way);
    programs(way.from).filter(|_| is_engram).and_then(rules)
}

/// Why rules that always hold let nothing through.
fn barred(rules: &[RuleProgram], way: &Way) -> Option<String> {
    let may_hold = |rule: &&RuleProgram| {
        rule.concerns(way) && !rule.when.as_ref().is_some_and(|when| is_never(when))
    };
    let of = |action: RuleAction| rules.iter().filter(move |rule| rule.action == action);
    let denied = of(RuleAction::Deny).filter(may_hold);
    if let Some(rule) = denied.into_iter().find(|rule| rule.when.is_none()) {
        let name = rule.name.as_deref().unwrap_or("without a name");
        return Some(format!("deny rule {name} is always true"));
    }
    let is_allowlist = of(RuleAction::Allow).next().is_some();
    let allowed = of(RuleAction::Allow).find(may_hold);
    (is_allowlist && allowed.is_none()).then(|| "no allow rule concerns it".to_owned())
}

fn is_never(condition: &Condition) -> bool {
    condition.known() == Some(false)
}
