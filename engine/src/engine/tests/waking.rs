//! Who is woken, and when: somebody who is not waits for the next tick.

use transport_proto::view::Flow;

use super::guarantee::{ack, guaranteed, kept, pair, sequences};
use super::*;
use crate::route::{Credits, FlowPlan, Guarantee, Redelivery};

#[test]
fn an_at_least_once_target_is_woken_once_for_many_packets() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.actions.wake.clear();
    for n in 1..=3 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    assert_eq!(rig.actions.wake[..], [c]);
    assert_eq!(sequences(&mut rig, c, at(4)), [1, 2, 3]);
    rig.send(p, "4", 10, at(5));
    assert_eq!(rig.actions.wake[..], [c, c], "it had caught up");
}

/// A consumer with one packet in its window, which is full, and one that waits.
fn full_window() -> (Rig, ConnId) {
    let mut rig = pair(Guarantee::default(), bounds(1, usize::MAX));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(1));
    assert_eq!(sequences(&mut rig, c, at(2)), [1]);
    rig.send(p, "2", 10, at(3));
    rig.actions.wake.clear();
    (rig, c)
}

#[test]
fn an_ack_that_makes_room_in_the_window_wakes_its_step() {
    let (mut rig, c) = full_window();
    rig.flow(c, &ack(1), at(4));
    assert_eq!(rig.actions.wake[..], [c]);
}

#[test]
fn a_receipt_that_makes_room_in_the_window_wakes_its_step() {
    let (mut rig, c) = full_window();
    rig.receipt(c, "ns/r/c@e1", 1, at(4));
    assert_eq!(rig.actions.wake[..], [c]);
}

#[test]
fn a_producer_that_is_to_hold_back_is_woken_to_hear_it() {
    let mut rig = pair(Guarantee::default(), bounds(10, usize::MAX));
    let accepts = Accepts {
        pause: true,
        ..Accepts::default()
    };
    let p = rig.connect_as("p", None, accepts);
    for n in 1..=8 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    assert!(!rig.actions.wake.contains(&p));
    rig.send(p, "9", 10, at(9));
    assert_eq!(rig.actions.wake[..], [p]);
}

#[test]
fn a_producer_is_woken_when_enough_is_settled_to_be_told_of() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    for n in 1..=10 {
        rig.send_numbered(p, n, at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(11)).len(), 10);
    rig.actions.wake.clear();
    rig.flow(c, &ack(9), at(12));
    assert!(rig.actions.wake.is_empty());
    rig.flow(c, &ack(10), at(13));
    assert_eq!(rig.actions.wake[..], [p]);
}

#[test]
fn a_tick_is_due_when_a_producer_is_to_be_told_whatever_ticks_come_before() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_numbered(p, 1, at(0));
    assert_eq!(sequences(&mut rig, c, at(0)), [1]);
    rig.flow(c, &ack(1), at(1));
    assert_eq!(rig.engine.next_deadline(), Some(at(251)));
    rig.tick(at(100));
    assert_eq!(rig.engine.next_deadline(), Some(at(251)));
    rig.actions.wake.clear();
    rig.tick(at(251));
    assert!(rig.actions.wake.contains(&p));
}

#[test]
fn a_tick_is_due_when_a_receipt_is_late_whatever_ticks_come_before() {
    let guarantee = Guarantee {
        redelivery: Some(Redelivery {
            ack_wait: SECOND,
            max_deliver: 0,
        }),
        ..Guarantee::default()
    };
    let mut rig = pair(guarantee, QueueBounds::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(0));
    assert_eq!(sequences(&mut rig, c, at(0)), [1]);
    rig.tick(at(500));
    assert_eq!(rig.engine.next_deadline(), Some(at(1000)));
    rig.actions.wake.clear();
    rig.tick(at(1000));
    assert!(rig.actions.wake.contains(&c));
}

#[test]
fn an_idle_client_is_woken_for_its_heartbeat() {
    let mut rig = guaranteed();
    let c = rig.connect("c");
    rig.actions.wake.clear();
    rig.tick(at(12_500));
    assert_eq!(rig.actions.wake[..], [c]);
}

#[test]
fn an_interrupt_that_ends_what_was_in_the_way_wakes_its_step() {
    let consumer = StepPlan {
        flow: FlowPlan {
            grant: Credits {
                messages: 100,
                bytes: 5000,
            },
            ..FlowPlan::default()
        },
        ..kept("c", Guarantee::default())
    };
    let steps = vec![step("p"), consumer];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1)]));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    let credits = Flow {
        credits_bytes: 1,
        ..Flow::default()
    };
    rig.flow(c, &credits, at(0));
    rig.send(p, "first", 3000, at(1));
    rig.send(p, "in the way", 3000, at(2));
    rig.send_packet(p, &in_turn("small", 2), at(3));
    assert_eq!(rig.labels(c, at(4)), ["first"]);
    rig.actions.wake.clear();
    rig.interrupt(p, None, at(5));
    assert_eq!(rig.actions.wake[..], [c]);
    assert_eq!(rig.labels(c, at(6)), ["small"]);
}

#[test]
fn whoever_acts_on_control_is_woken_for_it() {
    let mut rig = guaranteed();
    let accepts = Accepts {
        control: true,
        ..Accepts::default()
    };
    let (p, c) = (rig.connect_as("p", None, accepts), rig.connect("c"));
    rig.actions.wake.clear();
    rig.send_packet(c, &directive("keyframe", 0), at(1));
    assert_eq!(rig.actions.wake[..], [p]);
    rig.take(p, at(2));
    rig.actions.wake.clear();
    rig.engine.drain(at(3), &mut rig.actions);
    assert_eq!(rig.actions.wake[..], [p]);
}

#[test]
fn a_newcomer_is_woken_for_what_waits() {
    let mut rig = guaranteed();
    let p = rig.connect("p");
    rig.send(p, "1", 10, at(1));
    rig.actions.wake.clear();
    let c = rig.connect("c");
    assert_eq!(rig.actions.wake[..], [c]);
}
