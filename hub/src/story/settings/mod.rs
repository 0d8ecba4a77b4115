//! Streaming settings (spec 2.8): their shape, their defaults, and how levels merge.

mod apply;
mod delivery;
mod levels;
mod model;
mod routing;

pub use delivery::{
    AckEvery, Backpressure, Buffer, Credits, Delivery, DropPolicy, FlowControl, FlowMode, Lane,
    LaneDirection, LaneKind, Lifecycle, LifecycleStrategy, Ordering, Overflow, Redelivery, Replay,
    ReplayMode, Semantics,
};
pub(super) use levels::{Level, Levels};
pub use model::StreamingSettings;
pub use routing::{
    FanIn, FanInMode, FanOut, MetricsSettings, Observability, OnTimeout, PartitionMode,
    Partitioning, Recording, RecordingMode, Routing, RoutingMode, Rule, RuleAction, SamplePolicy,
    Tracing, Watermark,
};
