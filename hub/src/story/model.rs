//! What a loaded Story is: plain immutable data, steps and edges by index.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use expr::Surroundings;

use super::{
    Located, Media, Place, Problem, RunInputs, Schemas, StepPrograms, StreamingSettings,
    Unsupported, Ways,
};
use crate::wall::unix_nanos;

/// All Stories and runs of one load; replaced whole, never changed (spec 2.1).
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// In order of the files and documents.
    pub stories: Vec<Arc<Story>>,
    /// StoryRun documents, then the implicit runs of Stories that have none.
    pub runs: Vec<Run>,
}

impl Snapshot {
    /// The Story of that namespace and name.
    pub fn story(&self, namespace: &str, name: &str) -> Option<&Arc<Story>> {
        self.stories
            .iter()
            .find(|story| story.namespace == namespace && story.name == name)
    }

    /// The run of that namespace and name.
    pub fn run(&self, namespace: &str, name: &str) -> Option<&Run> {
        self.runs
            .iter()
            .find(|run| run.namespace == namespace && run.name == name)
    }
}

/// One live instance of a Story, known from the files.
#[derive(Clone, Debug)]
pub struct Run {
    /// `metadata.namespace`, else `default`; an implicit run lives in its Story's namespace.
    pub namespace: String,
    /// `metadata.name`; an implicit run is named after its Story.
    pub name: String,
    /// What it is an instance of.
    pub story: Arc<Story>,
    /// The Story's defaults, overlaid with the StoryRun's `inputs`.
    pub inputs: serde_json::Map<String, serde_json::Value>,
}

impl Run {
    /// The same run with other inputs, the defaults of its Story's `inputsSchema` filled in.
    #[must_use]
    pub fn with_inputs(&self, inputs: serde_json::Map<String, serde_json::Value>) -> Self {
        Self {
            inputs: self.story.filled(inputs),
            ..self.clone()
        }
    }

    /// The inputs as packets carry them, and what every `with` comes to with them now.
    ///
    /// # Errors
    /// Every `with` that has no value, with its place and the run's name.
    pub fn evaluated_inputs(&self) -> Result<RunInputs, Vec<Problem>> {
        let surroundings = Surroundings {
            now_nanos: unix_nanos(),
            ..Surroundings::default()
        };
        let made = self.story.run_inputs(&self.inputs, &surroundings);
        made.map_err(|problems| {
            let (namespace, name) = (&self.namespace, &self.name);
            let named = |problem: Problem| Problem {
                text: format!("run {namespace}/{name} cannot start: {}", problem.text),
                ..problem
            };
            problems.into_iter().map(named).collect()
        })
    }
}

/// A graph of steps.
#[derive(Clone, Debug)]
pub struct Story {
    /// `metadata.namespace`, else `default`.
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// In declared order; edges name them by index.
    pub steps: Vec<Step>,
    /// Who is downstream of whom, primitives included; ordered by `from`, then `to`.
    pub edges: Vec<Edge>,
    /// The edges as packets take them: from engram to engram. Empty if it is not routed.
    pub ways: Ways,
    /// The dialect of its expressions (annotation `hub/expressions`).
    pub dialect: expr::Dialect,
    /// Its expressions, compiled, by index of the step. Empty if it is not routed.
    pub programs: Vec<StepPrograms>,
    /// Its schemas, compiled. Empty if it is not routed.
    pub schemas: Schemas,
    /// Whether the hub routes it (pattern `streaming` or `realtime`).
    pub routed: bool,
    /// What overlapping turns do to each other.
    pub concurrency: Concurrency,
    /// `spec.inputsSchema`
    pub inputs_schema: Option<Located>,
    /// Where the Story stands.
    pub place: Place,
    pub(super) unsupported: Vec<Unsupported>,
}

impl Story {
    /// Inputs of a run with the defaults of `spec.inputsSchema` that they lack; as they are where
    /// the Story is not routed.
    pub(super) fn filled(
        &self,
        inputs: serde_json::Map<String, serde_json::Value>,
    ) -> serde_json::Map<String, serde_json::Value> {
        let Some(schema) = &self.schemas.inputs else {
            return inputs;
        };
        let mut inputs = serde_json::Value::Object(inputs);
        schema.fill(&mut inputs);
        match inputs {
            serde_json::Value::Object(inputs) => inputs,
            // Defaults make no object anything else.
            _ => serde_json::Map::new(),
        }
    }

    /// Index of the step with that id.
    pub fn step(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }

    /// Indexes of the steps that the step at `from` feeds, in declared order.
    pub fn downstream(&self, from: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.edges.partition_point(|edge| edge.from < from);
        let edges = self.edges.get(first..).unwrap_or_default().iter();
        edges
            .take_while(move |edge| edge.from == from)
            .map(|edge| edge.to)
    }

    /// What this Story asks for that `hub run` does not do yet; a hub must refuse a routed Story
    /// for which this is not empty.
    pub fn unsupported(&self) -> &[Unsupported] {
        &self.unsupported
    }
}

/// Two steps, by index into [`Story::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// The step whose packets go through.
    pub from: usize,
    /// The step that gets them.
    pub to: usize,
}

/// One node of the graph.
#[derive(Clone, Debug)]
pub struct Step {
    /// `id` if given, else `name`; unique in its Story.
    pub id: String,
    /// `name`
    pub name: String,
    /// Engram or primitive.
    pub kind: StepKind,
    /// Name of its transport in `spec.transports`.
    pub transport: Option<String>,
    /// Its transport's settings, all levels merged (spec 2.8). As a target, they rule the edge;
    /// `routing`, `recording` and `observability` are those of a source.
    pub settings: Arc<StreamingSettings>,
    /// What its transport lists of media.
    pub media: Arc<Media>,
    /// `if`
    pub condition: Option<Located>,
    /// `with`: evaluated once per run; of a primitive, its settings.
    pub with: Option<Located>,
    /// `runtime`: evaluated per packet.
    pub runtime: Option<Located>,
    /// Upstream steps by index, as the graph was read.
    pub needs: Vec<usize>,
    /// Whether packets of its upstream steps meet in front of it: it names several `needs`.
    pub joins: bool,
    /// `execution.timeout`
    pub timeout: Option<Duration>,
    /// `execution.retry`
    pub retry: Option<Retry>,
    /// `secrets`: the engram's name of a secret -> the secret's name.
    pub secrets: BTreeMap<String, String>,
    /// `allowFailure`
    pub allow_failure: bool,
    /// Where the step stands.
    pub place: Place,
}

impl Step {
    /// Whether clients register as this step.
    pub fn is_engram(&self) -> bool {
        matches!(self.kind, StepKind::Engram(_))
    }
}

/// What a step is.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// A program that streams packets in and out.
    Engram(Box<EngramStep>),
    /// Control flow that the hub does itself.
    Primitive(PrimitiveKind),
}

/// `ref` of a step, with what documents say about that engram.
#[derive(Clone, Debug)]
pub struct EngramStep {
    /// `ref.namespace`, else the Story's.
    pub namespace: String,
    /// `ref.name`
    pub name: String,
    /// Whether an Engram document declares it; an external one is whoever registers.
    pub declared: bool,
    /// `Engram.spec.with`
    pub with: Option<Located>,
    /// `EngramTemplate.spec.inputSchema`
    pub input_schema: Option<Located>,
    /// `EngramTemplate.spec.outputSchema`
    pub output_schema: Option<Located>,
}

/// Built-in control flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrimitiveKind {
    /// Lets packets through whose `if` is true.
    Condition,
    /// Fans out.
    Parallel,
    /// Delays.
    Sleep,
    /// Ends the run.
    Stop,
    /// Replaces the payload.
    Transform,
    /// Starts another Story.
    ExecuteStory,
    /// A type that only batch Stories have; never routed.
    Batch,
}

/// `execution.retry`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// `maxRetries`: attempts after the first one.
    pub max_retries: Option<u32>,
    /// `delay`: pause before the first retry.
    pub delay: Option<Duration>,
    /// `backoff`
    pub backoff: Backoff,
}

/// How the pauses between retries grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backoff {
    /// Each twice the one before.
    #[default]
    Exponential,
    /// Each longer by the first.
    Linear,
    /// All the same.
    Constant,
}

/// `spec.concurrency`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concurrency {
    /// What a newer turn does to an older one.
    pub mode: ConcurrencyMode,
    /// What turns are counted by.
    pub scope: ConcurrencyScope,
}

/// `spec.concurrency.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConcurrencyMode {
    /// Turns do not know of each other.
    #[default]
    Parallel,
    /// A turn waits for the one before it.
    Serial,
    /// A turn interrupts the one before it (spec 2.5).
    CancelPrevious,
}

/// `spec.concurrency.scope`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConcurrencyScope {
    /// One sequence of turns per run.
    #[default]
    StoryRun,
    /// One per participant.
    Participant,
}
