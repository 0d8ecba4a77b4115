//! What an at_least_once edge has room for, and what it does when it has none (spec 2.4 rule 4).

use super::guarantee::{ack, kept, pair, sequences};
use super::*;
use crate::route::{Credits, FlowMode, FlowPlan, Guarantee, Overflow};

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
fn a_queue_is_full_in_bytes_before_it_is_in_packets() {
    let mut rig = pair(Guarantee::default(), bounds(10, 1000));
    let p = rig.connect("p");
    assert_eq!(rig.offer(p, &packet("1", 500), at(1)), Taken::Yes);
    assert_eq!(rig.offer(p, &packet("2", 500), at(2)), Taken::Blocked);
    assert_eq!(rig.edge("c").queued, 1);
}

#[test]
fn a_window_bounds_the_bytes_in_flight() {
    let consumer = StepPlan {
        flow: FlowPlan {
            mode: FlowMode::Window,
            grant: Credits {
                messages: 100,
                bytes: 1000,
            },
            ..FlowPlan::default()
        },
        ..kept("c", Guarantee::default())
    };
    let steps = vec![step("p"), consumer];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1)]));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=2 {
        rig.send(p, &n.to_string(), 600, at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(3)), [1]);
    rig.flow(c, &ack(1), at(4));
    assert_eq!(sequences(&mut rig, c, at(5)), [2]);
}

#[test]
fn an_edge_past_the_cap_never_makes_its_producer_wait() {
    let source = StepPlan {
        max_downstreams: 1,
        ..step("p")
    };
    let full = StepPlan {
        queue: bounds(1, usize::MAX),
        ..kept("full", Guarantee::default())
    };
    let steps = vec![source, step("open"), full, step("q")];
    let edges = [(0, 1), (0, 2), (3, 2)];
    let mut rig = Rig::new(Limits::default(), plan(steps, &edges));
    let (p, q) = (rig.connect("p"), rig.connect("q"));
    rig.send(q, "fills it", 10, at(1));
    assert_eq!(rig.offer(p, &packet("1", 10), at(2)), Taken::Yes);
    let counts = rig.edge("full").counts;
    assert_eq!(counts.dropped(DropReason::MaxDownstreams), 1);
    assert_eq!(rig.edge("open").queued, 1);
}
