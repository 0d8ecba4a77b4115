//! What the engine tells people (spec 11, events). Nothing is decided by it.

use std::sync::Arc;
use std::time::Duration;

use crate::account::DropReason;

/// Which run, for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunName {
    /// Its Story.
    pub story: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name, unique in its namespace.
    pub run: Arc<str>,
}

/// Which edge of which run, for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EdgeName {
    /// The run.
    pub run: RunName,
    /// Source step.
    pub from: Arc<str>,
    /// Target step.
    pub to: Arc<str>,
}

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Every engram step of a run is connected; told once a run.
    RunReady(RunName),
    /// A run has ended: a `stop` of its Story was reached, or somebody ended it.
    RunEnded(RunName),
    /// A step has been away for longer than its Story allows; told once an absence.
    RunDegraded {
        /// The run.
        run: RunName,
        /// The absent step.
        step: Arc<str>,
        /// For how long it has been away.
        away: Duration,
    },
    /// Packets that waited for an absent step were given up.
    Expired {
        /// The run.
        run: RunName,
        /// The absent step.
        step: Arc<str>,
        /// How many packets.
        packets: u64,
    },
    /// A packet of an at_least_once edge ended without a receipt.
    DeadLettered {
        /// Where.
        edge: EdgeName,
        /// Why.
        reason: DropReason,
        /// The stream that it was part of.
        stream_id: Box<str>,
        /// Its sequence; 0 where it had none yet.
        sequence: u64,
    },
    /// More such packets than are told one by one.
    DeadLetters {
        /// Where.
        edge: EdgeName,
        /// Why.
        reason: DropReason,
        /// How many since it was told last.
        packets: u64,
    },
    /// Packets were dropped on an edge since it was told last.
    Dropped {
        /// Where.
        edge: EdgeName,
        /// Why.
        reason: DropReason,
        /// How many.
        packets: u64,
        /// What was wrong with one of them, where that can be said.
        example: Option<Box<str>>,
    },
    /// The producer `from` waits for the step `to` to make room.
    Paused(EdgeName),
    /// It waits no more.
    Resumed {
        /// Where.
        edge: EdgeName,
        /// How often it has had to wait since it was told last, once at least.
        pauses: u64,
    },
}
