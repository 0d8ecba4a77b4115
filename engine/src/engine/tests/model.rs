//! The engine against a model so simple that it is evidently right.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::route::OverflowPolicy;

const MAX: usize = 5;

/// One sink as the spec says it: a list with at most `MAX` entries.
#[derive(Default)]
struct Sink {
    connected: Option<ConnId>,
    waiting: VecDeque<String>,
    accepted: u64,
    delivered: u64,
    dropped: u64,
}

#[derive(Clone, Debug)]
enum Op {
    Send(usize),
    Connect(usize),
    Disconnect(usize),
    Take(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => (0usize..6000).prop_map(Op::Send),
        1 => (0usize..2).prop_map(Op::Connect),
        1 => (0usize..2).prop_map(Op::Disconnect),
        2 => (0usize..2).prop_map(Op::Take),
    ];
    proptest::collection::vec(op, 1..120)
}

fn check(ops: Vec<Op>, overflow: OverflowPolicy) -> Result<(), TestCaseError> {
    let queue = QueueBounds {
        overflow,
        ..bounds(MAX, usize::MAX)
    };
    let mut rig = Rig::fan_out(vec![queue; 2]);
    let src = rig.connect("src");
    let mut sinks = [Sink::default(), Sink::default()];
    for (n, op) in ops.into_iter().enumerate() {
        match op {
            Op::Send(size) => {
                rig.send(src, &n.to_string(), size, at(n as u64));
                for sink in &mut sinks {
                    sink.accepted += 1;
                    if sink.waiting.len() == MAX {
                        sink.dropped += 1;
                        if overflow == OverflowPolicy::DropNewest {
                            continue;
                        }
                        sink.waiting.pop_front();
                    }
                    sink.waiting.push_back(n.to_string());
                }
            }
            Op::Connect(which) => {
                // Every connect is a new generation, so that none is a duel.
                let name = format!("sink{which}");
                let conn = rig.register(&name, n as i32 + 1, at(n as u64)).unwrap();
                sinks[which].connected = Some(conn);
            }
            Op::Disconnect(which) => {
                if let Some(conn) = sinks[which].connected.take() {
                    rig.disconnect(conn);
                }
            }
            Op::Take(which) => {
                if let Some(conn) = sinks[which].connected {
                    let sink = &mut sinks[which];
                    prop_assert_eq!(
                        rig.labels(conn, at(n as u64)),
                        Vec::from(std::mem::take(&mut sink.waiting))
                    );
                    sink.delivered = sink.accepted - sink.dropped;
                }
            }
        }
        for (which, sink) in sinks.iter().enumerate() {
            let edge = rig.edge(&format!("sink{which}"));
            prop_assert_eq!(edge.counts.accepted, sink.accepted);
            prop_assert_eq!(edge.counts.delivered, sink.delivered);
            prop_assert_eq!(edge.counts.dropped_total(), sink.dropped);
            prop_assert_eq!(edge.queued, sink.waiting.len() as u64);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_engine_does_what_the_model_does_when_the_newest_gives_way(ops in ops()) {
        check(ops, OverflowPolicy::DropNewest)?;
    }

    #[test]
    fn the_engine_does_what_the_model_does_when_the_oldest_gives_way(ops in ops()) {
        check(ops, OverflowPolicy::DropOldest)?;
    }
}
