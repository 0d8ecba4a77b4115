//! What people are told, and how seldom.

use super::guarantee::{kept, pair};
use super::*;
use crate::route::{Guarantee, Overflow};

/// What a report at `now` tells, as short lines.
fn told(rig: &mut Rig, now: Moment) -> Vec<String> {
    rig.engine.report(now, &mut rig.actions);
    let events = rig.actions.events.drain(..);
    events.map(|event| line(&event)).collect()
}

fn line(event: &Event) -> String {
    let edge = |edge: &EdgeName| format!("{}->{}", edge.from, edge.to);
    match event {
        Event::RunEnded(run) => format!("ended {}", run.run),
        Event::RunReady(run) => format!("ready {}/{}", run.namespace, run.run),
        Event::RunDegraded { step, away, .. } => format!("degraded {step} {away:?}"),
        Event::Expired { step, packets, .. } => format!("expired {step} {packets}"),
        Event::DeadLettered { edge: at, .. } => format!("letter {}", edge(at)),
        Event::DeadLetters {
            edge: at,
            reason,
            packets,
        } => format!("letters {} {} {packets}", edge(at), reason.as_str()),
        Event::Dropped {
            edge: at,
            reason,
            packets,
            ..
        } => format!("dropped {} {} {packets}", edge(at), reason.as_str()),
        Event::Paused(at) => format!("paused {}", edge(at)),
        Event::Resumed { edge: at, pauses } => format!("resumed {} {pauses}", edge(at)),
    }
}

#[test]
fn a_run_is_ready_once_when_all_its_engrams_are_connected() {
    let primitive = StepPlan {
        kind: StepKind::Primitive,
        ..step("gate")
    };
    let steps = vec![step("a"), primitive, step("b")];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1), (1, 2)]));
    let a = rig.connect("a");
    rig.disconnect(a);
    rig.connect("b");
    assert_eq!(told(&mut rig, at(1)), [""; 0]);
    let a = rig.connect("a");
    assert_eq!(told(&mut rig, at(2)), ["ready ns/r"]);
    rig.disconnect(a);
    rig.connect("a");
    assert_eq!(told(&mut rig, at(3)), [""; 0], "once a run");
}

#[test]
fn a_run_is_degraded_once_a_step_has_been_away_for_longer_than_it_may() {
    let patient = StepPlan {
        degraded_after: 60 * SECOND,
        ..step("patient")
    };
    let steps = vec![step("a"), patient, step("never here")];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1), (1, 2)]));
    for step in ["a", "patient"] {
        let conn = rig.connect(step);
        rig.disconnect(conn);
    }
    assert_eq!(told(&mut rig, at(29_999)), [""; 0]);
    assert_eq!(told(&mut rig, at(30_000)), ["degraded a 30s"]);
    assert_eq!(told(&mut rig, at(59_999)), [""; 0], "once an absence");
    let a = rig.connect("a");
    assert_eq!(told(&mut rig, at(60_000)), ["degraded patient 60s"]);
    rig.disconnect(a);
    assert_eq!(told(&mut rig, at(90_000)), ["degraded a 90s"]);
    let a = rig.connect("a");
    rig.engine.drain(at(90_000), &mut rig.actions);
    rig.disconnect(a);
    assert_eq!(
        told(&mut rig, at(900_000)),
        [""; 0],
        "a drain sends all away"
    );
}

#[test]
fn drops_are_told_by_edge_and_reason_once_in_ten_seconds() {
    let mut rig = Rig::fan_out(vec![bounds(1, usize::MAX), QueueBounds::default()]);
    let src = rig.connect("src");
    for n in 0..4 {
        rig.send(src, "x", 10, at(n));
    }
    assert_eq!(
        told(&mut rig, at(10)),
        ["dropped src->sink0 lane_full 3"],
        "the sibling lost nothing"
    );
    rig.send(src, "x", 10, at(20));
    assert_eq!(told(&mut rig, at(1000)), [""; 0]);
    assert_eq!(
        told(&mut rig, at(10_010)),
        ["dropped src->sink0 lane_full 1"]
    );
    assert_eq!(told(&mut rig, at(30_000)), [""; 0], "nothing new");
}

#[test]
fn a_flood_of_dead_letters_is_told_by_count_beyond_the_first() {
    let guarantee = Guarantee {
        overflow: Overflow::DeadLetter,
        ..Guarantee::default()
    };
    let mut rig = pair(guarantee, bounds(1, usize::MAX));
    let p = rig.connect("p");
    for n in 0..51 {
        rig.send(p, "x", 10, at(n));
    }
    let lines = told(&mut rig, at(100));
    assert_eq!(lines[..20], ["letter p->c"; 20]);
    assert_eq!(
        lines[20..],
        ["letters p->c lane_full 30", "dropped p->c lane_full 50"]
    );
    rig.send(p, "x", 10, at(200));
    assert_eq!(told(&mut rig, at(300)), ["letter p->c"]);
}

#[test]
fn one_report_is_bounded_and_the_next_one_tells_the_rest() {
    let mut engine = Engine::new(Limits::default(), "e1");
    for run in 0..300 {
        let steps = vec![
            step("src"),
            StepPlan {
                queue: bounds(1, usize::MAX),
                ..step("sink")
            },
        ];
        let plan = RunPlan {
            name: format!("r{run}").into(),
            ..plan(steps, &[(0, 1)])
        };
        engine.attach(plan).unwrap();
        engine.runs[run].edges[0]
            .counts
            .drop_one(DropReason::LaneFull);
    }
    let mut rig = Rig {
        engine,
        actions: Actions::default(),
        offers: 0,
    };
    assert_eq!(told(&mut rig, at(10)).len(), 256);
    assert_eq!(told(&mut rig, at(20)).len(), 44);
    assert_eq!(told(&mut rig, at(30)), [""; 0]);
}

#[test]
fn a_producer_that_waits_is_told_with_the_step_it_waits_for() {
    let slow = StepPlan {
        queue: bounds(2, usize::MAX),
        ..kept("slow", Guarantee::default())
    };
    let steps = vec![step("p"), slow, step("quick")];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1), (0, 2)]));
    let p = rig.connect("p");
    rig.send(p, "1", 10, at(1));
    rig.send(p, "2", 10, at(2));
    assert_eq!(rig.offer(p, &packet("3", 10), at(3)), Taken::Blocked);
    assert_eq!(told(&mut rig, at(10)), ["paused p->slow"]);
    assert_eq!(told(&mut rig, at(20)), [""; 0], "told once");
    let (slow, quick) = (rig.edge("slow"), rig.edge("quick"));
    assert_eq!(slow.culprit.as_deref(), Some("slow"));
    assert!(slow.paused && !quick.paused);
    assert_eq!(quick.culprit.as_deref(), Some("slow"), "held up likewise");

    let c = rig.connect("slow");
    rig.actions.events.clear();
    assert_eq!(rig.take(c, at(30)).len(), 2);
    assert_eq!(told(&mut rig, at(40)), ["resumed p->slow 1"]);
    assert_eq!(rig.edge("quick").culprit, None);
}

#[test]
fn a_producer_that_was_signalled_to_pause_counts_as_waiting() {
    let mut rig = pair(Guarantee::default(), bounds(10, usize::MAX));
    let accepts = Accepts {
        pause: true,
        ..Accepts::default()
    };
    let p = rig.connect_as("p", None, accepts);
    for n in 0..9 {
        rig.send(p, "x", 10, at(n));
    }
    assert_eq!(told(&mut rig, at(10)), ["paused p->c"]);
    rig.disconnect(p);
    assert_eq!(told(&mut rig, at(11)), ["resumed p->c 1"]);
}

#[test]
fn pauses_between_two_reports_are_told_but_not_each_time() {
    let mut rig = pair(Guarantee::default(), bounds(2, usize::MAX));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.actions.events.clear();
    let mut receipted = 0;
    for millis in [1, 3, 5, 20] {
        if millis == 20 {
            let lines = told(&mut rig, at(10));
            assert_eq!(lines, ["paused p->c", "resumed p->c 3"]);
        }
        while rig.offer(p, &packet("x", 10), at(millis)) == Taken::Yes {}
        receipted += rig.take(c, at(millis)).len() as u64;
        let ack = Flow {
            ack: receipted,
            ..Flow::default()
        };
        rig.flow(c, &ack, at(millis + 1));
    }
    assert_eq!(told(&mut rig, at(1000)), [""; 0]);
    let lines = told(&mut rig, at(10_010));
    assert_eq!(lines, ["paused p->c", "resumed p->c 1"]);
}
