//! An engine with one source and its sinks, all connected.

use bytes::Bytes;
use engine::route::{EdgePlan, Guarantee, RunPlan, Semantics, StepPlan};
use engine::{
    Accepts, Actions, ConnId, Engine, Generation, Inbound, Limits, Moment, Pieces, Registration,
    StepIndex, Taken,
};
use transport_proto::view::{Flow, PacketView};

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
    /// Packets that were routed so far: the sequence of the last one.
    routed: u64,
    receipts: bool,
}

impl Rig {
    /// A source and its sinks, which get everything best effort.
    pub(crate) fn new(fan_out: usize) -> Rig {
        Self::with(fan_out, Semantics::BestEffort)
    }

    /// The same, but the sinks get everything at least once and receipt it as they take it.
    #[allow(dead_code, reason = "shared with benches that promise nothing")]
    pub(crate) fn at_least_once(fan_out: usize) -> Rig {
        Self::with(fan_out, Semantics::AtLeastOnce(Guarantee::default()))
    }

    fn with(fan_out: usize, semantics: Semantics) -> Rig {
        let names: Vec<String> = (0..fan_out).map(|n| format!("sink{n}")).collect();
        let mut steps = vec![StepPlan::engram("source")];
        steps.extend(names.iter().map(|name| StepPlan {
            semantics,
            ..StepPlan::engram(name)
        }));
        let edges = (1..=fan_out).map(|to| EdgePlan::plain(StepIndex(0), StepIndex(to as u16)));
        let plan = RunPlan {
            namespace: "voice".into(),
            name: "support-call-7f3a".into(),
            story: "support-call".into(),
            steps,
            edges: edges.collect(),
            inputs: Bytes::new(),
            cancel_previous: false,
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
                producer_epoch: None,
                accepts: Accepts::default(),
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
            routed: 0,
            receipts: semantics != Semantics::BestEffort,
        }
    }

    /// Routes one packet, which lies in `source` from `start`.
    pub(crate) fn route(&mut self, source: &Bytes, start: usize, view: &PacketView, len: usize) {
        let inbound = Inbound {
            source,
            start,
            packet: &source[start..start + len],
            view,
            kept: None,
            parted: None,
            pinned: source.len(),
        };
        let now = Moment::from_nanos(1_000_000);
        let taken = self
            .engine
            .packet(self.source, inbound, now, &mut self.actions);
        assert_eq!(taken, Taken::Yes, "there is room for one read");
        self.routed += 1;
    }

    /// Takes everything out, and checks nothing but that it is there; the bytes taken.
    pub(crate) fn take_all(&mut self) -> usize {
        self.actions.wake.clear();
        let now = Moment::from_nanos(2_000_000);
        let mut taken = 0;
        for sink in &self.sinks {
            loop {
                let mut pieces = Pieces::new();
                match self
                    .engine
                    .take(*sink, COALESCE, now, &mut pieces, &mut self.actions)
                {
                    0 => break,
                    bytes => taken += std::hint::black_box((bytes, pieces)).0,
                }
            }
            if self.receipts {
                let flow = Flow {
                    ack: self.routed,
                    ..Flow::default()
                };
                self.engine.flow(*sink, &flow, now, &mut self.actions);
            }
        }
        taken
    }
}
