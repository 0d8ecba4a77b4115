//! at_least_once against a model so simple that it is evidently right.

use proptest::prelude::*;
use transport_proto::view::Flow;

use super::guarantee::{identity, pair};
use super::*;
use crate::route::{Guarantee, Overflow};

/// Bound of the queue, and of the window.
const MAX: usize = 6;

#[derive(Clone, Debug)]
enum Op {
    Send(usize),
    Take,
    Ack(u64),
    Receipt(u64),
    Reconnect(bool),
    Interrupt,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        8 => (0usize..5000).prop_map(Op::Send),
        4 => Just(Op::Take),
        2 => (0u64..40).prop_map(Op::Ack),
        3 => (0u64..40).prop_map(Op::Receipt),
        2 => any::<bool>().prop_map(Op::Reconnect),
        1 => Just(Op::Interrupt),
    ];
    proptest::collection::vec(op, 1..150)
}

/// One packet as the spec says it.
#[derive(Clone, Debug)]
struct Kept {
    sequence: u64,
    turn: u64,
    /// Whether this connection was sent it, and any was.
    sent: (bool, bool),
}

#[derive(Default)]
struct Model {
    kept: Vec<Kept>,
    next: u64,
    highest_sent: u64,
    turn: u64,
    accepted: u64,
    delivered: u64,
    dropped: u64,
}

impl Model {
    fn in_flight(&self) -> usize {
        self.kept.iter().filter(|k| k.sent.0).count()
    }

    fn send(&mut self) {
        self.accepted += 1;
        if self.kept.len() - self.in_flight() >= MAX {
            self.dropped += 1;
            return;
        }
        self.next += 1;
        self.kept.push(Kept {
            sequence: self.next,
            turn: self.turn,
            sent: (false, false),
        });
    }

    fn take(&mut self) -> Vec<u64> {
        let mut room = MAX - self.in_flight();
        let mut out = Vec::new();
        for kept in self.kept.iter_mut().filter(|k| !k.sent.0) {
            if room == 0 {
                break;
            }
            room -= 1;
            kept.sent = (true, true);
            self.highest_sent = self.highest_sent.max(kept.sequence);
            out.push(kept.sequence);
        }
        out
    }

    fn release(&mut self, released: impl Fn(&Kept) -> bool) {
        let before = self.kept.len();
        self.kept.retain(|k| !released(k));
        self.delivered += (before - self.kept.len()) as u64;
    }

    fn ack(&mut self, through: u64) {
        if through > self.highest_sent {
            return;
        }
        let stop = self.kept.iter().find(|k| !k.sent.0).map(|k| k.sequence);
        let stop = stop.unwrap_or(u64::MAX);
        self.release(|k| k.sequence <= through && k.sequence < stop);
    }

    fn drop_old_turns(&mut self) {
        let before = self.kept.len();
        let turn = self.turn;
        self.kept.retain(|k| k.sent.0 || k.turn >= turn);
        self.dropped += (before - self.kept.len()) as u64;
    }

    fn reconnect(&mut self) {
        self.kept.iter_mut().for_each(|k| k.sent.0 = false);
        self.drop_old_turns();
    }
}

fn check(ops: Vec<Op>) -> Result<(), TestCaseError> {
    let guarantee = Guarantee {
        overflow: Overflow::DeadLetter,
        ..Guarantee::default()
    };
    let mut rig = pair(guarantee, bounds(MAX, usize::MAX));
    let p = rig.connect("p");
    let mut c = rig.connect("c");
    let mut model = Model::default();
    for (n, op) in ops.into_iter().enumerate() {
        let now = at(n as u64);
        match op {
            Op::Send(size) => {
                rig.send(p, &n.to_string(), size, now);
                model.send();
            }
            Op::Take => {
                let got = rig.take(c, now);
                let got: Vec<u64> = got.iter().map(|packet| identity(packet).1).collect();
                prop_assert_eq!(got, model.take());
            }
            Op::Ack(through) => {
                let flow = Flow {
                    ack: through,
                    ..Flow::default()
                };
                rig.flow(c, &flow, now);
                model.ack(through);
            }
            Op::Receipt(sequence) => {
                rig.receipt(c, "ns/r/c@e1", sequence, now);
                model.release(|k| k.sequence == sequence && k.sent.1);
            }
            Op::Reconnect(gone_first) => {
                if gone_first {
                    rig.disconnect(c);
                }
                c = rig.register("c", n as i32 + 2, now).unwrap();
                model.reconnect();
            }
            Op::Interrupt => {
                model.turn += 1;
                let interrupt = Interrupt {
                    turn: model.turn,
                    lane: None,
                };
                rig.engine.interrupt(p, interrupt, now, &mut rig.actions);
                model.drop_old_turns();
            }
        }
        let edge = rig.edge("c");
        prop_assert_eq!(edge.counts.accepted, model.accepted);
        prop_assert_eq!(edge.counts.delivered, model.delivered);
        prop_assert_eq!(edge.counts.dropped_total(), model.dropped);
        prop_assert_eq!(edge.in_flight, model.in_flight() as u64);
        prop_assert_eq!(edge.queued, (model.kept.len() - model.in_flight()) as u64);
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_engine_keeps_and_releases_as_the_model_does(ops in ops()) {
        check(ops)?;
    }
}
