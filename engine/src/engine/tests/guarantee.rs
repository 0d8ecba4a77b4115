//! at_least_once, told as the spec tells it (2.4): the traces, receipts, replay, bounds.

use transport_proto::view::Flow;

use super::*;
use crate::route::{FlowMode, FlowPlan, Guarantee, Overflow, Redelivery, Semantics};

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

fn guaranteed() -> Rig {
    pair(Guarantee::default(), QueueBounds::default())
}

fn ack(through: u64) -> Flow {
    Flow {
        ack: through,
        ..Flow::default()
    }
}

/// Sequences of what waits for `conn`.
fn sequences(rig: &mut Rig, conn: ConnId, now: Moment) -> Vec<u64> {
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
fn a_single_receipt_releases_its_sequence_only() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=4 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    let sent = rig.take(c, at(5));
    let (stream, _) = identity(&sent[0]);
    rig.receipt(c, &stream, 3, at(6));
    rig.disconnect(c);
    let c = rig.connect("c");
    assert_eq!(sequences(&mut rig, c, at(7)), [1, 2, 4]);
}

#[test]
fn a_receipt_for_another_stream_or_epoch_or_an_unsent_sequence_changes_nothing() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(1));
    assert_eq!(sequences(&mut rig, c, at(2)), [1]);
    rig.receipt(c, "ns/r/c@e0", 1, at(3));
    rig.receipt(c, "ns/r/p@e1", 1, at(3));
    rig.receipt(c, "ns/r/c@e1", 2, at(3));
    rig.flow(c, &ack(7), at(3));
    assert_eq!(rig.edge("c").in_flight, 1);
    let ignored = rig.engine.snapshot().sessions[1].ignored;
    assert_eq!((ignored.foreign, ignored.unknown), (2, 2));
}

#[test]
fn a_cumulative_ack_counts_up_to_what_this_connection_was_sent() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=3 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(4)), [1, 2, 3]);
    rig.disconnect(c);
    let c = rig.connect("c");
    rig.flow(c, &ack(3), at(5));
    assert_eq!(
        rig.edge("c").counts.delivered,
        0,
        "nothing was sent on this one"
    );
    assert_eq!(sequences(&mut rig, c, at(6)), [1, 2, 3]);
    rig.flow(c, &ack(3), at(7));
    assert_eq!(rig.edge("c").counts.delivered, 3);
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
fn a_full_edge_blocks_its_producer_until_half_of_it_is_free() {
    let mut rig = pair(Guarantee::default(), bounds(4, usize::MAX));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=4 {
        assert_eq!(rig.offer(p, &packet("x", 10), at(n)), Taken::Yes, "{n}");
    }
    assert_eq!(rig.offer(p, &packet("x", 10), at(5)), Taken::Blocked);
    assert!(rig.edge("c").paused);
    assert!(rig.actions.resume.is_empty());
    assert_eq!(sequences(&mut rig, c, at(6)), [1, 2, 3, 4]);
    assert_eq!(rig.actions.resume[..], [p]);
    assert!(!rig.edge("c").paused);
    assert_eq!(rig.offer(p, &packet("x", 10), at(7)), Taken::Yes);
    assert_eq!(
        sequences(&mut rig, c, at(8)),
        [0u64; 0],
        "the window is full"
    );
    rig.flow(c, &ack(1), at(9));
    assert_eq!(sequences(&mut rig, c, at(10)), [5]);
    assert_eq!(rig.edge("c").counts.dropped_total(), 0);
}

#[test]
fn a_blocked_packet_reaches_none_of_its_edges() {
    let full = StepPlan {
        queue: bounds(1, usize::MAX),
        ..kept("full", Guarantee::default())
    };
    let steps = vec![step("p"), step("open"), full];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1), (0, 2)]));
    let p = rig.connect("p");
    assert_eq!(rig.offer(p, &packet("1", 10), at(1)), Taken::Yes);
    assert_eq!(rig.offer(p, &packet("2", 10), at(2)), Taken::Blocked);
    assert_eq!(rig.edge("open").counts.accepted, 1);
}

#[test]
fn a_client_that_acts_on_pause_is_told_to_hold_back_and_to_go_on() {
    let mut rig = pair(Guarantee::default(), bounds(10, usize::MAX));
    let accepts = Accepts {
        pause: true,
        control: false,
    };
    let p = rig.connect_as("p", None, accepts);
    let c = rig.connect("c");
    for n in 1..=9 {
        assert_eq!(rig.offer(p, &packet("x", 10), at(n)), Taken::Yes);
    }
    assert_eq!(rig.signals(p, at(10)), [1]);
    assert_eq!(
        rig.offer(p, &packet("x", 10), at(11)),
        Taken::Yes,
        "on its way"
    );
    assert_eq!(rig.offer(p, &packet("x", 10), at(12)), Taken::Blocked);
    assert_eq!(sequences(&mut rig, c, at(13)).len(), 10);
    assert_eq!(rig.signals(p, at(14)), [2]);
    assert_eq!(rig.actions.resume[..], [p]);
}

#[test]
fn overflow_dead_letter_ends_the_packet_on_its_edge_with_its_reason() {
    let guarantee = Guarantee {
        overflow: Overflow::DeadLetter,
        ..Guarantee::default()
    };
    let mut rig = pair(guarantee, bounds(2, usize::MAX));
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    for n in 1..=3 {
        rig.send_numbered(p, n, at(n));
    }
    let edge = rig.edge("c");
    assert_eq!(edge.counts.dropped(DropReason::LaneFull), 1);
    let told = rig.actions.events.iter();
    let letters = told.filter(|e| matches!(e, Event::DeadLettered { .. }));
    assert_eq!(letters.count(), 1);
    assert_eq!(sequences(&mut rig, c, at(4)), [1, 2]);
    rig.flow(c, &ack(2), at(5));
    assert_eq!(rig.acks(p, at(300)), [3], "a counted drop settles");
}

#[test]
fn an_empty_lane_admits_one_packet_of_any_size() {
    let mut rig = pair(Guarantee::default(), bounds(10, 1000));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    assert_eq!(rig.offer(p, &packet("big", 2 << 20), at(1)), Taken::Yes);
    assert_eq!(rig.offer(p, &packet("more", 10), at(2)), Taken::Blocked);
    assert_eq!(sequences(&mut rig, c, at(3)), [1]);
    assert_eq!(rig.offer(p, &packet("more", 10), at(4)), Taken::Yes);
}

#[test]
fn resent_numbers_are_acked_again_and_never_routed_twice() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    for n in 1..=3 {
        rig.send_numbered(p, n, at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(4)), [1, 2, 3]);
    rig.flow(c, &ack(2), at(5));
    rig.disconnect(p);
    let p = rig.connect_numbering("p", "e7");
    assert_eq!(rig.acks(p, at(6)), [2], "told at once what is settled");
    rig.send_numbered(p, 2, at(7));
    assert_eq!(rig.acks(p, at(8)), [2]);
    rig.send_numbered(p, 3, at(9));
    rig.send_numbered(p, 4, at(9));
    assert_eq!(sequences(&mut rig, c, at(10)), [4]);
    assert_eq!(rig.edge("c").counts.accepted, 4);
}

#[test]
fn an_echo_engram_that_returns_our_envelope_numbers_nothing() {
    let steps = vec![step("p"), step("echo"), kept("c", Guarantee::default())];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1), (1, 2)]));
    let (p, echo, c) = (rig.connect("p"), rig.connect("echo"), rig.connect("c"));
    for n in 1..=3 {
        rig.send(p, &n.to_string(), 10, at(n));
        for packet in rig.take(echo, at(n)) {
            rig.send_packet(echo, &packet, at(n));
            rig.send_packet(echo, &packet, at(n));
        }
    }
    let got = rig.take(c, at(9));
    assert_eq!(
        got.iter().map(label).collect::<Vec<_>>(),
        ["1", "1", "2", "2", "3", "3"]
    );
    assert!(rig.acks(echo, at(999)).is_empty());
}

#[test]
fn what_is_not_receipted_in_time_is_sent_again_and_ends_after_max_deliver() {
    let guarantee = Guarantee {
        redelivery: Some(Redelivery {
            ack_wait: SECOND,
            max_deliver: 2,
        }),
        ..Guarantee::default()
    };
    let mut rig = pair(guarantee, QueueBounds::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(0));
    rig.send(p, "2", 10, at(0));
    assert_eq!(sequences(&mut rig, c, at(0)), [1, 2]);
    rig.receipt(c, "ns/r/c@e1", 2, at(1));
    assert_eq!(rig.engine.next_deadline(), Some(at(1000)));
    rig.tick(at(1000));
    assert_eq!(sequences(&mut rig, c, at(1000)), [1]);
    rig.tick(at(2000));
    let edge = rig.edge("c");
    assert_eq!(edge.counts.dropped(DropReason::DeadLetter), 1);
    assert_eq!(edge.counts.delivered, 1);
}

#[test]
fn a_client_that_never_sends_flow_is_served_until_the_window_is_full() {
    let mut rig = pair(Guarantee::default(), bounds(3, usize::MAX));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=3 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(4)), [1, 2, 3]);
    rig.send(p, "4", 10, at(5));
    assert_eq!(sequences(&mut rig, c, at(6)), [0u64; 0]);
    assert_eq!(rig.edge("c").queued, 1);
}

#[test]
fn a_window_bounds_what_is_in_flight() {
    let consumer = StepPlan {
        flow: FlowPlan {
            mode: FlowMode::Window,
            max_in_flight: Some(2),
            ..FlowPlan::default()
        },
        ..kept("c", Guarantee::default())
    };
    let mut rig = Rig::new(
        Limits::default(),
        plan(vec![step("p"), consumer], &[(0, 1)]),
    );
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=5 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(6)), [1, 2]);
    rig.flow(c, &ack(1), at(7));
    assert_eq!(sequences(&mut rig, c, at(8)), [3]);
}

#[test]
fn sequences_count_per_partition_where_that_is_asked_for() {
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

#[test]
fn one_missing_receipt_keeps_little_in_memory() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=5000u64 {
        rig.send(p, &n.to_string(), 100, at(n));
        let sent = rig.take(c, at(n));
        if n > 1 {
            rig.receipt(c, &identity(&sent[0]).0, n, at(n));
        }
    }
    let edge = rig.edge("c");
    assert_eq!((edge.in_flight, edge.counts.delivered), (1, 4999));
    rig.disconnect(c);
    let c = rig.connect("c");
    assert_eq!(sequences(&mut rig, c, at(6000)), [1]);
}

#[test]
fn a_long_envelope_never_makes_a_waiting_edge_drop() {
    let mut rig = pair(Guarantee::default(), bounds(10, 1000));
    let p = rig.connect("p");
    for n in 1..=20 {
        let _ = rig.offer(p, &in_partition(&"long".repeat(25)), at(n));
    }
    let counts = rig.edge("c").counts;
    assert_eq!(counts.dropped_total(), 0);
    assert!(counts.accepted > 1);
}

#[test]
fn the_budget_never_makes_a_waiting_edge_drop() {
    let limits = Limits {
        queue_budget_bytes: 5000,
        ..Limits::default()
    };
    let steps = vec![
        step("p"),
        kept("c", Guarantee::default()),
        kept("d", Guarantee::default()),
    ];
    let mut rig = Rig::new(limits, plan(steps, &[(0, 1), (0, 2)]));
    let p = rig.connect("p");
    assert_eq!(rig.offer(p, &packet("1", 4000), at(1)), Taken::Yes);
    assert_eq!(rig.offer(p, &packet("2", 4000), at(2)), Taken::Blocked);
    assert_eq!(rig.edge("d").counts.dropped_total(), 0);
    assert_eq!(rig.edge("d").queued, 1);
}

#[test]
fn an_edge_that_has_emptied_lets_its_producer_go_on_whatever_others_hold() {
    let limits = Limits {
        queue_budget_bytes: 5000,
        ..Limits::default()
    };
    let steps = vec![
        step("p"),
        step("q"),
        kept("c", Guarantee::default()),
        kept("d", Guarantee::default()),
    ];
    let mut rig = Rig::new(limits, plan(steps, &[(0, 2), (1, 3)]));
    let (p, q, c) = (rig.connect("p"), rig.connect("q"), rig.connect("c"));
    assert_eq!(rig.offer(p, &packet("1", 100), at(1)), Taken::Yes);
    assert_eq!(rig.offer(q, &packet("held", 5000), at(2)), Taken::Yes);
    assert_eq!(rig.offer(p, &packet("2", 100), at(3)), Taken::Blocked);
    assert_eq!(sequences(&mut rig, c, at(4)), [1]);
    rig.flow(c, &ack(1), at(5));
    assert_eq!(rig.actions.resume[..], [p]);
    assert_eq!(rig.offer(p, &packet("2", 100), at(6)), Taken::Yes);
}

#[test]
fn receipts_that_wait_unread_are_not_late_when_they_are_read_again() {
    let redelivery = Some(Redelivery {
        ack_wait: SECOND,
        max_deliver: 1,
    });
    let full = StepPlan {
        queue: bounds(1, usize::MAX),
        ..kept("full", Guarantee::default())
    };
    let echo = kept(
        "echo",
        Guarantee {
            redelivery,
            ..Guarantee::default()
        },
    );
    let steps = vec![step("p"), echo, full];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1), (1, 2)]));
    let (p, echo) = (rig.connect("p"), rig.connect("echo"));
    rig.send(p, "1", 10, at(0));
    assert_eq!(sequences(&mut rig, echo, at(0)), [1]);
    assert_eq!(rig.offer(echo, &packet("a", 10), at(1)), Taken::Yes);
    assert_eq!(rig.offer(echo, &packet("b", 10), at(2)), Taken::Blocked);
    rig.tick(at(5000));
    let full = rig.register("full", 1, at(5000)).unwrap();
    rig.take(full, at(5000));
    assert_eq!(rig.actions.resume[..], [echo]);
    rig.tick(at(5500));
    let counts = rig.edge("echo").counts;
    assert_eq!(
        counts.dropped(DropReason::DeadLetter),
        0,
        "it has had no say"
    );
    assert_eq!(rig.offer(echo, &packet("b", 10), at(5600)), Taken::Yes);
    rig.tick(at(6100));
    let counts = rig.edge("echo").counts;
    assert_eq!(counts.dropped(DropReason::DeadLetter), 1, "now it is late");
}
