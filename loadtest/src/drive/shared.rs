//! Owns what the threads of a run share: phases, positions and counters.
//!
//! Every counter has one writer; readers may see it late, never torn.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::task::AtomicWaker;
use tokio::sync::watch;

use crate::measure::Latencies;
use crate::scenario::{Bounds, Scenario, Topology};
use crate::units::{Clock, EdgeId, Nanos, Nonce, ProducerId};

/// Where a run stands. Goes forward only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    /// Streams are being opened.
    Connect,
    /// Traffic flows.
    Traffic(Window),
    /// Producers have stopped; what is under way may still arrive.
    Drain,
    /// Streams end.
    Close,
}

/// Times of the traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    /// First message.
    pub(super) start: Nanos,
    /// Messages intended from here on are in the latency figures.
    pub(super) measure_from: Nanos,
    /// No message is intended from here on.
    pub(super) end: Nanos,
}

/// One edge's progress, for windows and for knowing when all has arrived.
#[derive(Debug, Default)]
pub(super) struct EdgeProgress {
    /// Highest sequence received plus one.
    position: AtomicU64,
    /// Distinct messages received.
    received: AtomicU64,
}

/// One producer's progress.
#[derive(Debug, Default)]
pub(super) struct ProducerProgress {
    /// Messages handed to the connection, each once.
    pub(super) sent: AtomicU64,
    /// How many of them it has heard to be settled.
    pub(super) settled: AtomicU64,
    /// Nothing more will be sent.
    pub(super) finished: AtomicBool,
    /// Woken when a consumer has received something.
    pub(super) window: AtomicWaker,
}

/// Counters of one thread.
#[derive(Debug, Default)]
pub(super) struct ThreadCounters {
    /// Messages received that count (whole, right consumer, first time).
    pub(super) delivered: AtomicU64,
    /// Payload bytes of those.
    pub(super) media_bytes: AtomicU64,
    /// Duplicated, reordered, corrupted and misrouted messages.
    pub(super) faults: AtomicU64,
    /// When the last of them was received, in nanoseconds.
    pub(super) last_arrival: AtomicU64,
    /// CPU time of the thread so far, in nanoseconds.
    pub(super) cpu_nanos: AtomicU64,
    /// Latencies since they were last taken.
    pub(super) latencies: Mutex<Latencies>,
}

/// Everything the threads of a run share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) nonce: Nonce,
    pub(super) scenario: Scenario,
    pub(super) topology: Topology,
    /// What the hub may hold for a step without receipts.
    pub(super) bounds: Bounds,
    pub(super) options: super::RunOptions,
    pub(super) phase: watch::Receiver<Phase>,
    /// Number of the last wave of cuts; 0 before the first.
    pub(super) wave: watch::Receiver<u64>,
    /// Number of the last single cut; 0 before the first.
    pub(super) cut: watch::Receiver<u64>,
    pub(super) edges: Vec<EdgeProgress>,
    pub(super) producers: Vec<ProducerProgress>,
    pub(super) threads: Vec<ThreadCounters>,
}

impl Shared {
    /// Publishes how far an edge is and wakes its producer.
    pub(super) fn advance(&self, edge: EdgeId, producer: ProducerId, position: u64, received: u64) {
        let progress = &self.edges[edge.0 as usize];
        // Published before the receipt that it earns, see `acknowledged`.
        progress.position.fetch_max(position, Ordering::Release);
        progress.received.store(received, Ordering::Relaxed);
        self.producers[producer.0 as usize].window.wake();
    }

    /// Lowest position among a producer's edges: all its messages below have arrived or are lost.
    pub(super) fn acknowledged(&self, producer: ProducerId) -> u64 {
        let edges = &self.topology.producers[producer.0 as usize].edges;
        edges
            .iter()
            .map(|edge| self.edges[edge.0 as usize].position.load(Ordering::Acquire))
            .min()
            .unwrap_or(0)
    }

    /// Writes off what is under way to an edge whose connection is gone.
    pub(super) fn write_off(&self, edge: EdgeId, producer: ProducerId) {
        let progress = &self.producers[producer.0 as usize];
        let sent = progress.sent.load(Ordering::Relaxed);
        let edge = &self.edges[edge.0 as usize];
        edge.position.fetch_max(sent, Ordering::Relaxed);
        progress.window.wake();
    }

    /// Stops waiting for an edge whose consumer is gone for good.
    pub(super) fn give_up(&self, edge: EdgeId, producer: ProducerId) {
        let edge = &self.edges[edge.0 as usize];
        edge.position.store(u64::MAX, Ordering::Relaxed);
        self.producers[producer.0 as usize].window.wake();
    }

    /// Messages sent, over all edges, that have not been received.
    pub(super) fn under_way(&self) -> u64 {
        let of_edge = |(edge, plan): (&EdgeProgress, &crate::scenario::EdgePlan)| {
            let sent = &self.producers[plan.producer].sent;
            let received = edge.received.load(Ordering::Relaxed);
            sent.load(Ordering::Relaxed).saturating_sub(received)
        };
        self.edges
            .iter()
            .zip(&self.topology.edges)
            .map(of_edge)
            .sum()
    }

    /// Messages that their producers have not heard to be settled; nothing for best_effort.
    pub(super) fn unsettled(&self) -> u64 {
        if !self.scenario.is_guaranteed() {
            return 0;
        }
        let open = |p: &ProducerProgress| {
            let sent = p.sent.load(Ordering::Relaxed);
            sent.saturating_sub(p.settled.load(Ordering::Relaxed))
        };
        self.producers.iter().map(open).sum()
    }

    /// Messages handed to connections, each counted once for every consumer it is meant for.
    pub(super) fn sent_deliveries(&self) -> u64 {
        self.producers
            .iter()
            .zip(&self.topology.producers)
            .map(|(progress, plan)| progress.sent.load(Ordering::Relaxed) * plan.edges.len() as u64)
            .sum()
    }

    /// Whether every producer has stopped.
    pub(super) fn all_finished(&self) -> bool {
        self.producers
            .iter()
            .all(|p| p.finished.load(Ordering::Relaxed))
    }
}

/// Adds to a counter that only this thread writes.
pub(super) fn bump(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
}
