//! Who waits for the budget of all queues, and who is woken when there is room again.

use super::guarantee::kept;
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
