//! Sending again what is not receipted in time (spec 2.4 rule 8).

use transport_proto::view::Flow;

use super::guarantee::{kept, pair, sequences};
use super::*;
use crate::route::{Credits, FlowPlan, Guarantee, Redelivery};

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

fn late_after_a_second(flow: FlowPlan) -> Rig {
    let guarantee = Guarantee {
        redelivery: Some(Redelivery {
            ack_wait: SECOND,
            max_deliver: 0,
        }),
        ..Guarantee::default()
    };
    let consumer = StepPlan {
        flow,
        ..kept("c", guarantee)
    };
    let steps = vec![step("p"), consumer];
    Rig::new(Limits::default(), plan(steps, &[(0, 1)]))
}

#[test]
fn what_is_late_when_its_connection_ends_is_replayed_once() {
    let mut rig = late_after_a_second(FlowPlan::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(0));
    rig.send(p, "2", 10, at(0));
    assert_eq!(sequences(&mut rig, c, at(0)), [1, 2]);
    rig.tick(at(1000));
    rig.disconnect(c);
    let c = rig.connect("c");
    assert_eq!(sequences(&mut rig, c, at(1001)), [1, 2]);
}

#[test]
fn what_is_late_waits_for_credits_like_everything_else() {
    let mut rig = late_after_a_second(FlowPlan {
        grant: Credits {
            messages: 2,
            bytes: 1 << 20,
        },
        ..FlowPlan::default()
    });
    let credit = Flow {
        credits_messages: 1,
        ..Flow::default()
    };
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.flow(c, &credit, at(0));
    rig.send(p, "1", 10, at(0));
    rig.send(p, "2", 10, at(0));
    assert_eq!(sequences(&mut rig, c, at(0)), [1, 2]);
    rig.tick(at(1000));
    assert_eq!(sequences(&mut rig, c, at(1000)), [0u64; 0]);
    rig.flow(c, &credit, at(1001));
    assert_eq!(sequences(&mut rig, c, at(1001)), [1]);
}

#[test]
fn what_is_late_leaves_in_portions_like_everything_else() {
    let mut rig = late_after_a_second(FlowPlan::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(0));
    rig.send(p, "2", 10, at(0));
    assert_eq!(rig.labels(c, at(0)), ["1", "2"]);
    rig.tick(at(1000));
    assert_eq!(rig.take_up_to(c, 1, at(1000)), ["1"]);
    assert_eq!(rig.take_up_to(c, 1, at(1000)), ["2"]);
}

#[test]
fn what_is_late_and_not_taken_yet_is_found_once() {
    let mut rig = late_after_a_second(FlowPlan::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(0));
    assert_eq!(sequences(&mut rig, c, at(0)), [1]);
    rig.tick(at(1000));
    rig.tick(at(2000));
    assert_eq!(sequences(&mut rig, c, at(2000)), [1]);
}
