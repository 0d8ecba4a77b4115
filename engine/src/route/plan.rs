//! The plan of a run: steps, edges and the settings that rule them, checked once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::fan_in::FanInPlan;
use super::programs::{EdgePrograms, EmitPrograms, HookPlan};
use super::settings::{FlowPlan, LanePlan, Semantics};
use crate::ids::StepIndex;

/// What a step is to the data path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A program that registers and streams packets.
    Engram,
    /// A node of the graph that the hub itself applies; nobody can register as one.
    Primitive,
}

/// What happens to a packet that finds its queue full (spec 2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverflowPolicy {
    /// The arriving packet is dropped as `lane_full`.
    #[default]
    DropNewest,
    /// The oldest waiting packets are dropped as `drop_oldest` until the new one fits.
    DropOldest,
}

/// Bounds of the queue in front of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueBounds {
    /// Most packets that wait.
    pub max_messages: usize,
    /// Most encoded bytes that wait; an empty queue admits one packet of any size.
    pub max_bytes: usize,
    /// Age past which a waiting packet is `expired`; `None` waits for ever while connected.
    pub max_age: Option<Duration>,
    /// What gives way when the queue is full.
    pub overflow: OverflowPolicy,
}

impl Default for QueueBounds {
    /// The defaults of spec 2.8.
    fn default() -> Self {
        Self {
            max_messages: 1000,
            max_bytes: 10 * 1024 * 1024,
            max_age: None,
            overflow: OverflowPolicy::DropNewest,
        }
    }
}

/// One step of a run.
#[derive(Clone, Debug)]
pub struct StepPlan {
    /// Id of the step: its `id`, else its `name`.
    pub id: Arc<str>,
    /// What it is.
    pub kind: StepKind,
    /// Bounds of what waits for it.
    pub queue: QueueBounds,
    /// Most downstream edges that one of its packets takes (spec 2.3, `maxDownstreams`).
    pub max_downstreams: usize,
    /// What is promised on the edges to it.
    pub semantics: Semantics,
    /// How its stream is paced.
    pub flow: FlowPlan,
    /// Lanes with bounds of their own; empty: only `queue` bounds.
    pub lanes: Vec<LanePlan>,
    /// How packets of several upstream steps meet here; `None` takes each as it comes.
    pub fan_in: Option<FanInPlan>,
    /// Lifecycle hooks that it asks for.
    pub hooks: Option<HookPlan>,
    /// What is asked of every packet that it emits.
    pub emits: Option<Arc<EmitPrograms>>,
    /// Its run is degraded once it has been away for longer (spec 2.7).
    pub degraded_after: Duration,
}

impl StepPlan {
    /// An engram with the default settings of spec 2.8.
    pub fn engram(id: &str) -> Self {
        Self {
            id: id.into(),
            kind: StepKind::Engram,
            queue: QueueBounds::default(),
            max_downstreams: 32,
            semantics: Semantics::BestEffort,
            flow: FlowPlan::default(),
            lanes: Vec::new(),
            fan_in: None,
            hooks: None,
            emits: None,
            degraded_after: Duration::from_secs(30),
        }
    }
}

/// One edge of a run, between two engrams. The target's settings rule it (spec 2.1).
#[derive(Clone, Debug)]
pub struct EdgePlan {
    /// The step whose packets take this edge.
    pub from: StepIndex,
    /// The step that gets them.
    pub to: StepIndex,
    /// The place, in the target's `needs`, of what comes before the target on this edge: which
    /// branch of its join this is.
    pub branch: u8,
    /// What is asked of each packet; `None` lets all pass as they are.
    pub programs: Option<Arc<EdgePrograms>>,
}

impl EdgePlan {
    /// An edge that every packet takes as it is.
    #[must_use]
    pub fn plain(from: StepIndex, to: StepIndex) -> Self {
        Self {
            from,
            to,
            branch: 0,
            programs: None,
        }
    }
}

/// A run as the engine routes it.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// Namespace of the run.
    pub namespace: Arc<str>,
    /// Name of the run, unique in its namespace.
    pub name: Arc<str>,
    /// Name of its Story, for labels.
    pub story: Arc<str>,
    /// Its steps; an index into this list is a [`StepIndex`].
    pub steps: Vec<StepPlan>,
    /// Its edges, in the order in which a packet takes them.
    pub edges: Vec<EdgePlan>,
    /// Its inputs, for programs: the contents of a `google.protobuf.Struct`.
    pub inputs: Bytes,
    /// A packet that opens a higher turn interrupts the lower ones
    /// (`concurrency: cancelPrevious`).
    pub cancel_previous: bool,
}

/// A plan that the engine cannot route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The run is there already. The caller's fault; a retry does not help.
    #[error("run {namespace}/{name} is attached already")]
    Exists {
        /// Namespace of the run.
        namespace: Arc<str>,
        /// Name of the run.
        name: Arc<str>,
    },
    /// More than 65,535 steps.
    #[error("run {name} has {steps} steps; a run may have 65535")]
    TooManySteps {
        /// Name of the run.
        name: Arc<str>,
        /// How many steps it has.
        steps: usize,
    },
    /// An edge names a step that is not in the plan.
    #[error("run {name}: edge {from} -> {to} names a step that the plan does not have")]
    NoSuchStep {
        /// Name of the run.
        name: Arc<str>,
        /// Index of the edge's source.
        from: u16,
        /// Index of the edge's target.
        to: u16,
    },
}

impl RunPlan {
    /// Checks what the engine relies on.
    ///
    /// # Errors
    /// [`PlanError`] names what does not fit.
    pub fn check(&self) -> Result<(), PlanError> {
        let steps = self.steps.len();
        if steps > usize::from(u16::MAX) {
            return Err(PlanError::TooManySteps {
                name: self.name.clone(),
                steps,
            });
        }
        match self
            .edges
            .iter()
            .find(|e| e.from.at() >= steps || e.to.at() >= steps)
        {
            Some(e) => Err(PlanError::NoSuchStep {
                name: self.name.clone(),
                from: e.from.0,
                to: e.to.0,
            }),
            None => Ok(()),
        }
    }
}
