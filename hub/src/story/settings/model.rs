//! The typed settings of one transport, all levels merged.

use std::time::Duration;

use crate::story::Located;

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

/// `backpressure`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backpressure {
    /// `buffer`
    pub buffer: Buffer,
}

/// `backpressure.buffer`: bounds of one downstream queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// Most packets; at least 1.
    pub max_messages: u64,
    /// Most bytes; at least 1 (an empty queue admits one packet of any size).
    pub max_bytes: u64,
    /// Oldest a queued packet may get; `None`: no bound (10 s for an absent best_effort step).
    pub max_age: Option<Duration>,
    /// What overflow drops.
    pub drop_policy: DropPolicy,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            max_messages: 1000,
            max_bytes: 10 << 20,
            max_age: None,
            drop_policy: DropPolicy::DropNewest,
        }
    }
}

/// `dropPolicy`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DropPolicy {
    /// The packet that does not fit.
    #[default]
    DropNewest,
    /// The packets that stand in its way.
    DropOldest,
}

/// `flowControl`
#[derive(Clone, Debug, PartialEq)]
pub struct FlowControl {
    /// `mode`
    pub mode: FlowMode,
    /// `initialCredits`: the full grant of a connection; the buffer's bounds where omitted.
    pub initial_credits: Credits,
    /// `ackEvery`
    pub ack_every: AckEvery,
    /// `pauseThreshold.bufferPct`, 0 to 100: how full a lane may get before producers pause.
    pub pause_pct: u8,
    /// `resumeThreshold.bufferPct`, at most `pause_pct`: where they go on.
    pub resume_pct: u8,
}

impl Default for FlowControl {
    fn default() -> Self {
        Self {
            mode: FlowMode::Credits,
            initial_credits: Credits::default(),
            ack_every: AckEvery::default(),
            pause_pct: 90,
            resume_pct: 50,
        }
    }
}

/// `flowControl.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlowMode {
    /// Only HTTP/2's own windows.
    None,
    /// The receiver grants messages and bytes.
    #[default]
    Credits,
    /// So many unreceipted packets at most.
    Window,
}

/// A grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credits {
    /// Messages; at least 1.
    pub messages: u64,
    /// Bytes; at least 1 (a full grant admits one packet of any size).
    pub bytes: u64,
}

impl Default for Credits {
    fn default() -> Self {
        let buffer = Buffer::default();
        Self {
            messages: buffer.max_messages,
            bytes: buffer.max_bytes,
        }
    }
}

/// `flowControl.ackEvery`: an ack is sent as soon as one of these is reached; 0 turns one off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckEvery {
    /// Receipted messages.
    pub messages: u64,
    /// Receipted bytes.
    pub bytes: u64,
    /// Time since the first unacked receipt.
    pub max_delay: Duration,
}

impl Default for AckEvery {
    fn default() -> Self {
        Self {
            messages: 10,
            bytes: 0,
            max_delay: Duration::from_millis(250),
        }
    }
}

/// `delivery`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivery {
    /// `ordering`; at_least_once implies `PerStream`.
    pub ordering: Ordering,
    /// `semantics`; a replay mode implies `AtLeastOnce`.
    pub semantics: Semantics,
    /// `replay`
    pub replay: Replay,
    /// `redelivery`
    pub redelivery: Redelivery,
    /// `overflow`
    pub overflow: Overflow,
}

/// `delivery.ordering`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ordering {
    /// No sequences.
    #[default]
    None,
    /// One sequence per stream.
    PerStream,
    /// One sequence per partition.
    PerPartition,
}

/// `delivery.semantics`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Semantics {
    /// Nothing is kept after it is handed to the socket.
    #[default]
    BestEffort,
    /// Kept until receipted.
    AtLeastOnce,
}

/// `delivery.replay`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// `mode`
    pub mode: ReplayMode,
    /// `retentionSeconds`; `None`: no bound.
    pub retention: Option<Duration>,
    /// `checkpointInterval`: group commit; zero commits before each ack.
    pub checkpoint_interval: Duration,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            mode: ReplayMode::None,
            retention: None,
            checkpoint_interval: Duration::from_millis(10),
        }
    }
}

/// `delivery.replay.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplayMode {
    /// No replay.
    #[default]
    None,
    /// Survives reconnects.
    Memory,
    /// Survives a crash of the hub.
    Durable,
}

/// `delivery.redelivery` (spec 2.4 rule 8)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redelivery {
    /// `ackWait`; `None`: the default of the client's contract.
    pub ack_wait: Option<Duration>,
    /// `maxDeliver`, the first delivery counted; 0: no end.
    pub max_deliver: u32,
}

/// `delivery.overflow` (spec 2.4 rule 4)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// Stop taking packets from the producers.
    #[default]
    Pause,
    /// End the packet on this edge.
    DeadLetter,
}

/// `routing`
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    /// `mode`; p2p is served by the hub.
    pub mode: RoutingMode,
    /// `fanOut`
    pub fan_out: FanOut,
    /// `maxDownstreams`, capped by `limits.max_downstreams`.
    pub max_downstreams: u64,
    /// `rules`
    pub rules: Vec<Rule>,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            mode: RoutingMode::Auto,
            fan_out: FanOut::Sequential,
            max_downstreams: 32,
            rules: Vec::new(),
        }
    }
}

/// `routing.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoutingMode {
    /// The hub chooses: through the hub.
    #[default]
    Auto,
    /// Through the hub.
    Hub,
    /// Asked for peer to peer; served by the hub.
    P2p,
}

/// `routing.fanOut`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanOut {
    /// Targets in declared order.
    #[default]
    Sequential,
    /// Targets in any order.
    Parallel,
}

/// One of `routing.rules`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// `name`
    pub name: Option<String>,
    /// `when`; absent or blank: always.
    pub when: Option<Located>,
    /// `action`
    pub action: RuleAction,
    /// `target.steps` as written (ids or names); empty: all downstream steps.
    pub targets: Vec<String>,
}

/// `routing.rules[].action`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleAction {
    /// Makes the list an allowlist.
    #[default]
    Allow,
    /// Beats allow.
    Deny,
}

/// One of `lanes`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// `name`
    pub name: String,
    /// `kind`
    pub kind: LaneKind,
    /// `direction`
    pub direction: LaneDirection,
    /// `maxMessages`; at least 1.
    pub max_messages: u64,
    /// `maxBytes`; at least 1.
    pub max_bytes: u64,
    /// `maxMediaMs`; `None`: no bound.
    pub max_media: Option<Duration>,
    /// `dropPolicy`; `None`: the buffer's.
    pub drop_policy: Option<DropPolicy>,
}

/// `lanes[].kind`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneKind {
    /// Audio frames.
    Audio,
    /// Video frames.
    Video,
    /// Binary frames.
    Binary,
    /// No frame, or a structured packet.
    Payload,
    /// Control.
    Control,
}

/// `lanes[].direction`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LaneDirection {
    /// From the step.
    Publish,
    /// To the step.
    Subscribe,
    /// Both.
    #[default]
    Bidirectional,
}

/// `fanIn`
#[derive(Clone, Debug, PartialEq)]
pub struct FanIn {
    /// `mode`
    pub mode: FanInMode,
    /// `quorum`; `None` with mode quorum: all.
    pub quorum: Option<u32>,
    /// `timeoutSeconds`; `None`: never.
    pub timeout: Option<Duration>,
    /// `maxEntries`
    pub max_entries: u64,
    /// `onTimeout`
    pub on_timeout: OnTimeout,
}

impl Default for FanIn {
    fn default() -> Self {
        Self {
            mode: FanInMode::All,
            quorum: None,
            timeout: Some(Duration::from_secs(30)),
            max_entries: 1000,
            on_timeout: OnTimeout::Drop,
        }
    }
}

/// `fanIn.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanInMode {
    /// Every upstream.
    #[default]
    All,
    /// The first one.
    Any,
    /// So many.
    Quorum,
}

/// `fanIn.onTimeout`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// Counted and dropped.
    #[default]
    Drop,
    /// Delivered with what there is.
    Partial,
}

/// `partitioning`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partitioning {
    /// `mode`
    pub mode: PartitionMode,
    /// `key`; `None`: the first present of the well-known metadata keys (spec 2.3).
    pub key: Option<String>,
    /// `partitions`; 0: as many as there are hash values.
    pub partitions: u32,
    /// `sticky`: keeps a partition that is already set.
    pub sticky: bool,
}

/// `partitioning.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartitionMode {
    /// No partition.
    #[default]
    None,
    /// The producer's, else the key's value.
    Preserve,
    /// By the key's hash.
    Hash,
}

/// `lifecycle`
#[derive(Clone, Debug, PartialEq)]
pub struct Lifecycle {
    /// `strategy`
    pub strategy: LifecycleStrategy,
    /// `drainTimeoutSeconds`
    pub drain_timeout: Duration,
    /// `maxInFlight`; `None`: no bound.
    pub max_in_flight: Option<u64>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self {
            strategy: LifecycleStrategy::Rolling,
            drain_timeout: Duration::from_secs(30),
            max_in_flight: None,
        }
    }
}

/// `lifecycle.strategy`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LifecycleStrategy {
    /// One after the other.
    #[default]
    Rolling,
    /// Drain first.
    DrainCutover,
    /// Side by side.
    BlueGreen,
}

/// `observability`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observability {
    /// `metrics`
    pub metrics: MetricsSettings,
    /// `tracing`
    pub tracing: Tracing,
    /// `watermark`
    pub watermark: Watermark,
}

/// `observability.metrics`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsSettings {
    /// `enabled`
    pub enabled: bool,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `observability.tracing`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tracing {
    /// `enabled`
    pub enabled: bool,
    /// `sampleRate`, percent.
    pub sample_rate: f64,
    /// `samplePolicy`
    pub sample_policy: SamplePolicy,
}

impl Default for Tracing {
    fn default() -> Self {
        Self {
            enabled: true,
            sample_rate: 100.0,
            sample_policy: SamplePolicy::Rate,
        }
    }
}

/// `observability.tracing.samplePolicy`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SamplePolicy {
    /// By `sampleRate`.
    #[default]
    Rate,
    /// Every packet.
    Always,
    /// None.
    Never,
}

/// `observability.watermark`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watermark {
    /// `enabled`
    pub enabled: bool,
    /// `timestampSource`
    pub timestamp_source: Option<String>,
}

/// `recording`
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// `mode`
    pub mode: RecordingMode,
    /// `sampleRate`, percent.
    pub sample_rate: f64,
    /// `retentionSeconds`; `None`: for ever.
    pub retention: Option<Duration>,
    /// `redactFields`: dotted paths.
    pub redact_fields: Vec<String>,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            mode: RecordingMode::Off,
            sample_rate: 100.0,
            retention: None,
            redact_fields: Vec::new(),
        }
    }
}

/// `recording.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordingMode {
    /// Nothing.
    #[default]
    Off,
    /// Without payload and frame.
    Metadata,
    /// Everything.
    Payload,
}
