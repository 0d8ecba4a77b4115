//! The engine under arbitrary operations: packets, receipts, credits, reconnects, interrupts, time.
//!
//! After each of them: accepted = delivered + dropped + queued + in flight on every edge, one
//! identity never names two packets, and nobody gets what was receipted (spec 7, invariants).

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use engine::route::{
    EdgePlan, Guarantee, Overflow, QueueBounds, Redelivery, RunPlan, Semantics, StepPlan,
};
use engine::{
    Accepts, Actions, ConnId, Engine, Generation, Inbound, Interrupt, Limits, Moment, Pieces,
    Receipt, Registration, StepIndex,
};
use prost::Message;
use transport_proto::v1;
use transport_proto::view::{Dialect, Flow, PacketView};

/// Steps: two producers, then an edge of each kind.
const STEPS: [&str; 6] = ["p", "q", "best", "pause", "letter", "small"];
const MOST_OPERATIONS: usize = 400;

/// Takes operations from `data`, a few bytes each.
pub fn engine_operations(data: &[u8]) {
    let mut world = World::new(data.first().copied().unwrap_or(0));
    let mut input = Input(data.get(1..).unwrap_or_default());
    for _ in 0..MOST_OPERATIONS {
        let Some(operation) = input.byte() else { break };
        world.carry_out(operation, &mut input);
        world.check();
    }
    world.end();
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn small(&mut self) -> u64 {
        u64::from(self.byte().unwrap_or(0))
    }
}

struct World {
    engine: Engine,
    actions: Actions,
    conns: [Option<ConnId>; STEPS.len()],
    now: u64,
    packets: u64,
    /// What each identity names: (target, stream, partition, sequence, chunk).
    named: HashMap<(usize, String, String, u64, u32), String>,
}

impl World {
    fn new(flavour: u8) -> Self {
        let limits = Limits {
            queue_budget_bytes: if flavour & 1 == 0 { 4000 } else { 1 << 20 },
            max_message_bytes: 3000,
            ..Limits::default()
        };
        let mut engine = Engine::new(limits, "e1");
        let attached = engine.attach(plan(flavour));
        attached.expect("the plan is sound");
        Self {
            engine,
            actions: Actions::default(),
            conns: [None; STEPS.len()],
            now: 0,
            packets: 0,
            named: HashMap::new(),
        }
    }

    fn now(&self) -> Moment {
        Moment::from_nanos(self.now)
    }

    fn carry_out(&mut self, operation: u8, input: &mut Input<'_>) {
        let step = input.small() as usize % STEPS.len();
        match operation % 12 {
            0..3 => self.send(step % 2, input),
            3..5 => self.take(step),
            5 => self.connect(step, input),
            6 => self.disconnect(step),
            7 => self.flow(step, input),
            8 => self.receipt(step, input),
            9 => self.interrupt(step, input),
            10 => {
                self.now += input.small() * 37_000_000;
                self.engine.tick(self.now(), &mut self.actions);
            }
            _ => self.garbage(step, input),
        }
        self.obey();
    }

    /// Ends the streams that the engine says are superseded, as the shell does.
    fn obey(&mut self) {
        let superseded: Vec<_> = self.actions.superseded.drain(..).collect();
        for (conn, _) in superseded {
            for slot in &mut self.conns {
                if *slot == Some(conn) {
                    *slot = None;
                }
            }
        }
        self.actions.wake.clear();
        self.actions.resume.clear();
        self.actions.events.clear();
    }

    fn send(&mut self, step: usize, input: &mut Input<'_>) {
        let Some(conn) = self.conns[step] else { return };
        self.packets += 1;
        let (bits, size) = (input.small(), input.small() as usize * 20);
        let mut packet = v1::DataPacket {
            metadata: [("n".to_owned(), self.packets.to_string())].into(),
            ..v1::DataPacket::default()
        };
        packet.frame = Some(v1::data_packet::Frame::Binary(v1::BinaryFrame {
            payload: vec![7; size].into(),
            mime_type: "a/b".into(),
            timestamp_ms: self.packets,
        }));
        if bits & 1 != 0 {
            let turn = (input.small() % 8).to_string();
            packet.metadata.insert("bubu.turn".to_owned(), turn);
        }
        if bits & 2 != 0 {
            let mut envelope = v1::StreamEnvelope {
                sequence: input.small() % 32,
                ..v1::StreamEnvelope::default()
            };
            if bits & 4 != 0 {
                envelope.partition = format!("p{}", bits >> 6);
            }
            if bits & 8 != 0 {
                envelope.chunk_id = "c".to_owned();
                envelope.chunk_count = 2;
                envelope.chunk_index = (bits >> 4) as u32 & 1;
                envelope.total_bytes = 2 * size as u32;
                envelope.chunk_bytes = size as u32;
            }
            packet.envelope = Some(envelope);
        }
        if bits & 32 != 0 {
            packet
                .metadata
                .insert("bubu-heartbeat".into(), "true".into());
        }
        self.offer(conn, packet.encode_to_vec());
    }

    fn garbage(&mut self, step: usize, input: &mut Input<'_>) {
        let Some(conn) = self.conns[step] else { return };
        let len = (input.small() as usize % 64).min(input.0.len());
        let (bytes, rest) = input.0.split_at(len);
        input.0 = rest;
        self.offer(conn, bytes.to_vec());
    }

    fn offer(&mut self, conn: ConnId, bytes: Vec<u8>) {
        let source = Bytes::from(bytes);
        let mut view = PacketView::new(Dialect::Packet);
        if view.walk_in_process(&source).is_err() {
            return;
        }
        let inbound = Inbound {
            source: &source,
            start: 0,
            packet: &source,
            view: &view,
            kept: None,
            parted: None,
            pinned: source.len(),
        };
        let now = self.now();
        // One that finds no room is lost here, as with a client that is cut.
        let _ = self.engine.packet(conn, inbound, now, &mut self.actions);
    }

    fn take(&mut self, step: usize) {
        let Some(conn) = self.conns[step] else { return };
        let mut pieces = Pieces::new();
        let now = self.now();
        let taken = self
            .engine
            .take(conn, 2000, now, &mut pieces, &mut self.actions);
        let bytes: Vec<u8> = pieces
            .iter()
            .flat_map(|piece| piece.iter().copied())
            .collect();
        assert_eq!(bytes.len(), taken);
        let mut at = 0;
        while at < bytes.len() {
            let prefix = &bytes[at..at + 5];
            let len = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
            let message = v1::ProcessResponse::decode(&bytes[at + 5..at + 5 + len]);
            at += 5 + len;
            // prost refuses known fields of another wire type, which to the contract are unknown
            // ones, and go through.
            if let Ok(Some(packet)) = message.map(|message| message.packet) {
                self.came(step, &packet);
            }
        }
        assert_eq!(at, bytes.len(), "messages are whole");
    }

    fn came(&mut self, step: usize, packet: &v1::DataPacket) {
        let Some(envelope) = packet.envelope.as_ref().filter(|e| e.sequence > 0) else {
            return;
        };
        let identity = (
            step,
            envelope.stream_id.clone(),
            envelope.partition.clone(),
            envelope.sequence,
            envelope.chunk_index,
        );
        let label = packet.metadata.get("n").cloned().unwrap_or_default();
        let before = self.named.insert(identity.clone(), label.clone());
        assert!(
            before.is_none_or(|before| before == label),
            "{identity:?} names two packets"
        );
    }

    fn connect(&mut self, step: usize, input: &mut Input<'_>) {
        let bits = input.small();
        let epoch = format!("e{}", bits >> 6);
        let who = Registration {
            namespace: "ns",
            run: "r",
            step: STEPS[step],
            generation: Generation::new(1 + (bits & 3) as i32).expect("above zero"),
            producer_epoch: (bits & 4 != 0).then_some(epoch.as_str()),
            accepts: Accepts {
                pause: bits & 8 != 0,
                control: bits & 16 != 0,
            },
        };
        let now = self.now();
        if let Ok(conn) = self.engine.register(who, now, &mut self.actions) {
            self.obey();
            self.conns[step] = Some(conn);
        }
    }

    fn disconnect(&mut self, step: usize) {
        if let Some(conn) = self.conns[step].take() {
            let now = self.now();
            self.engine.disconnect(conn, now, &mut self.actions);
        }
    }

    fn flow(&mut self, step: usize, input: &mut Input<'_>) {
        let Some(conn) = self.conns[step] else { return };
        let (bits, value) = (input.small(), input.small());
        let mut flow = Flow {
            ack: value * (bits & 1),
            ..Flow::default()
        };
        if bits & 2 != 0 {
            flow.credits_messages = (value % 8) as u32;
        }
        let now = self.now();
        self.engine.flow(conn, &flow, now, &mut self.actions);
    }

    fn receipt(&mut self, step: usize, input: &mut Input<'_>) {
        let Some(conn) = self.conns[step] else { return };
        let stream = format!("ns/r/{}@e1", STEPS[step]);
        let receipt = Receipt {
            stream_id: &stream,
            partition: ["", "p0", "p1", "p2"][input.small() as usize % 4],
            sequence: input.small(),
        };
        let now = self.now();
        self.engine.receipt(conn, receipt, now, &mut self.actions);
    }

    fn interrupt(&mut self, step: usize, input: &mut Input<'_>) {
        let Some(conn) = self.conns[step] else { return };
        let interrupt = Interrupt {
            turn: input.small() % 10,
            lane: None,
        };
        let now = self.now();
        self.engine
            .interrupt(conn, interrupt, now, &mut self.actions);
    }

    fn check(&self) {
        let snapshot = self.engine.snapshot();
        for edge in &snapshot.edges {
            assert!(edge.balances(), "{edge:?}");
        }
        let connected = self.conns.iter().flatten().count();
        assert_eq!(snapshot.streams, connected);
    }

    /// Everybody leaves, and the hub stops: nothing is left, and the account still holds.
    fn end(&mut self) {
        let now = self.now();
        self.engine.drain(now, &mut self.actions);
        for step in 0..STEPS.len() {
            self.disconnect(step);
        }
        self.engine.abandon();
        self.obey();
        self.check();
        let snapshot = self.engine.snapshot();
        for edge in &snapshot.edges {
            assert_eq!((edge.queued, edge.in_flight), (0, 0), "{edge:?}");
        }
        assert_eq!(snapshot.queued_bytes, 0);
    }
}

fn plan(flavour: u8) -> RunPlan {
    let kept = |overflow| {
        Semantics::AtLeastOnce(Guarantee {
            overflow,
            per_partition: flavour & 2 != 0,
            redelivery: (flavour & 4 != 0).then_some(Redelivery {
                ack_wait: Duration::from_millis(500),
                max_deliver: u32::from(flavour >> 6),
            }),
        })
    };
    let bounds = |max_messages| QueueBounds {
        max_messages,
        max_bytes: 6000,
        ..QueueBounds::default()
    };
    let target = |name: &str, semantics, messages| StepPlan {
        queue: bounds(messages),
        semantics,
        ..StepPlan::engram(name)
    };
    let steps = vec![
        StepPlan::engram(STEPS[0]),
        StepPlan::engram(STEPS[1]),
        target(STEPS[2], Semantics::BestEffort, 8),
        target(STEPS[3], kept(Overflow::Pause), 6),
        target(STEPS[4], kept(Overflow::DeadLetter), 6),
        target(STEPS[5], Semantics::BestEffort, 1),
    ];
    let edges = [(0, 2), (0, 3), (0, 4), (1, 4), (1, 5), (2, 5)];
    RunPlan {
        namespace: "ns".into(),
        name: "r".into(),
        story: "story".into(),
        steps,
        edges: edges
            .iter()
            .map(|&(from, to)| EdgePlan::plain(StepIndex(from), StepIndex(to)))
            .collect(),
        inputs: bytes::Bytes::new(),
        cancel_previous: flavour & 8 != 0,
    }
}
