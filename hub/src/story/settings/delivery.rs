//! How packets reach a target: queue bounds, lanes, credits, guarantees, draining.

use std::time::Duration;

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
