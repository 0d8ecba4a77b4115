//! at_least_once, told as the spec tells it (2.4): the traces, partitions, what outlives a
//! connection.

use transport_proto::view::Flow;

use super::*;
use crate::route::{Guarantee, Semantics};

pub(super) fn kept(id: &str, guarantee: Guarantee) -> StepPlan {
    StepPlan {
        semantics: Semantics::AtLeastOnce(guarantee),
        ..step(id)
    }
}

/// A producer `p` that numbers its packets and a consumer `c` that receipts them.
pub(super) fn pair(guarantee: Guarantee, queue: QueueBounds) -> Rig {
    let consumer = StepPlan {
        queue,
        ..kept("c", guarantee)
    };
    Rig::new(
        Limits::default(),
        plan(vec![step("p"), consumer], &[(0, 1)]),
    )
}

pub(super) fn guaranteed() -> Rig {
    pair(Guarantee::default(), QueueBounds::default())
}

pub(super) fn ack(through: u64) -> Flow {
    Flow {
        ack: through,
        ..Flow::default()
    }
}

/// Sequences of what waits for `conn`.
pub(super) fn sequences(rig: &mut Rig, conn: ConnId, now: Moment) -> Vec<u64> {
    rig.take(conn, now).iter().map(|p| identity(p).1).collect()
}

pub(super) fn identity(packet: &Bytes) -> (String, u64) {
    let view = PacketView::parse(packet, Dialect::Packet).unwrap();
    let envelope = view.envelope().unwrap();
    (envelope.stream_id(packet).to_owned(), envelope.sequence())
}

#[test]
fn the_trace_of_the_lost_receipt() {
    let mut rig = guaranteed();
    let p = rig.connect_numbering("p", "e7");
    let c = rig.connect("c");
    for n in 1..=5 {
        rig.send_numbered(p, n, at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(6)), [1, 2, 3, 4, 5]);
    rig.flow(c, &ack(2), at(7));
    assert_eq!(rig.acks(p, at(300)), [2]);
    rig.disconnect(c);
    let c = rig.connect("c");
    rig.send_numbered(p, 6, at(301));
    assert_eq!(sequences(&mut rig, c, at(302)), [3, 4, 5, 6], "before s6");
    rig.flow(c, &ack(5), at(303));
    assert_eq!(rig.acks(p, at(600)), [5]);
    let edge = rig.edge("c");
    assert_eq!((edge.counts.delivered, edge.in_flight), (5, 1));
    assert_eq!(edge.counts.replayed, 3);
    assert_eq!(edge.counts.dropped_total(), 0);
}

#[test]
fn the_trace_of_the_killed_hub_without_a_disk() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    for n in 1..=5 {
        rig.send_numbered(p, n, at(n));
    }
    let before: Vec<_> = rig.take(c, at(6)).iter().map(identity).collect();
    let mut rig = Rig {
        engine: Engine::new(Limits::default(), "e2"),
        actions: Actions::default(),
        offers: 0,
    };
    let steps = vec![step("p"), kept("c", Guarantee::default())];
    rig.engine.attach(plan(steps, &[(0, 1)])).unwrap();
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    for n in 3..=5 {
        rig.send_numbered(p, n, at(n));
    }
    let after: Vec<_> = rig.take(c, at(6)).iter().map(identity).collect();
    assert_eq!(after.iter().map(|i| i.1).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(after.iter().all(|id| !before.contains(id)), "a new epoch");
    rig.flow(c, &ack(3), at(7));
    assert_eq!(rig.acks(p, at(300)), [5]);
}

#[test]
fn a_superseded_connection_changes_nothing() {
    let mut rig = guaranteed();
    let (p, old) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_numbered(p, 1, at(1));
    assert_eq!(sequences(&mut rig, old, at(2)), [1]);
    let new = rig.register("c", 2, at(3)).unwrap();
    rig.flow(old, &ack(1), at(4));
    rig.receipt(old, "ns/r/c@e1", 1, at(4));
    assert_eq!(rig.edge("c").counts.delivered, 0);
    assert_eq!(sequences(&mut rig, new, at(5)), [1]);
    let newer = rig.register("p", 2, at(6)).unwrap();
    rig.send(p, "late", 10, at(7));
    assert_eq!(rig.edge("c").counts.accepted, 1);
    rig.disconnect(p);
    rig.send(newer, "now", 10, at(8));
    assert_eq!(rig.edge("c").counts.accepted, 2);
}

#[test]
pub(super) fn sequences_count_per_partition_where_that_is_asked_for() {
    let guarantee = Guarantee {
        per_partition: true,
        ..Guarantee::default()
    };
    let mut rig = pair(guarantee, QueueBounds::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for (partition, n) in [("a", 1), ("b", 2), ("a", 3), ("", 4)] {
        rig.send_packet(p, &in_partition(partition), at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(5)), [1, 1, 2, 1]);
    let flow = Flow {
        partition_acks: [("a".into(), 2)].into_iter().collect(),
        ..Flow::default()
    };
    rig.flow(c, &flow, at(6));
    assert_eq!(rig.edge("c").counts.delivered, 2);
}

#[test]
fn state_outlives_connections_until_its_time_is_up() {
    let limits = Limits {
        state_ttl: 10 * SECOND,
        ..Limits::default()
    };
    let steps = vec![step("p"), kept("c", Guarantee::default())];
    let mut rig = Rig::new(limits, plan(steps, &[(0, 1)]));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(0));
    assert_eq!(sequences(&mut rig, c, at(0)), [1]);
    rig.disconnect(c);
    rig.tick(at(9_999));
    assert_eq!(rig.edge("c").queued, 1);
    rig.tick(at(10_001));
    assert_eq!(rig.edge("c").counts.dropped(DropReason::Evicted), 1);
    let c = rig.register("c", 1, at(11_000)).unwrap();
    rig.send(p, "2", 10, at(11_000));
    assert_eq!(
        sequences(&mut rig, c, at(11_001)),
        [2],
        "no sequence is used twice"
    );
}
