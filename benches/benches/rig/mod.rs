//! An engine with one source and its sinks, all connected.

use bytes::Bytes;
use engine::route::{EdgePlan, QueueBounds, RunPlan, StepKind, StepPlan};
use engine::{
    Actions, ConnId, Engine, Generation, Inbound, Limits, Moment, Pieces, Registration, StepIndex,
};
use transport_proto::view::PacketView;

/// Bytes of one read, at most, and messages in it, at most.
const READ: (usize, usize) = (64 * 1024, 32);
/// Bytes that are taken out at once, as the hub's body does.
const COALESCE: usize = 256 * 1024;

/// How many packets of so many bytes go in before all of them are taken out: one read's worth.
pub(crate) fn batch(packet_len: usize) -> usize {
    (READ.0 / packet_len).clamp(1, READ.1)
}

pub(crate) struct Rig {
    engine: Engine,
    actions: Actions,
    source: ConnId,
    sinks: Vec<ConnId>,
}

impl Rig {
    pub(crate) fn new(fan_out: usize) -> Rig {
        let names: Vec<String> = (0..fan_out).map(|n| format!("sink{n}")).collect();
        let mut steps = vec![step("source")];
        steps.extend(names.iter().map(|name| step(name)));
        let edges = (1..=fan_out).map(|to| EdgePlan {
            from: StepIndex(0),
            to: StepIndex(to as u16),
        });
        let plan = RunPlan {
            namespace: "voice".into(),
            name: "support-call-7f3a".into(),
            story: "support-call".into(),
            steps,
            edges: edges.collect(),
        };
        let mut engine = Engine::new(Limits::default(), "k3x9");
        engine.attach(plan).expect("a plan that holds together");
        let mut actions = Actions::default();
        let mut connect = |step: &str| {
            let who = Registration {
                namespace: "voice",
                run: "support-call-7f3a",
                step,
                generation: Generation::new(1).expect("1 is positive"),
            };
            let registered = engine.register(who, Moment::from_nanos(0), &mut actions);
            registered.expect("the step is free")
        };
        let source = connect("source");
        let sinks = names.iter().map(|name| connect(name)).collect();
        Rig {
            engine,
            actions,
            source,
            sinks,
        }
    }

    /// Routes one packet, which lies in `source` from `start`.
    pub(crate) fn route(&mut self, source: &Bytes, start: usize, view: &PacketView, len: usize) {
        let inbound = Inbound {
            source,
            start,
            packet: &source[start..start + len],
            view,
            pinned: source.len(),
        };
        let now = Moment::from_nanos(1_000_000);
        self.engine
            .packet(self.source, inbound, now, &mut self.actions);
    }

    /// Takes everything out, and checks nothing but that it is there; the bytes taken.
    pub(crate) fn take_all(&mut self) -> usize {
        self.actions.wake.clear();
        let now = Moment::from_nanos(2_000_000);
        let mut taken = 0;
        for sink in &self.sinks {
            loop {
                let mut pieces = Pieces::new();
                match self.engine.take(*sink, COALESCE, now, &mut pieces) {
                    0 => break,
                    bytes => taken += std::hint::black_box((bytes, pieces)).0,
                }
            }
        }
        taken
    }
}

fn step(id: &str) -> StepPlan {
    StepPlan {
        id: id.into(),
        kind: StepKind::Engram,
        queue: QueueBounds::default(),
        max_downstreams: 32,
    }
}
