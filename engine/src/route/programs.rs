//! What a Story asks of each packet, compiled (spec 2.3, 4.4): conditions, primitives on the way,
//! routing rules, inputs, schemas.
//!
//! Owns only what is compiled; evaluating it is [`decide`](crate::decide)'s. Everything here is
//! made once, when a run is attached, and shared between threads.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use expr::{Block, Condition, Reads};
use transport_proto::view::FrameKind;

use super::partition::{PartitionKey, PartitionPlan};

/// A schema that documents are held to, its defaults filled in (spec 2.3).
pub trait DocumentSchema: Debug + Send + Sync {
    /// Fills in defaults, then judges. Returns whether a default was filled in.
    ///
    /// # Errors
    /// What does not fit, in one line.
    fn apply(&self, document: &mut serde_json::Value) -> Result<bool, String>;
}

/// What is asked of the packets that one edge may take. An edge without any has none of these at
/// all, and costs nothing.
#[derive(Clone, Debug, Default)]
pub struct EdgePrograms {
    /// Primitives between the two engrams, in order.
    pub via: Vec<Primitive>,
    /// The target's `if`.
    pub condition: Option<Arc<Condition>>,
    /// The source's routing rules, as far as they concern the target.
    pub rules: Rules,
    /// What becomes of the packet's inputs.
    pub inputs: InputsPlan,
    /// The target's `inputSchema`.
    pub schema: Option<Arc<dyn DocumentSchema>>,
    /// How packets are spread over the partitions of the target's stream.
    pub partition: Option<PartitionPlan>,
}

impl EdgePrograms {
    /// Everything that programs of this edge read.
    #[must_use]
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        for primitive in &self.via {
            reads.merge(&primitive.reads());
        }
        let rules = self.rules.deny.iter().chain(&self.rules.allow);
        for condition in self.condition.iter().chain(rules) {
            reads.merge(condition.reads());
        }
        if let InputsPlan::PerPacket(block) = &self.inputs {
            reads.merge(block.reads());
        }
        reads
    }

    /// Whether there is nothing to evaluate, replace or check.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.via.is_empty()
            && self.condition.is_none()
            && self.rules.is_empty()
            && matches!(self.inputs, InputsPlan::Keep)
            && self.schema.is_none()
            && self.partition.is_none()
    }

    /// Whether a packet's payload or inputs may be replaced.
    #[must_use]
    pub fn replaces_documents(&self) -> bool {
        let transforms =
            |primitive: &Primitive| matches!(primitive.does, PrimitivePlan::Transform(_));
        !matches!(self.inputs, InputsPlan::Keep)
            || self.schema.is_some()
            || self.via.iter().any(transforms)
    }

    /// Whether a packet's payload or inputs must be looked at.
    #[must_use]
    pub fn reads_documents(&self) -> bool {
        let reads = self.reads();
        let by_path = |plan: &PartitionPlan| matches!(plan.key, PartitionKey::Path(..));
        reads.reads_payload()
            || reads.reads_root("steps")
            || self.schema.is_some()
            || self.partition.as_ref().is_some_and(by_path)
    }
}

/// Lifecycle hooks that a step asks for: its `if` speaks of them (spec 2.7).
#[derive(Clone, Debug)]
pub struct HookPlan {
    /// What is asked of a hook before it is sent: the step's `if` and its inputs.
    pub programs: Arc<EdgePrograms>,
    /// Whether `steprun.ready` is one of them.
    pub step_ready: bool,
    /// Whether `storyrun.ready` is.
    pub run_ready: bool,
}

/// A node of the graph that the hub itself applies (spec 2).
#[derive(Clone, Debug)]
pub struct Primitive {
    /// Id of the step: what `steps.<id>` names.
    pub id: Arc<str>,
    /// Its `if`: packets for which it is false go no further this way.
    pub condition: Option<Arc<Condition>>,
    /// What it does with those that pass.
    pub does: PrimitivePlan,
}

impl Primitive {
    /// What its programs read.
    #[must_use]
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        if let Some(condition) = &self.condition {
            reads.merge(condition.reads());
        }
        if let PrimitivePlan::Transform(block) = &self.does {
            reads.merge(block.reads());
        }
        reads
    }
}

/// What a primitive does.
#[derive(Clone, Debug)]
pub enum PrimitivePlan {
    /// Lets packets through as they are (`condition`, `parallel`).
    Pass,
    /// Replaces the payload by what the block gives (`transform`).
    Transform(Arc<Block>),
}

/// Routing rules of a source that concern one target (spec 2.3): deny beats allow.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// A packet for which one of these is true does not take the edge.
    pub deny: Vec<Arc<Condition>>,
    /// Of an allowlist, one of these must be true.
    pub allow: Vec<Arc<Condition>>,
    /// Whether the source has any allow rule, for whichever target.
    pub is_allowlist: bool,
}

impl Rules {
    /// Whether every packet passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deny.is_empty() && !self.is_allowlist
    }
}

/// What becomes of a packet's inputs on an edge (spec 2.3).
#[derive(Clone, Debug, Default)]
pub enum InputsPlan {
    /// The producer's pass untouched.
    #[default]
    Keep,
    /// `with`: evaluated once, the same for every packet of the run.
    Once(Inputs),
    /// `runtime`: evaluated for every packet.
    PerPacket(Arc<Block>),
}

/// Inputs in both forms that packets carry them in; the two say the same.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The contents of a `google.protobuf.Struct`.
    pub body: Bytes,
    /// A JSON object, for envelope frames.
    pub json: Bytes,
}

/// What is asked of every packet that a step emits, whichever edges it takes.
#[derive(Clone, Debug, Default)]
pub struct EmitPrograms {
    /// The step's `outputSchema`.
    pub schema: Option<Arc<dyn DocumentSchema>>,
    /// Ways from this step to `stop` primitives: a packet that gets through to the end of one ends
    /// the run.
    pub stops: Vec<Vec<Primitive>>,
    /// Where a packet says when what it speaks of happened; `None` does not measure that.
    pub watermark: Option<TimestampSource>,
}

/// `watermark.timestampSource`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TimestampSource {
    /// Metadata `bubu.envelope.timestamp_ms`, else the frame's timestamp.
    #[default]
    Usual,
    /// The metadata value of a key.
    Metadata(Box<str>),
    /// The timestamp of a frame of this kind.
    Frame(FrameKind),
}

impl TimestampSource {
    /// `metadata.<key>`, `audio.timestamp_ms` (`video`, `binary`), or the bare key of a metadata
    /// value; blank for the usual ones.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.trim() {
            "" => Self::Usual,
            "audio.timestamp_ms" => Self::Frame(FrameKind::Audio),
            "video.timestamp_ms" => Self::Frame(FrameKind::Video),
            "binary.timestamp_ms" => Self::Frame(FrameKind::Binary),
            key => Self::Metadata(key.strip_prefix("metadata.").unwrap_or(key).into()),
        }
    }
}
