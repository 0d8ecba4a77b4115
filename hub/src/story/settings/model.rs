//! The typed settings of one transport, all levels merged.

use super::{
    Backpressure, Delivery, FanIn, FlowControl, Lane, Lifecycle, Observability, Partitioning,
    Recording, Routing,
};

/// Settings of one transport of one Story (spec 2.8); `Default` is the built-in level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamingSettings {
    /// Queue bounds.
    pub backpressure: Backpressure,
    /// Credits, acks, pausing.
    pub flow_control: FlowControl,
    /// Guarantees of an edge.
    pub delivery: Delivery,
    /// Where packets of a source go.
    pub routing: Routing,
    /// Bounds per kind of frame; empty: only the buffer's bounds apply.
    pub lanes: Vec<Lane>,
    /// Joins at steps with several needs.
    pub fan_in: FanIn,
    /// Partition of packets.
    pub partitioning: Partitioning,
    /// Draining and cut-over.
    pub lifecycle: Lifecycle,
    /// Metrics, traces, watermark.
    pub observability: Observability,
    /// Recordings of a source.
    pub recording: Recording,
}
