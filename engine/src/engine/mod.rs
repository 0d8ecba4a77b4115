//! The engine: runs, connections, and what happens between them.
//!
//! Owns every run's state on one data-plane thread. Never blocks, never awaits; the shell calls it
//! with `now` and carries out the [`Actions`].
//!
//! | file | does |
//! | --- | --- |
//! | `mod` | limits, actions, attaching runs |
//! | `binding` | which step a binding names |
//! | `connect` | registration, fencing, disconnects |
//! | `expiry` | what waits too long |
//! | `packet` | one packet in: who sent it, and whether it is in order |
//! | `fan_out` | onto every edge of its step |
//! | `decision` | what a Story asks of the packet, decided here or elsewhere |
//! | `pending` | what is kept of decisions until their packets are taken |
//! | `joins` | packets of different upstreams that meet |
//! | `late` | what waited at a join and goes on |
//! | `numbered` | packets that their producer numbers |
//! | `offer`, `chunk_sets` | one packet onto one edge |
//! | `room` | whether it may wait there |
//! | `send`, `translate` | bytes out to a socket |
//! | `directive` | what clients are told on a control channel |
//! | `receipts` | receipts and credits |
//! | `settle` | what follows when packets are done with: accounts, acks, who may go on |
//! | `hooks` | lifecycle hooks: engrams hear who is there |
//! | `interrupt` | barge-in, control beside the packets |
//! | `tick` | heartbeats, late receipts, what is due |
//! | `report` | drops and pauses, told once in a while |
//! | `ending` | the end of a run, and of the hub |
//! | `event` | what people are told |
//! | `snapshot` | what admin and telemetry see |

mod binding;
mod chunk_sets;
mod connect;
mod decision;
mod directive;
mod ending;
mod event;
mod expiry;
mod fan_out;
mod hooks;
mod interrupt;
mod joins;
mod late;
mod limits;
mod numbered;
mod offer;
mod packet;
mod parted;
mod pending;
mod receipts;
mod report;
mod room;
mod send;
mod settle;
mod snapshot;
#[cfg(test)]
mod tests;
mod tick;
mod translate;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::account::{DropReason, EdgeCounts, RefuseCounts};
use crate::decide::{Job, StepPrograms};
use crate::deliver::join::Branch;
use crate::deliver::{Encoder, Session, Settled};
use crate::ids::{ConnId, Generation, Moment, RunId, StepIndex};
use crate::latency::Latency;
use crate::route::{Lane, Overflow, PlanError, RunPlan, Semantics, Stamp, StepKind, stream_id};

use decision::Seeds;
use ending::Ending;
use hooks::Hooks;
use joins::Join;
use numbered::Origins;

pub use binding::{Bound, Unbound};
pub use connect::{Accepts, Refusal, Registration};
pub(crate) use directive::Directives;
pub use directive::{Contract, Directive};
pub use event::{EdgeName, Event, RunName};
pub use interrupt::Interrupt;
pub use limits::Limits;
pub use packet::{CUT, Inbound, Taken};
pub(crate) use pending::Pending;
pub use receipts::Receipt;
pub use snapshot::{EdgeSnapshot, Measured, SessionSnapshot, Snapshot};

/// What the shell must do now. Reused between calls; the shell drains it.
#[derive(Debug, Default)]
pub struct Actions {
    /// Connections whose queue went from empty to non-empty.
    pub wake: SmallVec<[ConnId; 16]>,
    /// Connections that have lost their step to a newer one: end their stream with ABORTED.
    pub superseded: SmallVec<[(ConnId, Generation); 2]>,
    /// Connections of a run that has ended: end their stream with OK.
    pub over: SmallVec<[ConnId; 2]>,
    /// Connections whose [`Taken::Blocked`] packet may be offered again.
    pub resume: SmallVec<[ConnId; 4]>,
    /// Decisions to make on another thread, for packets that were [`Taken::Blocked`].
    pub jobs: Vec<Job>,
    /// What happened that people may want to know.
    pub events: Vec<Event>,
}

/// A packet of an at_least_once edge that ended without a receipt.
#[derive(Clone, Copy, Debug)]
struct DeadLetter {
    edge: u32,
    reason: DropReason,
    sequence: u64,
}

/// One live run.
struct Run {
    plan: RunPlan,
    sessions: Vec<Session>,
    edges: Vec<Edge>,
    /// Edges that leave each step, in the order of the plan.
    downstream: Vec<SmallVec<[u32; 4]>>,
    /// Steps whose packets each step gets.
    upstream: Vec<SmallVec<[StepIndex; 2]>>,
    /// Whether packets of each step may have to wait for room.
    guaranteed: Vec<bool>,
    /// What is asked of packets of each step.
    programs: Vec<Option<Arc<StepPrograms>>>,
    /// What is measured of packets of steps that ask for something.
    measured: Vec<Option<Box<Measured>>>,
    /// Who hears of steps that are there.
    hooks: Hooks,
    /// What waits in front of each step for the others of its id.
    joins: Vec<Option<Join>>,
    /// Who hears of packets that were joined.
    origins: Origins,
    /// The `stream_id` of what goes to each step.
    streams: Vec<Box<str>>,
    /// Per lane, the lowest turn that is still taken (spec 2.5).
    floors: [u64; Lane::COUNT],
    /// Whether all its engrams have been connected at once.
    ready: bool,
    /// Whether it ends.
    ending: Option<Ending>,
    /// What people have been told of each edge.
    told: Vec<report::Told>,
}

/// One live edge.
struct Edge {
    to: StepIndex,
    /// Which branch of the target's join it is.
    branch: Branch,
    /// Past the source's `maxDownstreams`: whatever takes it is dropped, counted.
    over_cap: bool,
    stamp: Stamp,
    counts: EdgeCounts,
    forward: Latency,
}

/// Who is behind a [`ConnId`].
#[derive(Clone, Copy)]
struct Conn {
    serial: u32,
    step: Option<(RunId, StepIndex)>,
}

/// All runs and connections of one data-plane thread.
pub struct Engine {
    limits: Limits,
    /// The time at moment zero as the wall clock tells it now, in nanoseconds since 1970.
    zero_nanos: i64,
    epoch: Arc<str>,
    runs: Vec<Run>,
    by_name: BTreeMap<(Arc<str>, Arc<str>), RunId>,
    conns: Vec<Conn>,
    free: Vec<u32>,
    streams: usize,
    /// Bytes that wait in all queues.
    queued_bytes: usize,
    /// Bytes of chunks that wait for the others of their sets.
    staged_bytes: usize,
    /// Bytes of packets that wait at joins.
    waiting_bytes: usize,
    draining: bool,
    /// When a tick is due that cannot wait for the next regular one.
    deadline: Option<Moment>,
    /// Somebody waits for room in the budget of all queues.
    budget_blocks: bool,
    /// Room to work in: what the call under way has settled.
    settled: Vec<Settled>,
    /// Room to work in: what the call under way has dead-lettered.
    dead_letters: Vec<DeadLetter>,
    heartbeat: Bytes,
    /// Translates for clients on the connector contract.
    encoder: Encoder,
    refused: RefuseCounts,
    seeds: Seeds,
    heartbeats: snapshot::HeartbeatCounts,
    /// Dead letters that are told one by one until the next report.
    letters_left: u32,
    /// The run that the next report begins with.
    report_from: usize,
}

impl Engine {
    /// An engine without runs. `epoch` tells this start of the process from every other one; it
    /// becomes part of every stream id (spec 2.4 rule 1).
    pub fn new(limits: Limits, epoch: &str) -> Self {
        Self {
            seeds: Seeds::new(limits.seed),
            zero_nanos: limits.started_at_nanos,
            limits,
            epoch: epoch.into(),
            runs: Vec::new(),
            by_name: BTreeMap::new(),
            conns: Vec::new(),
            free: Vec::new(),
            streams: 0,
            queued_bytes: 0,
            staged_bytes: 0,
            waiting_bytes: 0,
            draining: false,
            deadline: None,
            budget_blocks: false,
            settled: Vec::new(),
            dead_letters: Vec::new(),
            heartbeat: crate::deliver::hub_heartbeat(),
            encoder: Encoder::default(),
            refused: RefuseCounts::default(),
            heartbeats: snapshot::HeartbeatCounts::default(),
            letters_left: report::LETTERS,
            report_from: 0,
        }
    }

    /// Takes a run in: from now on its steps can register.
    ///
    /// # Errors
    /// [`PlanError`] when the plan does not hold together or the run is there already.
    pub fn attach(&mut self, plan: RunPlan) -> Result<RunId, PlanError> {
        plan.check()?;
        let key = (plan.namespace.clone(), plan.name.clone());
        if self.by_name.contains_key(&key) {
            return Err(PlanError::Exists {
                namespace: key.0,
                name: key.1,
            });
        }
        let id = RunId(u32::try_from(self.runs.len()).unwrap_or(u32::MAX));
        self.runs.push(self.build(plan));
        self.by_name.insert(key, id);
        Ok(id)
    }

    fn build(&self, plan: RunPlan) -> Run {
        let mut downstream = vec![SmallVec::<[u32; 4]>::new(); plan.steps.len()];
        let mut upstream = vec![SmallVec::<[StepIndex; 2]>::new(); plan.steps.len()];
        let mut guaranteed = vec![false; plan.steps.len()];
        let mut edges = Vec::with_capacity(plan.edges.len());
        let programs: Vec<_> = (0..plan.steps.len() as u16)
            .map(|step| StepPrograms::of(&plan, StepIndex(step)).map(Arc::new))
            .collect();
        for (at, edge) in (0u32..).zip(&plan.edges) {
            let out = &mut downstream[edge.from.at()];
            let target = &plan.steps[edge.to.at()].id;
            edges.push(Edge {
                to: edge.to,
                branch: Branch::new(usize::from(edge.branch)).unwrap_or_default(),
                // Where edges have programs, those that a packet takes are counted.
                over_cap: programs[edge.from.at()].is_none()
                    && out.len() >= plan.steps[edge.from.at()].max_downstreams,
                stamp: Stamp::new(&plan.namespace, &plan.name, target, &self.epoch),
                counts: EdgeCounts::default(),
                forward: Latency::default(),
            });
            out.push(at);
            upstream[edge.to.at()].push(edge.from);
            guaranteed[edge.from.at()] |= matches!(
                plan.steps[edge.to.at()].semantics,
                Semantics::AtLeastOnce(guarantee) if guarantee.overflow == Overflow::Pause
            );
        }
        let streams = plan
            .steps
            .iter()
            .map(|step| stream_id(&plan.namespace, &plan.name, &step.id, &self.epoch).into());
        let joins = (0u16..).zip(&plan.steps).map(|(at, step)| {
            let into = plan.edges.iter().filter(|edge| edge.to == StepIndex(at));
            let last = into.map(|edge| usize::from(edge.branch)).max();
            Some(Join::new(step.fan_in.as_ref()?, last? + 1))
        });
        let joins = joins.collect();
        let told = plan.edges.iter().map(|_| report::Told::default()).collect();
        Run {
            sessions: plan.steps.iter().map(Session::new).collect(),
            streams: streams.collect(),
            edges,
            downstream,
            upstream,
            guaranteed,
            measured: programs
                .iter()
                .map(|p| p.as_ref().map(|_| Box::default()))
                .collect(),
            programs,
            hooks: Hooks::of(&plan),
            joins,
            origins: Origins::default(),
            plan,
            floors: [0; Lane::COUNT],
            ready: false,
            ending: None,
            told,
        }
    }

    /// The run and step behind a connection that still owns its step.
    fn owner(&self, conn: ConnId) -> Option<(RunId, StepIndex)> {
        let entry = self.conns.get(conn.slot())?;
        if entry.serial == conn.serial() {
            entry.step
        } else {
            None
        }
    }

    /// This start of the hub, as in every stream id.
    pub fn epoch(&self) -> &Arc<str> {
        &self.epoch
    }

    /// Whether [`Engine::drain`] was called.
    pub fn is_draining(&self) -> bool {
        self.draining
    }
}

impl Run {
    fn is_engram(&self, step: StepIndex) -> bool {
        self.plan
            .steps
            .get(step.at())
            .is_some_and(|s| s.kind == StepKind::Engram)
    }
}

/// A heartbeat offset in `0..interval/4` that differs between connections and always replays.
fn jitter(conn: ConnId, interval: Duration) -> Duration {
    let seed = ((conn.slot() as u64) << 32) | u64::from(conn.serial());
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 32;
    interval.mul_f64(mixed as f64 / f64::from(u32::MAX) / 4.0)
}

fn next_heartbeat(conn: ConnId, interval: Duration, now: Moment) -> Moment {
    now.after(interval).after(jitter(conn, interval))
}
