//! From loaded Stories to the engine's plans.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use engine::route::{EdgePlan, RunPlan, StepKind, StepPlan};
use engine::{Engine, Limits, RunName, StepIndex};

use super::StartError;
use super::settings::{bounds, flow, lanes, semantics, size};
use crate::config::{Config, memory_limit};
use crate::story::{self, ConcurrencyMode, Problem, Run, Snapshot, Step};

/// An engine that holds every run of `stories`.
///
/// # Errors
/// When a Story needs what is not built yet, or the engine refuses a plan.
pub(super) fn engine(config: &Config, stories: &Snapshot) -> Result<Engine, StartError> {
    let unsupported: Vec<Problem> = stories
        .stories
        .iter()
        .filter(|story| story.routed)
        .flat_map(|story| story.unsupported())
        .map(|u| Problem {
            place: u.place.clone(),
            text: u.text.clone(),
        })
        .collect();
    if !unsupported.is_empty() {
        return Err(StartError::Unsupported(unsupported));
    }
    let mut engine = Engine::new(limits(config), &epoch());
    for run in stories.runs.iter().filter(|run| run.story.routed) {
        engine.attach(run_plan(config, run))?;
    }
    Ok(engine)
}

fn limits(config: &Config) -> Limits {
    Limits {
        max_message_bytes: size(config.limits.max_message_bytes),
        max_streams: size(config.limits.max_streams),
        queue_budget_bytes: size(config.limits.queue_budget(memory_limit())),
        heartbeat_interval: config.heartbeat.interval,
        state_ttl: config.state.ttl,
        ..Limits::default()
    }
}

/// The start of the process in Unix milliseconds, in base 36 (spec 2.4 rule 1).
pub(super) fn epoch() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut rest = since.as_millis();
    let mut digits = Vec::new();
    while rest > 0 {
        let digit = (rest % 36) as u32;
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        rest /= 36;
    }
    digits.iter().rev().collect()
}

/// The run, for people.
pub(super) fn run_name(run: &Run) -> RunName {
    RunName {
        story: run.story.name.as_str().into(),
        namespace: run.namespace.as_str().into(),
        run: run.name.as_str().into(),
    }
}

fn run_plan(config: &Config, run: &Run) -> RunPlan {
    let story = &run.story;
    let name = run_name(run);
    RunPlan {
        namespace: name.namespace,
        name: name.run,
        story: name.story,
        steps: story
            .steps
            .iter()
            .map(|step| step_plan(config, step))
            .collect(),
        edges: story.edges.iter().map(|e| edge_plan(*e)).collect(),
        cancel_previous: story.concurrency.mode == ConcurrencyMode::CancelPrevious,
    }
}

fn step_plan(config: &Config, step: &Step) -> StepPlan {
    let settings = &step.settings;
    let downstreams = step
        .settings
        .routing
        .max_downstreams
        .min(config.limits.max_downstreams);
    StepPlan {
        id: Arc::from(step.id.as_str()),
        kind: if step.is_engram() {
            StepKind::Engram
        } else {
            StepKind::Primitive
        },
        queue: bounds(&settings.backpressure.buffer),
        semantics: semantics(settings),
        flow: flow(settings),
        lanes: lanes(settings),
        max_downstreams: size(downstreams),
        degraded_after: settings.lifecycle.drain_timeout,
    }
}

fn edge_plan(edge: story::Edge) -> EdgePlan {
    // The loader bounds a Story's steps far below this.
    let index = |at: usize| StepIndex(u16::try_from(at).unwrap_or(u16::MAX));
    EdgePlan {
        from: index(edge.from),
        to: index(edge.to),
    }
}
