//! Scenarios that read like the spec, and a property test against a naive model.

mod budget;
mod chunk_bounds;
mod chunk_names;
mod chunks;
mod connector;
mod connector_chunks;
mod connector_shapes;
mod credits;
mod expiry;
mod guarantee;
mod kept_model;
mod memory;
mod model;
mod packets;
mod parted;
mod pauses;
mod producers;
mod programs;
mod queues;
mod receipts;
mod redelivery;
mod registering;
mod room;
mod telling;
mod turns;
mod waking;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use transport_proto::splice::{put_envelope, put_inputs, put_metadata, put_payload};
use transport_proto::view::{Dialect, Flow, PacketBytes, PacketView, parse_process};
use transport_proto::wire::put_len_field;

use packets::*;

use super::*;
use crate::deliver::Outbox;
use crate::deliver::Pieces;
use crate::route::{EdgePlan, QueueBounds, StepPlan};

fn at(millis: u64) -> Moment {
    Moment::from_nanos(millis * 1_000_000)
}

fn step(id: &str) -> StepPlan {
    StepPlan::engram(id)
}

fn plan(steps: Vec<StepPlan>, edges: &[(u16, u16)]) -> RunPlan {
    RunPlan {
        namespace: "ns".into(),
        name: "r".into(),
        story: "story".into(),
        steps,
        edges: edges
            .iter()
            .map(|&(from, to)| EdgePlan::plain(StepIndex(from), StepIndex(to)))
            .collect(),
        inputs: Bytes::new(),
        cancel_previous: false,
    }
}

/// An engine and what it said, with shorthands.
struct Rig {
    engine: Engine,
    actions: Actions,
    /// Packets that were offered. Of every second one the media is left in pieces, where it can be:
    /// nothing that these tests look at may depend on that.
    offers: usize,
}

impl Rig {
    fn new(limits: Limits, plan: RunPlan) -> Self {
        let mut engine = Engine::new(limits, "e1");
        engine.attach(plan).unwrap();
        Self {
            engine,
            actions: Actions::default(),
            offers: 0,
        }
    }

    /// A source, and as many sinks as `sinks` has bounds.
    fn fan_out(sinks: Vec<QueueBounds>) -> Self {
        let edges: Vec<_> = (1..=sinks.len() as u16).map(|to| (0, to)).collect();
        let mut steps = vec![step("src")];
        for (n, queue) in sinks.into_iter().enumerate() {
            steps.push(StepPlan {
                queue,
                ..step(&format!("sink{n}"))
            });
        }
        Self::new(Limits::default(), plan(steps, &edges))
    }

    fn register(&mut self, step: &str, generation: i32, now: Moment) -> Result<ConnId, Refusal> {
        let generation = Generation::new(generation).unwrap();
        let who = Registration {
            namespace: "ns",
            run: "r",
            step,
            generation,
            producer_epoch: None,
            accepts: Accepts::default(),
        };
        self.engine.register(who, now, &mut self.actions)
    }

    fn disconnect(&mut self, conn: ConnId) {
        self.engine.disconnect(conn, at(0), &mut self.actions);
    }

    fn connect_as(&mut self, step: &str, epoch: Option<&str>, accepts: Accepts) -> ConnId {
        let who = Registration {
            namespace: "ns",
            run: "r",
            step,
            generation: Generation::new(1).unwrap(),
            producer_epoch: epoch,
            accepts,
        };
        let conn = self.engine.register(who, at(0), &mut self.actions);
        conn.unwrap()
    }

    fn connect_numbering(&mut self, step: &str, epoch: &str) -> ConnId {
        self.connect_as(step, Some(epoch), Accepts::default())
    }

    fn flow(&mut self, conn: ConnId, flow: &Flow, now: Moment) {
        self.engine.flow(conn, flow, now, &mut self.actions);
    }

    fn receipt(&mut self, conn: ConnId, stream_id: &str, sequence: u64, now: Moment) {
        let receipt = Receipt {
            stream_id,
            partition: "",
            sequence,
        };
        self.engine.receipt(conn, receipt, now, &mut self.actions);
    }

    /// The second turn begins.
    fn interrupt(&mut self, conn: ConnId, lane: Option<Lane>, now: Moment) {
        let interrupt = Interrupt { turn: 2, lane };
        self.engine
            .interrupt(conn, interrupt, now, &mut self.actions);
    }

    fn tick(&mut self, now: Moment) {
        self.engine.tick(now, &mut self.actions);
    }

    /// Sends a packet with the producer's own number, which is its label too.
    fn send_numbered(&mut self, conn: ConnId, number: u64, now: Moment) {
        let packet = numbered(&packet(&number.to_string(), 10), number);
        self.send_packet(conn, &packet, now);
    }

    /// What the flow messages that wait for `conn` say; packets must not be among them.
    fn flows(&mut self, conn: ConnId, now: Moment) -> Vec<Flow> {
        self.tick(now);
        messages(&self.wire(conn, now))
            .iter()
            .filter_map(|m| parse_process(m).unwrap().flow)
            .collect()
    }

    fn acks(&mut self, conn: ConnId, now: Moment) -> Vec<u64> {
        let flows = self.flows(conn, now);
        flows.iter().map(|f| f.ack).filter(|a| *a > 0).collect()
    }

    fn signals(&mut self, conn: ConnId, now: Moment) -> Vec<i32> {
        let flows = self.flows(conn, now);
        flows.iter().map(|f| f.signal).filter(|s| *s > 0).collect()
    }

    fn connect(&mut self, step: &str) -> ConnId {
        self.register(step, 1, at(0)).unwrap()
    }

    /// Sends a packet whose metadata `n` is `label` and whose payload has `size` bytes.
    fn send(&mut self, conn: ConnId, label: &str, size: usize, now: Moment) {
        self.send_packet(conn, &packet(label, size), now);
    }

    fn send_packet(&mut self, conn: ConnId, packet: &Bytes, now: Moment) {
        assert_eq!(self.offer(conn, packet, now), Taken::Yes);
    }

    fn offer(&mut self, conn: ConnId, packet: &Bytes, now: Moment) -> Taken {
        self.offer_either(conn, (packet, Dialect::Packet), now)
    }

    /// Offers the packet that the first `len` bytes of what was read hold.
    fn offer_from(&mut self, conn: ConnId, (read, len): (&Bytes, usize), now: Moment) -> Taken {
        let packet = &read[..len];
        let view = PacketView::parse(packet, Dialect::Packet).unwrap();
        let inbound = Inbound {
            source: read,
            start: 0,
            packet,
            view: &view,
            kept: None,
            parted: None,
            pinned: read.len(),
        };
        self.engine.packet(conn, inbound, now, &mut self.actions)
    }

    /// Everything that may be sent to `conn`, as bytes.
    fn wire(&mut self, conn: ConnId, now: Moment) -> Vec<u8> {
        let mut pieces = Pieces::new();
        while self
            .engine
            .take(conn, 1 << 20, now, &mut pieces, &mut self.actions)
            > 0
        {}
        pieces.iter().flat_map(|p| p.iter().copied()).collect()
    }

    /// The labels of what is sent to `conn` in one go of `budget` bytes.
    fn take_up_to(&mut self, conn: ConnId, budget: usize, now: Moment) -> Vec<String> {
        let mut pieces = Pieces::new();
        self.engine
            .take(conn, budget, now, &mut pieces, &mut self.actions);
        let wire: Vec<u8> = pieces.iter().flat_map(|p| p.iter().copied()).collect();
        packets(&wire).iter().map(label).collect()
    }

    /// Everything that may be sent to `conn`, as packets.
    fn take(&mut self, conn: ConnId, now: Moment) -> Vec<Bytes> {
        packets(&self.wire(conn, now))
    }

    /// The labels of what waits for `conn`.
    fn labels(&mut self, conn: ConnId, now: Moment) -> Vec<String> {
        self.take(conn, now).iter().map(label).collect()
    }

    /// Chunk sets that the log of `step` knows of, dropped ones included.
    fn remembered_sets(&self, step: &str) -> usize {
        let live = &self.engine.runs[0];
        let at = live.plan.steps.iter().position(|s| *s.id == *step).unwrap();
        match &live.sessions[at].outbox {
            Outbox::Log(log) => log.known_sets(),
            Outbox::Lanes(_) => 0,
        }
    }

    /// Chunk sets of `step` of which a decision is kept.
    fn open_sets(&self, step: &str) -> usize {
        let live = &self.engine.runs[0];
        let at = live.plan.steps.iter().position(|s| *s.id == *step).unwrap();
        live.sessions[at].decided.open_sets()
    }

    fn edge(&self, to: &str) -> EdgeSnapshot {
        let snapshot = self.engine.snapshot();
        assert!(
            snapshot.edges.iter().all(EdgeSnapshot::balances),
            "accounts do not balance"
        );
        let queued: u64 = snapshot
            .edges
            .iter()
            .map(|e| e.queued_bytes + e.in_flight_bytes)
            .sum();
        assert_eq!(queued, snapshot.queued_bytes as u64);
        snapshot.edges.into_iter().find(|e| &*e.to == to).unwrap()
    }
}

/// Cuts bytes into gRPC messages.
fn messages(mut wire: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    while let Some((prefix, rest)) = wire.split_first_chunk::<5>() {
        assert_eq!(prefix[0], 0);
        let len = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        let (message, rest) = rest.split_at(len);
        out.push(message);
        wire = rest;
    }
    assert!(wire.is_empty(), "half a message left");
    out
}

/// The packets of gRPC messages of ProcessResponses; what carries only a flow has none.
fn packets(wire: &[u8]) -> Vec<Bytes> {
    let packet = |message: &&[u8]| match parse_process(message).unwrap().packet {
        PacketBytes::At(range) => Some(Bytes::copy_from_slice(&message[range])),
        PacketBytes::Merged(bytes) => Some(bytes),
        PacketBytes::Absent => None,
    };
    messages(wire).iter().filter_map(packet).collect()
}

fn metadata(packet: &Bytes, key: &str) -> Option<String> {
    let view = PacketView::parse(packet, Dialect::Packet).unwrap();
    view.metadata(packet, key).map(str::to_owned)
}

fn label(packet: &Bytes) -> String {
    metadata(packet, "n").unwrap_or_else(|| "heartbeat".to_owned())
}

fn bounds(max_messages: usize, max_bytes: usize) -> QueueBounds {
    QueueBounds {
        max_messages,
        max_bytes,
        ..QueueBounds::default()
    }
}

const SECOND: Duration = Duration::from_secs(1);
