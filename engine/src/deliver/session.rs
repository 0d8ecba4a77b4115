//! The state of one step of one run: who owns it, what waits for it, what it has sent.

use bytes::{Bytes, BytesMut};
use transport_proto::names::metadata as names;
use transport_proto::splice::{put_flow, put_metadata, put_payload, put_process_head};
use transport_proto::view::Dialect;

use super::connector::Assemblies;
use super::credit::Credit;
use super::encode::Sink;
use super::fence::Fence;
use super::lanes::Lanes;
use super::log::Log;
use super::producer::Producer;
use super::spool::{Pieces, Spool};
use crate::engine::{Accepts, Contract, Directives, Pending};
use crate::ids::{ConnId, Moment};
use crate::route::{AckEvery, Semantics, StepPlan};

/// Most bytes of heartbeats and directives that wait for a socket; what comes on top is skipped,
/// since a newer heartbeat says nothing that an older one does not.
const MAX_CONTROL_BYTES: usize = 16 * 1024;
/// Most bytes of lifecycle hooks that wait for one step.
const MAX_HOOK_BYTES: usize = 256 * 1024;
/// Producer epochs that one step is remembered by, once they have nothing on their way, and most
/// of all.
const PRODUCERS_KEPT: usize = 8;
const MAX_PRODUCERS: usize = 64;

/// What waits for a step.
#[derive(Debug)]
pub(crate) enum Outbox {
    /// best_effort: gone once it is handed to the socket.
    Lanes(Box<Lanes>),
    /// at_least_once: kept until its receipt.
    Log(Box<Log>),
}

/// Receipts that released nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IgnoredReceipts {
    /// They name a stream, or an epoch of it, that is not this step's.
    pub foreign: u64,
    /// They name a sequence that was never sent.
    pub unknown: u64,
}

/// One step's delivery state. Survives disconnects, but for what belongs to a connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) fence: Fence,
    /// The connection that owns the step now.
    pub(crate) owner: Option<ConnId>,
    /// Since when nobody has owned it.
    pub(crate) absent_since: Moment,
    /// It was owned and is not any more, and people have not been told that this takes too long.
    pub(crate) is_missed: bool,
    /// Which contract the owner speaks.
    pub(crate) contract: Contract,
    /// The chunk sets that it is putting together, on the connector contract.
    pub(crate) assemblies: Assemblies,
    /// What it is to be told on its control channel, where that contract has one.
    pub(crate) directives: Directives,
    /// What the owner acts on.
    pub(crate) accepts: Accepts,
    /// When the next heartbeat to the owner is due.
    pub(crate) next_heartbeat: Moment,
    pub(crate) outbox: Outbox,
    pub(crate) credit: Credit,
    pub(crate) ignored: IgnoredReceipts,
    /// Turn of packets that name none.
    pub(crate) turn: u64,
    /// The edge that the owner's packets find no room on: it is not read until it has.
    pub(crate) stalled: Option<u32>,
    /// What was decided on the packet that the owner offers next.
    pub(crate) decided: Pending,
    /// It is the budget of all queues that is short there.
    by_budget: bool,
    /// Since when the owner has been read without a break: before, it could receipt nothing.
    pub(crate) read_since: Moment,
    /// Whether the owner should hold back, and whether it knows.
    pub(crate) hold: (bool, bool),
    ack_every: AckEvery,
    /// The oldest first.
    producers: Vec<Producer>,
    /// Place of the producer epoch that the owner speaks in.
    producer: Option<usize>,
    next_producer: u32,
    /// Heartbeats and directives: never queued behind media, never counted (spec 2.6).
    control: Spool,
    control_bytes: usize,
    /// Lifecycle hooks, which wait for a connection where there is none.
    hooks: Vec<Bytes>,
    hook_bytes: usize,
}

impl Session {
    pub(crate) fn new(plan: &StepPlan) -> Self {
        let outbox = match plan.semantics {
            Semantics::BestEffort => Outbox::Lanes(Box::new(Lanes::new(&plan.queue, &plan.lanes))),
            Semantics::AtLeastOnce(guarantee) => Outbox::Log(Box::new(Log::new(plan, guarantee))),
        };
        Self {
            fence: Fence::default(),
            owner: None,
            absent_since: Moment::default(),
            is_missed: false,
            contract: Contract::default(),
            assemblies: Assemblies::default(),
            directives: Directives::default(),
            accepts: Accepts::default(),
            next_heartbeat: Moment::default(),
            outbox,
            credit: Credit::new(&plan.flow),
            ignored: IgnoredReceipts::default(),
            turn: 0,
            stalled: None,
            decided: Pending::default(),
            by_budget: false,
            read_since: Moment::default(),
            hold: (false, false),
            ack_every: plan.flow.ack_every,
            producers: Vec::new(),
            producer: None,
            next_producer: 0,
            control: Spool::default(),
            control_bytes: 0,
            hooks: Vec::new(),
            hook_bytes: 0,
        }
    }

    /// The connection that just came speaks in this producer epoch, or numbers nothing.
    pub(crate) fn speaks_as(&mut self, epoch: Option<&str>) {
        self.producer = epoch.map(|epoch| {
            let known = self.producers.iter().position(|p| p.epoch() == epoch);
            if known.is_none() {
                self.decided.forget_sets();
            }
            let at = known.unwrap_or_else(|| self.remember(epoch));
            self.producers[at].tell_again();
            at
        });
    }

    /// A place for a new producer epoch. Old ones are forgotten: of many those that have nothing
    /// on their way, of too many any.
    fn remember(&mut self, epoch: &str) -> usize {
        if self.producers.len() >= PRODUCERS_KEPT {
            let settled = self.producers.iter().position(Producer::is_settled);
            let any = (self.producers.len() >= MAX_PRODUCERS).then_some(0);
            if let Some(at) = settled.or(any) {
                self.producers.remove(at);
            }
        }
        self.producers
            .push(Producer::new(self.next_producer, epoch));
        self.next_producer = self.next_producer.wrapping_add(1);
        self.producers.len() - 1
    }

    /// The producer epoch that the owner speaks in.
    #[inline]
    pub(crate) fn producer(&self) -> Option<&Producer> {
        self.producers.get(self.producer?)
    }

    /// A producer epoch that is still remembered.
    pub(crate) fn producer_at(&mut self, id: u32) -> Option<&mut Producer> {
        let own = self.producer.unwrap_or(0);
        if self.producers.get(own).is_some_and(|p| p.id() == id) {
            return self.producers.get_mut(own);
        }
        self.producers.iter_mut().find(|p| p.id() == id)
    }

    pub(crate) fn producers(&mut self) -> impl Iterator<Item = &mut Producer> {
        self.producers.iter_mut()
    }

    /// Forgets what was sent as this step: nobody has spoken as it for too long.
    pub(crate) fn forget_producers(&mut self) {
        self.producers.retain(|p| !p.is_settled());
    }

    /// When the owner must be told what is settled, at the latest.
    pub(crate) fn ack_deadline(&self) -> Option<Moment> {
        self.producer()?.deadline(&self.ack_every)
    }

    /// Has the owner told at once what is settled, if it does not know. Returns whether that is news.
    pub(crate) fn hurry_ack(&mut self, now: Moment) -> bool {
        if self.owes_ack(now) || self.ack_deadline().is_none() {
            return false;
        }
        let producer = self.producer.and_then(|at| self.producers.get_mut(at));
        producer.is_some_and(|producer| {
            producer.tell_again();
            true
        })
    }

    /// Whether nothing at all may be sent to the owner now.
    pub(crate) fn is_idle(&self, now: Moment) -> bool {
        let media = match &self.outbox {
            Outbox::Lanes(lanes) => !lanes.may_send(|e| self.credit.admits(e.len as usize)),
            Outbox::Log(log) => !log.may_send(&self.credit),
        };
        media
            && self.control_bytes == 0
            && self.hooks.is_empty()
            && self.hold.0 == self.hold.1
            && self.directives.is_empty()
            && !self.owes_ack(now)
    }

    /// Whether the owner is to be told something on its control channel.
    pub(crate) fn has_directives(&self, now: Moment) -> bool {
        self.contract == Contract::Connector
            && (!self.directives.is_empty() || self.hold.0 != self.hold.1 || self.owes_ack(now))
    }

    /// Whether the owner should be told now what is settled.
    pub(crate) fn owes_ack(&self, now: Moment) -> bool {
        self.producer()
            .is_some_and(|p| p.wants_telling(&self.ack_every, now))
    }

    /// Queues an encoded heartbeat or directive before everything else. Returns whether it was
    /// taken.
    pub(crate) fn push_control(&mut self, message: &[u8]) -> bool {
        if self.control_bytes + message.len() > MAX_CONTROL_BYTES {
            return false;
        }
        self.control.room(message.len()).extend_from_slice(message);
        self.control_bytes += message.len();
        true
    }

    /// Queues an encoded lifecycle hook. Each is told once only; of the thousands that a run of
    /// thousands of steps has, some for a step that does not come are skipped.
    pub(crate) fn push_hook(&mut self, message: Bytes) {
        if self.hook_bytes + message.len() <= MAX_HOOK_BYTES {
            self.hook_bytes += message.len();
            self.hooks.push(message);
        }
    }

    /// Moves all waiting heartbeats, directives, acks and signals out. Returns their bytes. Where
    /// the owner has a control channel, these are heartbeats and hooks only.
    pub(crate) fn take_control(&mut self, now: Moment, out: &mut Pieces) -> usize {
        if self.contract == Contract::Process {
            self.push_flow(now);
        }
        self.hook_bytes = 0;
        for hook in std::mem::take(&mut self.hooks) {
            self.control.room(hook.len()).extend_from_slice(&hook);
            self.control_bytes += hook.len();
        }
        let len = self.control_bytes;
        if len > 0 {
            self.control.take(len, out);
            self.control_bytes = 0;
        }
        len
    }

    /// What the owner should know of its own packets: what is settled, whether to hold back. It
    /// counts as told.
    pub(crate) fn take_flow(&mut self, now: Moment) -> Option<(Option<u64>, Option<bool>)> {
        let ack = self.owes_ack(now);
        let signal = self.hold.0 != self.hold.1;
        if !ack && !signal {
            return None;
        }
        let at = self.producer.filter(|_| ack);
        let ack = at
            .and_then(|at| self.producers.get_mut(at))
            .map(Producer::tell);
        self.hold.1 = self.hold.0;
        Some((ack, signal.then_some(self.hold.0)))
    }

    /// Writes what the owner should know of its own packets.
    fn push_flow(&mut self, now: Moment) {
        let Some((ack, signal)) = self.take_flow(now) else {
            return;
        };
        let mut message = BytesMut::with_capacity(32);
        put_flow(&mut message, ack, signal);
        self.control.room(message.len()).extend_from_slice(&message);
        self.control_bytes += message.len();
    }

    /// The owner's packets find no room on `edge`, for want of the budget of all queues if
    /// `by_budget`.
    pub(crate) fn stall(&mut self, edge: u32, by_budget: bool) {
        self.stalled = Some(edge);
        self.by_budget = by_budget;
    }

    /// Whether the owner's packets wait for the budget of all queues.
    pub(crate) fn waits_for_budget(&self) -> bool {
        self.stalled.is_some() && self.by_budget
    }

    /// Lets the owner be read again.
    pub(crate) fn go_on(&mut self, now: Moment) {
        if self.stalled.take().is_some() {
            self.read_since = now;
        }
    }

    /// Forgets what was meant for the connection that just left.
    pub(crate) fn clear_connection(&mut self) {
        self.control = Spool::default();
        self.control_bytes = 0;
        self.stalled = None;
        self.decided.clear();
        self.hold = (false, false);
        self.producer = None;
        self.accepts = Accepts::default();
        self.contract = Contract::default();
        self.directives = Directives::default();
    }

    /// Gives memory back when nothing waits.
    pub(crate) fn rest(&mut self) {
        match &mut self.outbox {
            Outbox::Lanes(lanes) => lanes.rest(),
            Outbox::Log(log) => log.rest(),
        }
        self.control.rest();
    }
}

/// Shape of a heartbeat from the hub: `bubu-heartbeat: true` and an empty payload (spec 2.6).
pub(crate) fn hub_heartbeat() -> Bytes {
    frameless(&[(names::HEARTBEAT, names::HEARTBEAT_TRUE)])
}

/// A packet without a frame that says something to a client: its metadata and an empty payload.
pub(crate) fn frameless(metadata: &[(&str, &str)]) -> Bytes {
    let mut packet = BytesMut::new();
    for (key, value) in metadata {
        put_metadata(&mut packet, Dialect::Packet, key, value);
    }
    put_payload(&mut packet, Dialect::Packet, &[]);
    let mut message = BytesMut::new();
    put_process_head(&mut message, packet.len());
    message.extend_from_slice(&packet);
    message.freeze()
}
