//! What ends because its time is up, or because the hub stops (spec 2.2, 2.5).

use super::guarantee::{kept, sequences};
use super::*;
use crate::route::Guarantee;

/// A producer `p` and an at_least_once step `c` with a bound on age and a life of its state.
fn aging(max_age: Option<Duration>, state_ttl: Duration) -> Rig {
    let limits = Limits {
        state_ttl,
        ..Limits::default()
    };
    let consumer = StepPlan {
        queue: QueueBounds {
            max_age,
            ..QueueBounds::default()
        },
        ..kept("c", Guarantee::default())
    };
    Rig::new(limits, plan(vec![step("p"), consumer], &[(0, 1)]))
}

#[test]
fn an_age_ends_what_was_never_sent_and_spares_what_was() {
    let mut rig = aging(Some(SECOND), 600 * SECOND);
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "sent", 10, at(0));
    assert_eq!(sequences(&mut rig, c, at(0)), [1]);
    rig.disconnect(c);
    rig.send(p, "unsent", 10, at(0));
    rig.tick(at(5000));
    assert_eq!(rig.edge("c").counts.dropped(DropReason::Expired), 1);
    let c = rig.register("c", 1, at(5000)).unwrap();
    assert_eq!(sequences(&mut rig, c, at(5000)), [1]);
}

#[test]
fn a_set_that_is_not_whole_expires_like_a_packet() {
    let mut rig = aging(Some(SECOND), 600 * SECOND);
    let p = rig.connect("p");
    rig.connect("c");
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(0));
    rig.tick(at(1000));
    assert_eq!(rig.edge("c").queued, 1, "just in time");
    rig.tick(at(1001));
    assert_eq!(rig.edge("c").counts.dropped(DropReason::Expired), 1);
}

#[test]
fn a_set_that_is_not_whole_ends_with_the_state_of_its_step() {
    let mut rig = aging(None, 10 * SECOND);
    let p = rig.connect("p");
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(0));
    rig.tick(at(10_001));
    assert_eq!(rig.edge("c").counts.dropped(DropReason::Evicted), 1);
}

#[test]
fn what_waits_when_the_hub_stops_is_counted_sets_included() {
    let mut rig = aging(None, 600 * SECOND);
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "sent", 10, at(0));
    assert_eq!(sequences(&mut rig, c, at(0)), [1]);
    rig.send(p, "unsent", 10, at(0));
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(0));
    assert_eq!(rig.engine.abandon(), 3);
    let edge = rig.edge("c");
    assert_eq!(edge.counts.dropped(DropReason::Shutdown), 3);
    assert_eq!((edge.queued, edge.in_flight), (0, 0));
}

#[test]
fn the_life_of_a_steps_state_counts_from_its_last_connection() {
    let mut rig = aging(None, 10 * SECOND);
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(0));
    rig.engine.disconnect(c, at(20_000), &mut rig.actions);
    rig.tick(at(29_999));
    assert_eq!(rig.edge("c").queued, 1);
    rig.tick(at(30_000));
    assert_eq!(rig.edge("c").counts.dropped(DropReason::Evicted), 1);
}

#[test]
fn a_drain_is_not_over_before_clients_have_been_told_of_it() {
    let mut rig = aging(None, 600 * SECOND);
    let accepts = Accepts {
        control: true,
        ..Accepts::default()
    };
    let c = rig.connect_as("c", None, accepts);
    assert!(rig.engine.is_flushed(at(1)));
    rig.engine.drain(at(1), &mut rig.actions);
    assert!(!rig.engine.is_flushed(at(1)));
    assert_eq!(rig.take(c, at(2)).len(), 1);
    assert!(rig.engine.is_flushed(at(2)));
}
