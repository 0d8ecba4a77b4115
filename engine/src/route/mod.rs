//! Who is downstream of whom.
//!
//! Owns the compiled form of a Story's graph for one run. Never looks anything up by name on the
//! data path: steps and edges are indices, and what is the same for every packet of an edge (its
//! stamp) is encoded when the run is attached.

mod fan_in;
mod partition;
mod plan;
mod programs;
mod settings;
mod stamp;

pub use fan_in::{FanInMode, FanInPlan, OnTimeout};
pub use partition::{
    PartitionFacts, PartitionKey, PartitionKeyError, PartitionMode, PartitionPlan, PartitionRoot,
    Scalar,
};
pub use plan::{EdgePlan, OverflowPolicy, PlanError, QueueBounds, RunPlan, StepKind, StepPlan};
pub use programs::{
    DocumentSchema, EdgePrograms, EmitPrograms, HookPlan, Inputs, InputsPlan, Primitive,
    PrimitivePlan, Rules, TimestampSource,
};
pub use settings::{
    AckEvery, Credits, FlowMode, FlowPlan, Guarantee, Lane, LanePlan, Overflow, Redelivery,
    Semantics,
};
pub(crate) use stamp::{ROUTING_KEYS, Stamp, stream_id};
