//! From the ways of a Story to the engine's edges, with all that is asked of packets on each
//! (spec 2.3).
//!
//! Owns: which compiled expression goes where, and what of it is decided already. Never does:
//! compile, or evaluate for a packet.

use std::sync::Arc;

use engine::StepIndex;
use engine::route::{
    DocumentSchema, EdgePlan, EdgePrograms, EmitPrograms, HookPlan, Inputs, InputsPlan, Primitive,
    PrimitivePlan, Rules,
};
use expr::{Condition, Dialect, Limits, Reads};

use super::settings::{partition, watermark};
use crate::story::settings::RuleAction;
use crate::story::{
    Checked, PrimitiveKind, RuleProgram, RunInputs, StepKind, StepPrograms, Story, Way,
};

/// The edges of a run with these inputs, in the order in which a packet takes them.
pub(crate) fn edges(story: &Story, inputs: &RunInputs) -> Vec<EdgePlan> {
    let ways = story.ways.edges.iter();
    ways.map(|way| EdgePlan {
        // The loader bounds how many needs a join has.
        branch: u8::try_from(way.branch).unwrap_or(u8::MAX),
        programs: programs(story, way, inputs).map(Arc::new),
        ..EdgePlan::plain(index(way.from), index(way.to))
    })
    .collect()
}

/// What is asked of every packet that a step emits, whichever edges it takes.
pub(crate) fn emits(story: &Story, step: usize) -> Option<Arc<EmitPrograms>> {
    let stops = story.ways.stops.iter().filter(|way| way.from == step);
    let emits = EmitPrograms {
        schema: story.schemas.of(step).output.map(held),
        stops: stops.filter_map(|way| to_stop(story, way)).collect(),
        watermark: story
            .steps
            .get(step)
            .and_then(|step| watermark(&step.settings.observability)),
    };
    let asks = emits.schema.is_some() || !emits.stops.is_empty() || emits.watermark.is_some();
    asks.then(|| Arc::new(emits))
}

/// The lifecycle hooks that a step asks for: those that its `if` speaks of (spec 2.7).
pub(crate) fn hooks(story: &Story, at: usize, inputs: &RunInputs) -> Option<HookPlan> {
    let step = story.steps.get(at).filter(|step| step.is_engram())?;
    let condition = story.programs.get(at)?.condition.clone()?;
    let written = step.condition.as_ref()?.json().to_string().to_lowercase();
    let (step_ready, run_ready) = (
        written.contains("steprun.ready"),
        written.contains("storyrun.ready"),
    );
    (step_ready || run_ready).then(|| HookPlan {
        programs: Arc::new(EdgePrograms {
            condition: Some(condition),
            inputs: inputs_plan(story, at, inputs),
            ..EdgePrograms::default()
        }),
        step_ready,
        run_ready,
    })
}

/// What becomes of the inputs of packets that go to a step.
fn inputs_plan(story: &Story, at: usize, inputs: &RunInputs) -> InputsPlan {
    let once = inputs.with.get(at).and_then(Option::as_ref);
    let runtime = story.programs.get(at).and_then(|step| step.runtime.clone());
    match (runtime, once) {
        (Some(runtime), _) => InputsPlan::PerPacket(runtime),
        (None, Some(with)) => InputsPlan::Once(Inputs {
            body: with.body.clone(),
            json: with.json.clone(),
        }),
        (None, None) => InputsPlan::Keep,
    }
}

/// A way to a `stop`, which is the last of it; `None` if nothing gets through.
fn to_stop(story: &Story, way: &Way) -> Option<Vec<Primitive>> {
    let via = way.via.iter().filter_map(|at| primitive(story, *at));
    let via: Vec<Primitive> = via.collect();
    let stop = primitive(story, way.to)?;
    let condition = |primitive: &Primitive| is_never(primitive.condition.as_ref());
    if via.iter().any(condition) || condition(&stop) {
        return None;
    }
    let behind = stop.condition.as_ref().map(|stop| stop.reads().clone());
    let mut passed = needed(via, &behind.unwrap_or_default());
    passed.push(stop);
    Some(passed)
}

fn index(at: usize) -> StepIndex {
    // The loader bounds a Story's steps far below this.
    StepIndex(u16::try_from(at).unwrap_or(u16::MAX))
}

/// What is asked of packets that take a way; `None`: nothing.
fn programs(story: &Story, way: &Way, inputs: &RunInputs) -> Option<EdgePrograms> {
    let nothing = StepPrograms::default();
    let of = |step: usize| story.programs.get(step).unwrap_or(&nothing);
    let target = of(way.to);
    let via: Vec<Primitive> = way
        .via
        .iter()
        .filter_map(|at| primitive(story, *at))
        .collect();
    let Some(rules) = rules(&of(way.from).rules, way) else {
        return Some(never());
    };
    let mut conditions = via.iter().map(|primitive| primitive.condition.as_ref());
    if is_never(target.condition.as_ref()) || conditions.any(is_never) {
        return Some(never());
    }
    let once = inputs.with.get(way.to).and_then(Option::as_ref);
    let mut programs = EdgePrograms {
        via: Vec::new(),
        condition: target.condition.clone(),
        rules,
        inputs: inputs_plan(story, way.to, inputs),
        // What is the same for every packet was held to the schema already.
        schema: match (&target.runtime, once) {
            (None, Some(_)) => None,
            _ => story.schemas.of(way.to).input.map(held),
        },
        partition: story
            .steps
            .get(way.to)
            .and_then(|step| partition(&step.settings.partitioning)),
    };
    programs.via = needed(via, &programs.reads());
    (!programs.is_empty()).then_some(programs)
}

fn held(schema: Arc<Checked>) -> Arc<dyn DocumentSchema> {
    schema
}

fn is_never(condition: Option<&Arc<Condition>>) -> bool {
    condition.is_some_and(|condition| condition.known() == Some(false))
}

/// An edge that no packet takes. It stays in the plan, so that its account is shown and its
/// source has where to send.
fn never() -> EdgePrograms {
    let condition = Condition::compile("false", Dialect::Template, Limits::default())
        .expect("a literal compiles");
    EdgePrograms {
        condition: Some(Arc::new(condition)),
        ..EdgePrograms::default()
    }
}

fn primitive(story: &Story, at: usize) -> Option<Primitive> {
    let (step, programs) = (story.steps.get(at)?, story.programs.get(at)?);
    let StepKind::Primitive(kind) = &step.kind else {
        return None;
    };
    let does = match (kind, &programs.transform) {
        (PrimitiveKind::Transform, Some(block)) => PrimitivePlan::Transform(block.clone()),
        _ => PrimitivePlan::Pass,
    };
    Some(Primitive {
        id: step.id.as_str().into(),
        condition: programs.condition.clone(),
        does,
    })
}

/// The primitives of a way without those that neither do anything nor are read by what comes
/// behind them; `behind` is what the target and the rules read.
fn needed(via: Vec<Primitive>, behind: &Reads) -> Vec<Primitive> {
    let mut reads = behind.clone();
    let mut kept = Vec::with_capacity(via.len());
    for primitive in via.into_iter().rev() {
        let is_read = reads
            .steps()
            .is_none_or(|steps| steps.contains(&*primitive.id));
        let is_idle =
            primitive.condition.is_none() && matches!(primitive.does, PrimitivePlan::Pass);
        if is_idle && !is_read {
            continue;
        }
        if let Some(condition) = &primitive.condition {
            reads.merge(condition.reads());
        }
        if let PrimitivePlan::Transform(block) = &primitive.does {
            reads.merge(block.reads());
        }
        kept.push(primitive);
    }
    kept.reverse();
    kept
}

/// The rules that concern a way; `None` if they let nothing through.
fn rules(rules: &[RuleProgram], way: &Way) -> Option<Rules> {
    let mut concerning = Rules {
        is_allowlist: rules.iter().any(|rule| rule.action == RuleAction::Allow),
        ..Rules::default()
    };
    for rule in rules {
        if !rule.concerns(way) || is_never(rule.when.as_ref()) {
            continue;
        }
        match (rule.action, &rule.when) {
            (RuleAction::Deny, None) => return None,
            (RuleAction::Deny, Some(when)) => concerning.deny.push(when.clone()),
            (RuleAction::Allow, Some(when)) => concerning.allow.push(when.clone()),
            // One that is always true settles the list.
            (RuleAction::Allow, None) => concerning.is_allowlist = false,
        }
    }
    if !concerning.is_allowlist {
        concerning.allow.clear();
    } else if concerning.allow.is_empty() {
        return None;
    }
    Some(concerning)
}

#[cfg(test)]
mod tests;
