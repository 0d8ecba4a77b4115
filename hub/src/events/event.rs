//! What can be told, and the names of it (spec 11 'Events').

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::{EdgeName, Generation, Registration, RunName};

/// The types of events. Scripts rely on their names; a type that is not built yet is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    RunCreated,
    RunReady,
    RunEnded,
    RunDegraded,
    StepConnected,
    StepDisconnected,
    StepSuperseded,
    StepDuel,
    StepUnknown,
    StoryLoaded,
    StoryRefused,
    DropBurst,
    PacketDeadLetter,
    ProducerPaused,
    ProducerResumed,
    HubStarted,
    HubDraining,
    /// Events that nobody can be told: they came faster than they could be written.
    EventsLost,
}

impl Kind {
    /// Every type, in the order of the spec.
    pub(crate) const ALL: [Kind; 18] = [
        Self::RunCreated,
        Self::RunReady,
        Self::RunEnded,
        Self::RunDegraded,
        Self::StepConnected,
        Self::StepDisconnected,
        Self::StepSuperseded,
        Self::StepDuel,
        Self::StepUnknown,
        Self::StoryLoaded,
        Self::StoryRefused,
        Self::DropBurst,
        Self::PacketDeadLetter,
        Self::ProducerPaused,
        Self::ProducerResumed,
        Self::HubStarted,
        Self::HubDraining,
        Self::EventsLost,
    ];

    /// `name` in the envelope, `type` in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RunCreated => "run.created",
            Self::RunReady => "run.ready",
            Self::RunEnded => "run.ended",
            Self::RunDegraded => "run.degraded",
            Self::StepConnected => "step.connected",
            Self::StepDisconnected => "step.disconnected",
            Self::StepSuperseded => "step.superseded",
            Self::StepDuel => "step.duel",
            Self::StepUnknown => "step.unknown",
            Self::StoryLoaded => "story.loaded",
            Self::StoryRefused => "story.refused",
            Self::DropBurst => "drop.burst",
            Self::PacketDeadLetter => "packet.dead_letter",
            Self::ProducerPaused => "producer.paused",
            Self::ProducerResumed => "producer.resumed",
            Self::HubStarted => "hub.started",
            Self::HubDraining => "hub.draining",
            Self::EventsLost => "events.lost",
        }
    }
}

/// Longest name, and longest detail, that an event repeats of what a client says, in characters.
const LONGEST_NAME: usize = 256;
const LONGEST_DETAIL: usize = 2048;

/// The beginning of `text`: it comes from the network, and a refused client says it again and again.
fn cut(text: &str, longest: usize) -> &str {
    match text.char_indices().nth(longest) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The beginning of what a refused client was told.
pub(crate) fn detail(text: &str) -> String {
    cut(text, LONGEST_DETAIL).to_owned()
}

/// Who a client registers as; names that are too long for people are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StepName {
    pub(crate) namespace: Box<str>,
    pub(crate) run: Box<str>,
    pub(crate) step: Box<str>,
}

impl StepName {
    pub(crate) fn of(who: &Registration<'_>) -> Self {
        Self {
            namespace: cut(who.namespace, LONGEST_NAME).into(),
            run: cut(who.run, LONGEST_NAME).into(),
            step: cut(who.step, LONGEST_NAME).into(),
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.namespace, self.run, self.step)
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    HubStarted {
        grpc: SocketAddr,
        admin: SocketAddr,
    },
    HubDraining {
        deadline: Duration,
    },
    StoryLoaded {
        namespace: String,
        story: String,
        /// The file that it stands in.
        path: String,
        steps: usize,
        edges: usize,
        /// Whether the hub routes it.
        routed: bool,
    },
    /// A file that nothing is served of: the hub does not start.
    StoryRefused {
        path: String,
        /// What is wrong with it, each with its line; the first of them.
        problems: Vec<String>,
    },
    RunCreated(RunName),
    RunReady(RunName),
    RunEnded(RunName),
    /// A step has been away for longer than its Story allows.
    RunDegraded {
        run: RunName,
        step: Arc<str>,
        away: Duration,
    },
    StepConnected {
        step: Arc<StepName>,
        peer: Arc<str>,
        generation: Generation,
    },
    StepDisconnected {
        step: Arc<StepName>,
        peer: Arc<str>,
    },
    /// A connection has lost its step to `newcomer`.
    StepSuperseded {
        step: Arc<StepName>,
        peer: Arc<str>,
        newcomer: Arc<str>,
        generation: Generation,
    },
    /// Two live peers claim one step; the present one stays.
    StepDuel {
        step: StepName,
        present: Arc<str>,
        newcomer: Arc<str>,
    },
    /// Somebody asks for a run or step that is not known here.
    StepUnknown {
        step: StepName,
        peer: Arc<str>,
        /// What it was told, with what is known.
        detail: String,
    },
    /// Packets were dropped on an edge since that was told last.
    DropBurst {
        edge: EdgeName,
        reason: &'static str,
        packets: u64,
        /// What was wrong with one of them.
        example: Option<Box<str>>,
    },
    /// A packet of an at_least_once edge ended without a receipt.
    DeadLetter {
        edge: EdgeName,
        reason: &'static str,
        stream_id: Box<str>,
        /// `None` where it had none yet.
        sequence: Option<u64>,
    },
    /// More of these than are told one by one.
    DeadLetters {
        edge: EdgeName,
        reason: &'static str,
        packets: u64,
    },
    /// The producer `from` waits for the step `to` to make room.
    ProducerPaused(EdgeName),
    ProducerResumed {
        edge: EdgeName,
        /// How often it has had to wait since it was told last.
        pauses: u64,
    },
    /// More of a kind than are told one by one.
    Withheld {
        kind: Kind,
        events: u64,
    },
    EventsLost {
        events: u64,
    },
}

impl Event {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::HubStarted { .. } => Kind::HubStarted,
            Self::HubDraining { .. } => Kind::HubDraining,
            Self::StoryLoaded { .. } => Kind::StoryLoaded,
            Self::RunCreated(_) => Kind::RunCreated,
            Self::RunReady(_) => Kind::RunReady,
            Self::RunEnded(_) => Kind::RunEnded,
            Self::RunDegraded { .. } => Kind::RunDegraded,
            Self::StoryRefused { .. } => Kind::StoryRefused,
            Self::StepConnected { .. } => Kind::StepConnected,
            Self::StepDisconnected { .. } => Kind::StepDisconnected,
            Self::StepSuperseded { .. } => Kind::StepSuperseded,
            Self::StepDuel { .. } => Kind::StepDuel,
            Self::StepUnknown { .. } => Kind::StepUnknown,
            Self::DropBurst { .. } => Kind::DropBurst,
            Self::DeadLetter { .. } | Self::DeadLetters { .. } => Kind::PacketDeadLetter,
            Self::ProducerPaused(_) => Kind::ProducerPaused,
            Self::ProducerResumed { .. } => Kind::ProducerResumed,
            Self::Withheld { kind, .. } => *kind,
            Self::EventsLost { .. } => Kind::EventsLost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_is_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("\u{e9}\u{e9}\u{e9}", 2), "\u{e9}\u{e9}");
        assert_eq!(detail(&"x".repeat(10_000)).len(), LONGEST_DETAIL);
    }

    #[test]
    fn every_type_has_its_own_name_and_place() {
        let mut names: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
    }
}
