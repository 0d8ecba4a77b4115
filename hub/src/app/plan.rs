//! From loaded Stories to the engine's plans.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use engine::route::{RunPlan, StepKind, StepPlan};
use engine::{Engine, Limits, Moment, RunName};

use super::StartError;
use super::edges::{edges, emits, hooks};
use super::settings::{bounds, fan_in, flow, lanes, semantics, size};
use crate::config::{Config, memory_limit};
use crate::story::{ConcurrencyMode, Problem, Run, Snapshot, Step};
use crate::wall::unix_nanos;

/// An engine that holds every run of `stories`.
///
/// # Errors
/// When a Story needs what is not built yet, its `with` has no value for the inputs of a run, or
/// the engine refuses a plan.
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
    let mut problems = Vec::new();
    for run in stories.runs.iter().filter(|run| run.story.routed) {
        match run_plan(config, run) {
            Ok(plan) => {
                engine.attach(plan)?;
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() {
        Ok(engine)
    } else {
        Err(StartError::Inputs(problems))
    }
}

fn limits(config: &Config) -> Limits {
    Limits {
        max_message_bytes: size(config.limits.max_message_bytes),
        max_streams: size(config.limits.max_streams),
        queue_budget_bytes: size(config.limits.queue_budget(memory_limit())),
        heartbeat_interval: config.heartbeat.interval,
        state_ttl: config.state.ttl,
        started_at_nanos: unix_nanos(),
        stopwatch: Some(stopwatch),
        seed: RandomState::new().hash_one(0),
        ..Limits::default()
    }
}

/// The time since it was asked for first.
fn stopwatch() -> Moment {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    Moment::from_nanos(u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX))
}

/// The start of the process in Unix milliseconds, in base 36 (spec 2.4 rule 1).
pub(super) fn epoch() -> String {
    let mut rest = unix_nanos().unsigned_abs() / 1_000_000;
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

/// What the engine is told of a run: its steps, its edges, and what is asked of packets on each.
///
/// # Errors
/// Every `with` that has no value for the run's inputs, each with its place.
pub fn run_plan(config: &Config, run: &Run) -> Result<RunPlan, Vec<Problem>> {
    let story = &run.story;
    let name = run_name(run);
    let inputs = run.evaluated_inputs()?;
    Ok(RunPlan {
        namespace: name.namespace,
        name: name.run,
        story: name.story,
        steps: story
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| StepPlan {
                hooks: hooks(story, at, &inputs),
                emits: emits(story, at),
                ..step_plan(config, step)
            })
            .collect(),
        edges: edges(story, &inputs),
        inputs: inputs.body,
        cancel_previous: story.concurrency.mode == ConcurrencyMode::CancelPrevious,
    })
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
        fan_in: step.joins.then(|| fan_in(&settings.fan_in)),
        hooks: None,
        emits: None,
        max_downstreams: size(downstreams),
        degraded_after: settings.lifecycle.drain_timeout,
    }
}
