//! Who waits for the budget of all queues, and who is woken when there is room again.

use super::guarantee::{ack, kept, sequences};
use super::*;
use crate::route::Guarantee;

const BUDGET: usize = 80_000;
const SIZE: usize = 1_000;

/// Producers `p` and `q` of `c` and `d`, and `full`, whose queue holds one packet, from `r`; `other`
/// holds the budget, from `s`.
fn rig() -> Rig {
    let limits = Limits {
        queue_budget_bytes: BUDGET,
        ..Limits::default()
    };
    let guarantee = Guarantee::default();
    let one = QueueBounds {
        max_messages: 1,
        ..QueueBounds::default()
    };
    let steps = vec![
        step("p"),
        step("q"),
        step("r"),
        step("s"),
        kept("c", guarantee),
        kept("d", guarantee),
        StepPlan {
            queue: one,
            ..kept("full", guarantee)
        },
        step("other"),
    ];
    Rig::new(limits, plan(steps, &[(0, 4), (1, 5), (2, 6), (3, 7)]))
}

/// Takes about one packet.
fn take_one(rig: &mut Rig, conn: ConnId, now: Moment) {
    let mut pieces = Pieces::new();
    rig.engine
        .take(conn, SIZE, now, &mut pieces, &mut rig.actions);
}

#[test]
fn who_waits_for_the_budget_goes_on_once_an_eighth_of_it_is_free_and_nobody_else_is_woken() {
    let mut rig = rig();
    let [p, q, r, s] = ["p", "q", "r", "s"].map(|step| rig.connect(step));
    for from in [p, q, r] {
        assert_eq!(rig.offer(from, &packet("first", 10), at(1)), Taken::Yes);
    }
    assert_eq!(rig.offer(r, &packet("no room", 10), at(1)), Taken::Blocked);
    let other = rig.connect("other");
    while rig.edge("other").counts.dropped(DropReason::Budget) == 0 {
        rig.send(s, "x", SIZE, at(2));
    }
    for from in [p, q] {
        assert_eq!(rig.offer(from, &packet("2", SIZE), at(3)), Taken::Blocked);
    }
    let mut woken = Vec::new();
    while woken.is_empty() {
        let held = rig.engine.snapshot().queued_bytes;
        take_one(&mut rig, other, at(4));
        let now = rig.engine.snapshot().queued_bytes;
        assert!(now < held, "something must be given back");
        woken = rig.actions.resume.drain(..).collect();
        assert_eq!(woken.is_empty(), now > BUDGET / 8 * 7, "{now}");
    }
    assert_eq!(woken, [p, q], "r waits for its target");
    assert_eq!(rig.offer(p, &packet("2", SIZE), at(5)), Taken::Yes);
    take_one(&mut rig, other, at(6));
    assert!(rig.actions.resume.is_empty());
}

#[test]
fn what_expires_gives_the_budget_back() {
    let mut rig = rig();
    let (p, s) = (rig.connect("p"), rig.connect("s"));
    assert_eq!(rig.offer(p, &packet("first", 10), at(1)), Taken::Yes);
    while rig.edge("other").counts.dropped(DropReason::Budget) == 0 {
        rig.send(s, "x", SIZE, at(2));
    }
    assert_eq!(rig.offer(p, &packet("2", SIZE), at(3)), Taken::Blocked);
    rig.tick(at(60_000));
    assert_eq!(rig.actions.resume[..], [p], "nobody was there to take it");
}

#[test]
fn what_leaves_any_queue_lets_those_go_on_who_wait_for_the_budget() {
    let limits = Limits {
        queue_budget_bytes: 5000,
        ..Limits::default()
    };
    let steps = vec![
        step("p"),
        step("q"),
        kept("c", Guarantee::default()),
        step("d"),
    ];
    let mut rig = Rig::new(limits, plan(steps, &[(0, 2), (1, 3)]));
    let (p, q, d) = (rig.connect("p"), rig.connect("q"), rig.connect("d"));
    rig.send(p, "1", 10, at(1));
    rig.send(q, "large", 4700, at(1));
    assert_eq!(rig.offer(p, &packet("2", 100), at(2)), Taken::Blocked);
    assert_eq!(rig.labels(d, at(3)), ["large"]);
    assert_eq!(rig.actions.resume[..], [p]);
    assert_eq!(rig.offer(p, &packet("2", 100), at(4)), Taken::Yes);
}

#[test]
fn the_budget_of_all_queues_blocks_and_lets_go_on() {
    let limits = Limits {
        queue_budget_bytes: 5000,
        ..Limits::default()
    };
    let steps = vec![step("p"), kept("c", Guarantee::default())];
    let mut rig = Rig::new(limits, plan(steps, &[(0, 1)]));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    assert_eq!(rig.offer(p, &packet("1", 4000), at(1)), Taken::Yes);
    assert_eq!(rig.offer(p, &packet("2", 4000), at(2)), Taken::Blocked);
    assert_eq!(sequences(&mut rig, c, at(3)), [1]);
    rig.actions.resume.clear();
    rig.flow(c, &ack(1), at(4));
    assert_eq!(rig.actions.resume[..], [p]);
    assert_eq!(rig.offer(p, &packet("2", 4000), at(5)), Taken::Yes);
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
