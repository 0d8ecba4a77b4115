//! Streaming settings (spec 2.8): their shape, their defaults, and how levels merge.

mod apply;
mod levels;
mod model;

pub(super) use levels::{Level, Levels};

pub use model::{
    AckEvery, Backpressure, Buffer, Credits, Delivery, DropPolicy, FanIn, FanInMode, FanOut,
    FlowControl, FlowMode, Lane, LaneDirection, LaneKind, Lifecycle, LifecycleStrategy,
    MetricsSettings, Observability, OnTimeout, Ordering, Overflow, PartitionMode, Partitioning,
    Recording, RecordingMode, Redelivery, Replay, ReplayMode, Routing, RoutingMode, Rule,
    RuleAction, SamplePolicy, Semantics, StreamingSettings, Tracing, Watermark,
};
