//! What must be true inside a hub process, worked out from the wire alone.
//!
//! A [`Life`] is one hub process. Nothing in it survives a restart (memory mode).

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Link, Step};
use super::rules::Rules;
use crate::time::Nanos;
use crate::wire::{Kind, Payload, Tag};

/// A sequence on a target: its partition where sequences count per partition, else empty.
pub(super) type Place = (String, u64);

/// One hub process.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// From 1.
    pub number: u32,
    /// Epoch in the stream ids of this life, once seen.
    pub epoch: Option<String>,
    pub seats: Vec<Seat>,
    pub peers: BTreeMap<Link, Peer>,
    pub taken: BTreeMap<Payload, Taken>,
    /// Payloads of numbering producers by (step, epoch, number).
    pub numbered: BTreeMap<(usize, String), BTreeMap<u64, Payload>>,
    pub edges: Vec<EdgeModel>,
    pub books: Vec<Book>,
    /// Current turn of each step's stream.
    pub current_turn: Vec<u64>,
    /// By kind of frame: turns below were interrupted.
    pub barrier: BTreeMap<Kind, u64>,
}

/// Who may speak as a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Seat {
    pub owner: Option<Link>,
    /// Highest generation let in; never decreases.
    pub generation: Option<i32>,
    /// Since when nobody owns it.
    pub absent_since: Nanos,
}

/// One connection that was let in.
#[derive(Debug)]
pub(super) struct Peer {
    pub step: Step,
    pub epoch: Option<String>,
    pub pause: bool,
    /// It acts on control.
    pub control: bool,
    pub paused: bool,
    /// Sent before, not receipted: to be sent again before anything new.
    pub due: BTreeSet<Place>,
    /// What went out on this connection.
    pub sent: BTreeMap<Place, SentOn>,
    /// Highest ack told on this connection.
    pub told: u64,
    pub credit: Credit,
}

/// How a place went out on one connection.
#[derive(Clone, Debug)]
pub(super) struct SentOn {
    /// Chunks that went out since the last redelivery began.
    pub chunks: u64,
    /// When each chunk went out last.
    pub at: BTreeMap<u8, Nanos>,
    /// Chunks that ever went out on this connection.
    pub ever: u64,
    /// Every chunk went out at least once.
    pub whole: bool,
}

/// What a connection may be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Credit {
    /// Whether the peer has sent credits on this connection.
    pub counts: bool,
    /// Messages that may still be sent.
    pub left: u64,
}

/// A packet, or a chunk of one, on its way to a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going {
    pub link: Link,
    pub step: Step,
    pub tag: Tag,
}

/// A payload that the hub took.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub kind: Kind,
    pub turn: u64,
    pub chunks: u8,
    /// Digest of each chunk taken.
    pub bodies: BTreeMap<u8, u64>,
    /// Chunks that were routed; those of an interrupted turn were not.
    pub routed: u32,
    /// When the last chunk came.
    pub last: Nanos,
    /// A chunk came after the set had been given up: what follows is nobody's promise.
    pub late: bool,
}

impl Taken {
    pub(super) fn whole(&self) -> bool {
        self.bodies.len() == usize::from(self.chunks)
    }
}

/// What became of a payload on one edge.
#[derive(Clone, Debug, Default)]
pub(super) struct Fate {
    /// Its sequence, once it went out (at_least_once).
    pub place: Option<Place>,
    /// Chunks that went out (best_effort).
    pub chunks_out: u64,
    pub deliveries: u64,
    pub receipted: bool,
    /// Ended by an interrupt before it went out: must never be seen.
    pub cancelled: bool,
    /// An interrupt may have ended it while it waited to be sent again.
    pub interrupted_maybe: bool,
    /// It has been delivered as often as it may be.
    pub exhausted: bool,
    /// Its step was away for so long that it may have been given up.
    pub evicted_maybe: bool,
    /// Only a part of its chunk set has ever gone out.
    pub partial: bool,
    /// Its producer was told that it is settled.
    pub acked: bool,
}

impl Fate {
    /// Whether the hub may have dropped it although it went out.
    pub(super) fn loose(&self) -> bool {
        self.evicted_maybe || self.interrupted_maybe || self.exhausted || self.partial || self.acked
    }
}

/// One edge in one life.
#[derive(Clone, Debug, Default)]
pub(super) struct EdgeModel {
    pub accepted: u64,
    /// Chunk sets of which chunks are missing: they may count from their first or last chunk.
    pub open: u64,
    /// Chunks that came so late that their set had been given up.
    pub accepted_maybe: u64,
    /// Receipts that certainly released something.
    pub delivered: u64,
    /// Receipts for what may have been dropped before.
    pub delivered_maybe: u64,
    /// Settled in the producer's eyes without a receipt.
    pub vanished: u64,
    /// How many packets an interrupt may have ended.
    pub interruptible: u64,
    pub fates: BTreeMap<Payload, Fate>,
    /// The hub's numbers, as last told.
    pub last: super::fact::EdgeNumbers,
}

/// What a step's stream has carried, per partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    pub streams: BTreeMap<String, Stream>,
}

/// One sequence space.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    /// Highest sequence that went out; never decreases.
    pub highest: u64,
    /// Sequences below it that never went out.
    pub holes: u64,
    /// Payload of each sequence.
    pub items: BTreeMap<u64, Payload>,
    /// Last number of each producer life.
    pub order: BTreeMap<(u8, u16), u32>,
}

impl Life {
    pub(super) fn new(number: u32, rules: &Rules) -> Self {
        Self {
            number,
            seats: vec![Seat::default(); rules.steps.len()],
            edges: vec![EdgeModel::default(); rules.edges.len()],
            books: vec![Book::default(); rules.steps.len()],
            current_turn: vec![0; rules.steps.len()],
            ..Self::default()
        }
    }

    /// The step of a connection that still owns it.
    pub(super) fn owned_by(&self, link: Link) -> Option<Step> {
        let step = self.peers.get(&link)?.step;
        (self.seats.get(step.0)?.owner == Some(link)).then_some(step)
    }
}

/// The edge from a payload's producer to `to`.
pub(super) fn edge_of(rules: &Rules, payload: Payload, to: Step) -> Option<usize> {
    rules
        .to(to)
        .find(|&e| rules.edges[e].0.0 == usize::from(payload.step))
}
