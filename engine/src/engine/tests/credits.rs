//! Credits: what one connection may be sent before it returns some (spec 2.5).

use transport_proto::view::Flow;

use super::chunks::got;
use super::guarantee::{ack, kept};
use super::*;
use crate::route::{Credits, FlowPlan, Guarantee, Semantics};

fn credits(messages: u32) -> Flow {
    Flow {
        credits_messages: messages,
        ..Flow::default()
    }
}

#[test]
fn credits_count_from_the_first_that_are_returned_and_anew_on_each_connection() {
    let consumer = StepPlan {
        flow: FlowPlan {
            grant: Credits {
                messages: 3,
                bytes: 1 << 20,
            },
            ..FlowPlan::default()
        },
        ..kept("c", Guarantee::default())
    };
    let mut rig = Rig::new(
        Limits::default(),
        plan(vec![step("p"), consumer], &[(0, 1)]),
    );
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=9 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    rig.flow(c, &credits(1), at(10));
    assert_eq!(got(&mut rig, c, at(11)).len(), 3, "the grant, never more");
    rig.flow(c, &ack(3), at(12));
    assert_eq!(got(&mut rig, c, at(13)).len(), 0, "a receipt is no credit");
    rig.flow(c, &credits(2), at(14));
    assert_eq!(rig.actions.wake.last(), Some(&c));
    assert_eq!(got(&mut rig, c, at(15)).len(), 2);
    rig.disconnect(c);
    let c = rig.connect("c");
    rig.flow(c, &credits(1), at(16));
    assert_eq!(
        got(&mut rig, c, at(17)).len(),
        3,
        "replay uses the new grant"
    );
}

#[test]
fn credits_that_let_a_large_packet_go_wake_its_step() {
    for semantics in [
        Semantics::BestEffort,
        Semantics::AtLeastOnce(Guarantee::default()),
    ] {
        let consumer = StepPlan {
            semantics,
            flow: FlowPlan {
                grant: Credits {
                    messages: 100,
                    bytes: 5000,
                },
                ..FlowPlan::default()
            },
            ..step("c")
        };
        let steps = vec![step("p"), consumer];
        let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1)]));
        let (p, c) = (rig.connect("p"), rig.connect("c"));
        let bytes = |credits_bytes| Flow {
            credits_bytes,
            ..Flow::default()
        };
        rig.flow(c, &bytes(1), at(0));
        rig.send(p, "first", 3000, at(1));
        assert_eq!(got(&mut rig, c, at(2)).len(), 1);
        rig.send(p, "large", 3000, at(3));
        assert_eq!(got(&mut rig, c, at(4)).len(), 0, "{semantics:?}");
        rig.actions.wake.clear();
        rig.flow(c, &bytes(3000), at(5));
        assert_eq!(rig.actions.wake[..], [c], "{semantics:?}");
        assert_eq!(got(&mut rig, c, at(6)).len(), 1, "{semantics:?}");
    }
}

#[test]
fn credits_of_one_connection_hold_up_no_other() {
    let consumer = StepPlan {
        flow: FlowPlan {
            grant: Credits {
                messages: 3,
                bytes: 1 << 20,
            },
            ..FlowPlan::default()
        },
        ..kept("c", Guarantee::default())
    };
    let steps = vec![step("p"), consumer];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1)]));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=9 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    rig.flow(c, &credits(1), at(10));
    assert_eq!(got(&mut rig, c, at(11)).len(), 3);
    rig.disconnect(c);
    let c = rig.connect("c");
    assert_eq!(got(&mut rig, c, at(12)).len(), 9, "this one returns none");
}
