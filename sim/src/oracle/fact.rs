//! What the oracle is told: what crossed the wire, who came and went, and the hub's own numbers.

use crate::time::Nanos;

/// One connection of the world; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link(pub u32);

/// A step's place in the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(pub usize);

/// Why a registration was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A higher generation has been seen.
    Superseded,
    /// Two peers evict each other.
    Duel,
    /// Anything else.
    Other,
}

/// The hub's numbers of one edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EdgeNumbers {
    /// Routed onto the edge.
    pub accepted: u64,
    /// Receipted, or handed to the socket on a best_effort edge.
    pub delivered: u64,
    /// Ended otherwise, by reason.
    pub dropped: Vec<(&'static str, u64)>,
    /// Waiting.
    pub queued: u64,
    /// Sent and not receipted.
    pub in_flight: u64,
}

impl EdgeNumbers {
    /// Dropped for `reason`.
    pub fn reason(&self, reason: &str) -> u64 {
        let of = self.dropped.iter().filter(|(r, _)| *r == reason);
        of.map(|(_, n)| n).sum()
    }

    /// Dropped for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().map(|(_, n)| n).sum()
    }
}

/// One thing that happened. Messages are whole, without their gRPC prefix.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// A hub process began, with nothing in memory.
    HubStarted,
    /// A stream was let in.
    Registered {
        /// The connection.
        link: Link,
        /// As whom.
        step: Step,
        /// Its generation.
        generation: i32,
        /// It numbers its packets.
        epoch: Option<&'a str>,
        /// It acts on PAUSE.
        pause: bool,
        /// It acts on control.
        control: bool,
    },
    /// A stream was not let in.
    Refused {
        /// As whom.
        step: Step,
        /// Its generation.
        generation: i32,
        /// Why.
        why: Why,
    },
    /// The hub was told that a connection is gone.
    Left {
        /// Which.
        link: Link,
    },
    /// The hub took the packet of a ProcessRequest.
    Took {
        /// From whom.
        link: Link,
        /// The ProcessRequest.
        message: &'a [u8],
    },
    /// The hub would not take the packet of a ProcessRequest yet.
    Blocked {
        /// From whom.
        link: Link,
    },
    /// The hub took in the flow of a ProcessRequest.
    Flow {
        /// From whom.
        link: Link,
        /// The ProcessRequest.
        message: &'a [u8],
    },
    /// The hub took in a ControlRequest.
    Control {
        /// From whom.
        link: Link,
        /// The ControlRequest.
        message: &'a [u8],
    },
    /// The hub handed a ProcessResponse to the socket.
    Sent {
        /// Whose.
        link: Link,
        /// The ProcessResponse.
        message: &'a [u8],
    },
    /// The hub's numbers, by edge.
    Counts {
        /// In the order of the rules.
        edges: &'a [EdgeNumbers],
    },
    /// Nothing will go wrong from now on.
    Calm,
    /// The time for recovery is over, or nothing is pending any more.
    End {
        /// What the clients still wait for, in words; empty when nothing.
        waiting: &'a str,
    },
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at} {invariant}: {what}")]
pub struct Broken {
    /// When.
    pub at: Nanos,
    /// Which, in plain words.
    pub invariant: &'static str,
    /// What was seen, and where.
    pub what: String,
}
