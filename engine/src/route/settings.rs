//! What a Story asks of delivery: guarantees, pacing, lanes (spec 2.4, 2.5, 2.8).

use std::time::Duration;

use super::plan::QueueBounds;

/// What is promised on the edges to a step (spec 2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Semantics {
    /// Nothing is kept after it is handed to the socket.
    #[default]
    BestEffort,
    /// Every packet is numbered, kept until its receipt, and replayed.
    AtLeastOnce(Guarantee),
}

/// The settings of an at_least_once edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guarantee {
    /// What happens when window and queue are full.
    pub overflow: Overflow,
    /// Sequences count per partition of the packet's envelope instead of per stream.
    pub per_partition: bool,
    /// Sending again while connected; `None` leaves that to reconnects.
    pub redelivery: Option<Redelivery>,
}

/// What an at_least_once edge does with a packet that finds no room (spec 2.4 rule 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// No packet is taken from the producers that feed the edge until there is room again.
    #[default]
    Pause,
    /// The packet ends on this edge, counted; its siblings flow on.
    DeadLetter,
}

/// Sending again while connected (spec 2.4 rule 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redelivery {
    /// How long a receipt may take.
    pub ack_wait: Duration,
    /// Most deliveries of one packet, the first counted; 0 is no end.
    pub max_deliver: u32,
}

/// How a step's stream is paced (spec 2.5, 2.8 `flowControl`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowPlan {
    /// What bounds what is under way.
    pub mode: FlowMode,
    /// What each connection may be sent before it returns credits.
    pub grant: Credits,
    /// How often this step, as a producer, hears what is settled.
    pub ack_every: AckEvery,
    /// Percent of a bound at which producers are paused.
    pub pause_pct: u8,
    /// Percent of a bound at which they are resumed.
    pub resume_pct: u8,
    /// Most packets in flight; `None` leaves that to the other bounds.
    pub max_in_flight: Option<usize>,
}

impl Default for FlowPlan {
    /// The defaults of spec 2.8.
    fn default() -> Self {
        Self {
            mode: FlowMode::Credits,
            grant: Credits {
                messages: 1000,
                bytes: 10 * 1024 * 1024,
            },
            ack_every: AckEvery::default(),
            pause_pct: 90,
            resume_pct: 50,
            max_in_flight: None,
        }
    }
}

/// `flowControl.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlowMode {
    /// Only the buffer's bounds.
    None,
    /// The peer returns credits; they count from its first FlowControl that carries some.
    #[default]
    Credits,
    /// What is in flight stays within the grant.
    Window,
}

/// An amount of messages and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credits {
    /// Messages.
    pub messages: u64,
    /// Encoded bytes.
    pub bytes: u64,
}

/// When a producer is told what is settled: whichever comes first (spec 2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckEvery {
    /// After so many packets; 0 leaves it to the others.
    pub messages: u64,
    /// After so many bytes; 0 leaves it to the others.
    pub bytes: u64,
    /// At the latest so long after the first packet that it has not been told of.
    pub max_delay: Duration,
}

impl Default for AckEvery {
    /// The defaults of spec 2.8.
    fn default() -> Self {
        Self {
            messages: 10,
            bytes: 0,
            max_delay: Duration::from_millis(250),
        }
    }
}

/// The lane of a packet, by its frame; in order of priority (spec 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Lane {
    /// Control.
    Control,
    /// Audio frames.
    Audio,
    /// No frame, or a structured packet.
    Payload,
    /// Other binary frames.
    Binary,
    /// Video frames.
    Video,
}

impl Lane {
    /// How many lanes there are.
    pub const COUNT: usize = 5;
    /// Every lane, the most urgent first.
    pub const ALL: [Lane; Self::COUNT] = [
        Self::Control,
        Self::Audio,
        Self::Payload,
        Self::Binary,
        Self::Video,
    ];

    /// The lane's name in settings and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Audio => "audio",
            Self::Payload => "payload",
            Self::Binary => "binary",
            Self::Video => "video",
        }
    }
}

/// Bounds of one lane of a step's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanePlan {
    /// Which lane.
    pub lane: Lane,
    /// Its bounds.
    pub bounds: QueueBounds,
    /// Most media time that waits; `None` does not bound it.
    pub max_media: Option<Duration>,
}
