//! What admin and telemetry see of the engine, copied at one instant.

use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Run};
use crate::account::{EdgeCounts, RefuseCounts};
use crate::deliver::{IgnoredReceipts, Outbox};
use crate::ids::{ConnId, Generation, Moment, StepIndex};
use crate::latency::Latency;

/// Heartbeats by direction. They never decrease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeartbeatCounts {
    /// From the hub to connected streams.
    pub sent: u64,
    /// From engrams to the hub.
    pub received: u64,
    /// From engrams on to their dependents.
    pub forwarded: u64,
}

/// One edge of one run.
#[derive(Clone, Debug)]
pub struct EdgeSnapshot {
    /// Story of the run.
    pub story: Arc<str>,
    /// Namespace of the run.
    pub namespace: Arc<str>,
    /// Name of the run.
    pub run: Arc<str>,
    /// Source step.
    pub from: Arc<str>,
    /// Target step.
    pub to: Arc<str>,
    /// What happened to packets so far.
    pub counts: EdgeCounts,
    /// Packets waiting.
    pub queued: u64,
    /// Bytes waiting, on the wire.
    pub queued_bytes: u64,
    /// Packets sent and not yet receipted (at_least_once; 0 on best_effort edges).
    pub in_flight: u64,
    /// Their bytes, on the wire.
    pub in_flight_bytes: u64,
    /// Whether every packet is kept until its receipt.
    pub at_least_once: bool,
    /// Whether the producer waits for this edge.
    pub paused: bool,
    /// The step that the producer waits for, this edge's target or another: while it waits,
    /// nothing comes onto any of its edges.
    pub culprit: Option<Arc<str>>,
    /// Time from the producer's socket to the consumer's.
    pub forward: Latency,
}

/// One step of one run.
#[derive(Clone, Debug)]
pub struct SessionSnapshot {
    /// Namespace of the run.
    pub namespace: Arc<str>,
    /// Name of the run.
    pub run: Arc<str>,
    /// The step.
    pub step: Arc<str>,
    /// The connection that owns it, if any.
    pub owner: Option<ConnId>,
    /// Highest generation that ever owned it.
    pub generation: Option<Generation>,
    /// Story of the run, for labels.
    pub story: Arc<str>,
    /// Receipts that released nothing.
    pub ignored: IgnoredReceipts,
    /// What is measured of its packets, where its Story asks for something of them.
    pub measured: Option<Box<Measured>>,
}

/// What is measured of the packets that a step emits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// How long it took to decide on each; of those that came in one read, the first stands for all.
    pub evaluate: Latency,
    /// How long after what it speaks of each came (spec 2.3, watermark).
    pub lag: Latency,
    /// When a decision was timed last, and how long it took.
    timed: Option<(Moment, Duration)>,
}

impl Measured {
    /// Records how long it takes to `decide` on a packet that came at `now`. Reading the clock twice
    /// costs half of what most decisions do.
    pub(super) fn time<T>(
        &mut self,
        (clock, now): (fn() -> Moment, Moment),
        decide: impl FnOnce() -> T,
    ) -> T {
        let timed = self.timed.filter(|(at, _)| *at == now);
        let (decided, took) = match timed {
            Some((_, took)) => (decide(), took),
            None => {
                let began = clock();
                let decided = decide();
                (decided, clock().since(began))
            }
        };
        self.timed = Some((now, took));
        self.evaluate.record(took, 1);
        decided
    }
}

/// The whole engine at one instant.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// This start of the hub, as in every stream id.
    pub epoch: Arc<str>,
    /// Every edge of every run.
    pub edges: Vec<EdgeSnapshot>,
    /// Every step of every run.
    pub sessions: Vec<SessionSnapshot>,
    /// Packets dropped whole at the door.
    pub refused: RefuseCounts,
    /// Heartbeats.
    pub heartbeats: HeartbeatCounts,
    /// Streams registered now.
    pub streams: usize,
    /// Runs known now.
    pub runs: usize,
    /// Bytes that all queues hold, sent and not yet receipted ones included.
    pub queued_bytes: usize,
}

impl EdgeSnapshot {
    /// Whether `accepted = delivered + dropped + queued + in flight` holds.
    pub fn balances(&self) -> bool {
        let c = &self.counts;
        c.accepted == c.delivered + c.dropped_total() + self.queued + self.in_flight
    }
}

impl Engine {
    /// Copies what there is to see. Costs time in proportion to what is queued; never called per
    /// packet.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot {
            epoch: self.epoch.clone(),
            edges: Vec::new(),
            sessions: Vec::new(),
            refused: self.refused.clone(),
            heartbeats: self.heartbeats,
            streams: self.streams,
            runs: self.runs.len(),
            queued_bytes: self.queued_bytes + self.staged_bytes,
        };
        for run in &self.runs {
            let first = snapshot.edges.len();
            for (edge, plan) in run.edges.iter().zip(&run.plan.edges) {
                snapshot.edges.push(EdgeSnapshot {
                    story: run.plan.story.clone(),
                    namespace: run.plan.namespace.clone(),
                    run: run.plan.name.clone(),
                    from: run.plan.steps[plan.from.at()].id.clone(),
                    to: run.plan.steps[plan.to.at()].id.clone(),
                    counts: edge.counts.clone(),
                    queued: 0,
                    queued_bytes: 0,
                    in_flight: 0,
                    in_flight_bytes: 0,
                    at_least_once: is_kept(&run.sessions[plan.to.at()].outbox),
                    paused: run.waits(plan.from, plan.to),
                    culprit: run.culprit(plan.from, plan.to),
                    forward: edge.forward.clone(),
                });
            }
            let steps = run.sessions.iter().zip(&run.plan.steps);
            for ((session, step), measured) in steps.zip(&run.measured) {
                let edges = &mut snapshot.edges[first..];
                match &session.outbox {
                    Outbox::Lanes(lanes) => {
                        for entry in lanes.entries() {
                            let edge = &mut edges[entry.edge as usize];
                            edge.queued += 1;
                            edge.queued_bytes += u64::from(entry.len);
                        }
                    }
                    Outbox::Log(log) => {
                        for (edge, bytes) in log.open_sets() {
                            edges[edge as usize].queued += 1;
                            edges[edge as usize].queued_bytes += bytes as u64;
                        }
                        for (edge, len, is_sent, is_head) in log.kept() {
                            let edge = &mut edges[edge as usize];
                            let (packets, bytes) = if is_sent {
                                (&mut edge.in_flight, &mut edge.in_flight_bytes)
                            } else {
                                (&mut edge.queued, &mut edge.queued_bytes)
                            };
                            *packets += u64::from(is_head);
                            *bytes += u64::from(len);
                        }
                    }
                }
                snapshot.sessions.push(SessionSnapshot {
                    namespace: run.plan.namespace.clone(),
                    run: run.plan.name.clone(),
                    step: step.id.clone(),
                    owner: session.owner,
                    generation: session.fence.highest(),
                    story: run.plan.story.clone(),
                    ignored: session.ignored,
                    measured: measured.clone(),
                });
            }
        }
        snapshot
    }
}

impl Run {
    /// Whom the producer `from` waits for: `to`, else the first of its targets that holds it up.
    fn culprit(&self, from: StepIndex, to: StepIndex) -> Option<Arc<str>> {
        let others = self.downstream[from.at()].iter();
        let others = others.map(|&at| self.edges[at as usize].to);
        let mut targets = std::iter::once(to).chain(others);
        let culprit = targets.find(|&target| self.waits(from, target))?;
        Some(self.plan.steps[culprit.at()].id.clone())
    }

    /// Whether the producer `from` is held up by `to`.
    pub(super) fn waits(&self, from: StepIndex, to: StepIndex) -> bool {
        let producer = &self.sessions[from.at()];
        let stalled = producer.stalled.map(|edge| self.edges[edge as usize].to);
        let full = matches!(&self.sessions[to.at()].outbox, Outbox::Log(log) if log.is_paused());
        stalled == Some(to) || (full && producer.hold.0)
    }
}

fn is_kept(outbox: &Outbox) -> bool {
    matches!(outbox, Outbox::Log(_))
}
