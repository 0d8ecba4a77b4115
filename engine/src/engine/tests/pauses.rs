//! Which producers wait, who is told, and when they go on (spec 2.5).

use super::guarantee::{ack, kept, pair, sequences};
use super::*;
use crate::route::{FlowPlan, Guarantee};

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
fn a_blocked_producer_goes_on_when_the_queue_is_down_to_half() {
    let consumer = StepPlan {
        queue: bounds(10, usize::MAX),
        flow: FlowPlan {
            max_in_flight: Some(1),
            ..FlowPlan::default()
        },
        ..kept("c", Guarantee::default())
    };
    let steps = vec![step("p"), consumer];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1)]));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    while rig.offer(p, &packet("x", 10), at(1)) == Taken::Yes {}
    for waiting in (6..=8).rev() {
        assert_eq!(sequences(&mut rig, c, at(2)).len(), 1);
        assert_eq!(rig.edge("c").queued, waiting);
        assert!(rig.actions.resume.is_empty(), "{waiting} wait");
        let sent = 9 - waiting;
        rig.flow(c, &ack(sent), at(3));
    }
    assert_eq!(sequences(&mut rig, c, at(4)).len(), 1);
    assert_eq!(rig.edge("c").queued, 5);
    assert_eq!(rig.actions.resume[..], [p]);
}

#[test]
fn a_client_that_comes_while_its_target_is_full_is_told_to_hold_back() {
    let mut rig = pair(Guarantee::default(), bounds(10, usize::MAX));
    let p = rig.connect("p");
    for n in 1..=9 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    rig.disconnect(p);
    let accepts = Accepts {
        pause: true,
        ..Accepts::default()
    };
    let p = rig.connect_as("p", None, accepts);
    assert_eq!(rig.signals(p, at(10)), [1]);
}

#[test]
fn a_blocked_producer_that_left_waits_for_nothing() {
    let mut rig = pair(Guarantee::default(), bounds(1, usize::MAX));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(1));
    assert_eq!(rig.offer(p, &packet("2", 10), at(2)), Taken::Blocked);
    rig.disconnect(p);
    assert!(!rig.edge("c").paused);
    rig.connect("p");
    assert_eq!(sequences(&mut rig, c, at(3)), [1]);
    assert!(
        rig.actions.resume.is_empty(),
        "its successor is not blocked"
    );
}
