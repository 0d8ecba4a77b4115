//! Decisions on packets whose documents are large, on a thread of their own (spec 4.4).
//!
//! Owns that thread. At most one decision a connection is under way: its next packet waits for it,
//! so every job is answered, whatever becomes of it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use engine::ConnId;
use engine::decide::{Decided, Job};
use tokio::sync::mpsc as answers;

/// What was decided, how long it took, for whom and on which packet.
pub(crate) type Decision = ((ConnId, u64), (Decided, Duration));

/// Has decisions made elsewhere; started by the first one.
pub(crate) struct Decider {
    place: Place,
    made: answers::UnboundedSender<Decision>,
}

/// Where decisions are made.
enum Place {
    /// None has been asked for.
    Unknown,
    Thread(mpsc::Sender<Job>),
    /// No thread can be had.
    Here,
}

impl Decider {
    /// Decisions come out of what is returned beside it, until it is dropped.
    pub(crate) fn new() -> (Self, answers::UnboundedReceiver<Decision>) {
        let (made, decisions) = answers::unbounded_channel();
        let place = Place::Unknown;
        (Self { place, made }, decisions)
    }

    /// Has `job` done. Where no thread can be had, here and now.
    pub(super) fn ask(&mut self, job: Job) {
        if let Place::Unknown = self.place {
            self.place = self.start().map_or_else(in_line, Place::Thread);
        }
        let unsent = match &self.place {
            Place::Thread(jobs) => jobs.send(job).err().map(|unsent| unsent.0),
            Place::Unknown | Place::Here => Some(job),
        };
        if let Some(job) = unsent {
            decide(&job, &self.made);
        }
    }

    fn start(&self) -> io::Result<mpsc::Sender<Job>> {
        let (jobs, asked) = mpsc::channel::<Job>();
        let made = self.made.clone();
        let work = move || {
            for job in asked {
                decide(&job, &made);
            }
        };
        thread::Builder::new()
            .name("hub-decide".to_owned())
            .spawn(work)?;
        Ok(jobs)
    }
}

fn in_line(error: io::Error) -> Place {
    tracing::warn!(%error, "large packets are decided in line: other streams wait for them");
    Place::Here
}

/// Answers `job`. What cannot be decided, which is the hub's own fault, ends as a failed evaluation:
/// without an answer its connection would wait for ever.
fn decide(job: &Job, made: &answers::UnboundedSender<Decision>) {
    let began = Instant::now();
    let decided = catch_unwind(AssertUnwindSafe(|| job.run())).unwrap_or_default();
    let decided = decided.unwrap_or_else(|| {
        tracing::error!("a decision on a large packet failed: the packet is dropped");
        job.failed()
    });
    // Nobody asks any more when the hub is stopping.
    let _ = made.send((job.ticket(), (decided, began.elapsed())));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::{Bytes, BytesMut};
    use engine::route::{DocumentSchema, EdgePlan, EmitPrograms, RunPlan, StepPlan};
    use engine::{
        Accepts, Actions, DropReason, Engine, Generation, Inbound, Limits, Moment, Registration,
        StepIndex, Taken,
    };
    use transport_proto::view::{Dialect, PacketView};
    use transport_proto::wire::put_len_field;

    use super::*;

    /// Panics at what it is shown.
    #[derive(Debug)]
    struct Broken;

    impl DocumentSchema for Broken {
        fn apply(&self, _: &mut serde_json::Value) -> Result<bool, String> {
            panic!("a schema that is broken");
        }
    }

    /// A source whose packets meet such a schema, and its target.
    fn rig() -> (Engine, ConnId) {
        let emits = EmitPrograms {
            schema: Some(Arc::new(Broken)),
            ..EmitPrograms::default()
        };
        let source = StepPlan {
            emits: Some(Arc::new(emits)),
            ..StepPlan::engram("a")
        };
        let plan = RunPlan {
            namespace: "ns".into(),
            name: "r".into(),
            story: "s".into(),
            steps: vec![source, StepPlan::engram("b")],
            edges: vec![EdgePlan::plain(StepIndex(0), StepIndex(1))],
            inputs: Bytes::new(),
            cancel_previous: false,
        };
        let mut engine = Engine::new(Limits::default(), "e");
        engine.attach(plan).unwrap();
        let who = Registration {
            namespace: "ns",
            run: "r",
            step: "a",
            generation: Generation::FIRST,
            producer_epoch: None,
            accepts: Accepts::default(),
        };
        let conn = engine.register(who, Moment::default(), &mut Actions::default());
        (engine, conn.unwrap())
    }

    fn offer(engine: &mut Engine, conn: ConnId, packet: &Bytes, actions: &mut Actions) -> Taken {
        let view = PacketView::parse(packet, Dialect::Packet).unwrap();
        let inbound = Inbound {
            source: packet,
            start: 0,
            packet,
            kept: None,
            parted: None,
            view: &view,
            pinned: packet.len(),
        };
        engine.packet(conn, inbound, Moment::default(), actions)
    }

    /// A packet whose payload is a large Struct: `{"x": "x..."}`.
    fn large() -> Bytes {
        let field = |tag, body: &[u8]| {
            let mut out = BytesMut::new();
            put_len_field(&mut out, tag, body);
            out
        };
        let value = field(0x1a, &vec![b'x'; 70_000]);
        let entry = [field(0x0a, b"x"), field(0x12, &value)].concat();
        field(0x12, &field(0x0a, &entry)).freeze()
    }

    #[test]
    fn a_decision_that_panics_ends_its_packet_and_nothing_else() {
        let (mut engine, conn) = rig();
        let mut actions = Actions::default();
        let (mut decider, mut decisions) = Decider::new();
        for n in 1..=2 {
            assert_eq!(
                offer(&mut engine, conn, &large(), &mut actions),
                Taken::Blocked
            );
            decider.ask(actions.jobs.remove(0));
            let (ticket, decided) = decisions.blocking_recv().unwrap();
            engine.decided(ticket, decided, &mut actions);
            assert_eq!(actions.resume.pop(), Some(conn));
            assert_eq!(offer(&mut engine, conn, &large(), &mut actions), Taken::Yes);
            let counts = &engine.snapshot().edges[0].counts;
            assert_eq!(counts.dropped(DropReason::Expression), n);
        }
    }

    #[test]
    fn where_no_thread_can_be_had_decisions_are_made_here() {
        let (mut engine, conn) = rig();
        let mut actions = Actions::default();
        let (mut decider, mut decisions) = Decider::new();
        decider.place = Place::Here;
        assert_eq!(
            offer(&mut engine, conn, &large(), &mut actions),
            Taken::Blocked
        );
        decider.ask(actions.jobs.remove(0));
        assert!(decisions.try_recv().is_ok());
    }

    #[test]
    fn what_finds_the_thread_gone_is_decided_here() {
        let (mut engine, conn) = rig();
        let mut actions = Actions::default();
        let (mut decider, mut decisions) = Decider::new();
        decider.place = Place::Thread(mpsc::channel().0);
        assert_eq!(
            offer(&mut engine, conn, &large(), &mut actions),
            Taken::Blocked
        );
        decider.ask(actions.jobs.remove(0));
        assert!(decisions.try_recv().is_ok());
    }
}
