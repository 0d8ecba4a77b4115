//! What was promised: the Story of a world as the oracle understands it.

use super::fact::Step;
use crate::time::Nanos;

/// The promise on the edges to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Nothing is kept after it is handed to the socket.
    BestEffort,
    /// Everything is kept until its receipt.
    AtLeastOnce {
        /// What finds no room ends as a counted drop instead of pausing its producers.
        dead_letter: bool,
        /// Sequences count per partition.
        per_partition: bool,
        /// Wait before the same connection gets a packet again, and most deliveries (0: no end).
        redelivery: Option<(Nanos, u64)>,
    },
}

/// What paces a step's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Only the bounds.
    Free,
    /// Returned credits.
    Credits,
    /// The grant bounds what is in flight.
    Window,
}

/// One step.
#[derive(Clone, Debug)]
pub struct StepRules {
    /// Its id.
    pub name: String,
    /// The promise on the edges to it.
    pub promise: Promise,
    /// Most packets that wait for it.
    pub max_messages: u64,
    /// Most packets that wait on lanes with bounds of their own.
    pub laned_messages: u64,
    /// What paces its stream.
    pub pace: Pace,
    /// Messages granted.
    pub grant: u64,
    /// Most in flight.
    pub max_in_flight: Option<u64>,
}

/// One run of a Story.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Namespace.
    pub namespace: String,
    /// Run.
    pub run: String,
    /// Steps.
    pub steps: Vec<StepRules>,
    /// Edges, from and to.
    pub edges: Vec<(Step, Step)>,
    /// How long the state of a step outlives its last connection.
    pub state_ttl: Nanos,
    /// A packet that opens a turn interrupts the lower ones.
    pub cancel_previous: bool,
}

impl Rules {
    /// Edges that leave `step`.
    pub fn from(&self, step: Step) -> impl Iterator<Item = usize> + '_ {
        (0..self.edges.len()).filter(move |&e| self.edges[e].0 == step)
    }

    /// Edges that lead to `step`.
    pub fn to(&self, step: Step) -> impl Iterator<Item = usize> + '_ {
        (0..self.edges.len()).filter(move |&e| self.edges[e].1 == step)
    }

    /// Whether packets to `step` are numbered and kept.
    pub fn keeps(&self, step: Step) -> bool {
        self.steps[step.0].promise != Promise::BestEffort
    }

    /// An edge for people.
    pub fn edge_name(&self, edge: usize) -> String {
        let (from, to) = self.edges[edge];
        format!("{} -> {}", self.steps[from.0].name, self.steps[to.0].name)
    }
}
