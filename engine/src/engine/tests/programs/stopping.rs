use super::*;
use crate::account::RefuseReason;
use crate::route::{Credits, EmitPrograms, FlowPlan};

/// A source whose packets that say `bye` end the run, and a sink.
fn stopping(sink: StepPlan) -> Rig {
    let stop = Primitive {
        id: "end".into(),
        condition: Some(condition(r#"{{ eq packet.metadata.n "bye" }}"#)),
        does: PrimitivePlan::Pass,
    };
    let emits = EmitPrograms {
        stops: vec![vec![stop]],
        ..EmitPrograms::default()
    };
    let src = StepPlan {
        emits: Some(Arc::new(emits)),
        ..step("src")
    };
    Rig::new(Limits::default(), plan(vec![src, sink], &[(0, 1)]))
}

fn ended(rig: &Rig) -> bool {
    let is_it = |event: &Event| matches!(event, Event::RunEnded(_));
    rig.actions.events.iter().any(is_it)
}

#[test]
fn a_stop_ends_the_run_once_what_waits_is_sent() {
    let mut rig = stopping(step("sink"));
    let (src, sink) = (rig.connect("src"), rig.connect("sink"));
    rig.send(src, "1", 10, at(1));
    rig.send(src, "bye", 10, at(1));
    rig.send(src, "2", 10, at(1));
    assert!(rig.actions.over.is_empty() && !ended(&rig));
    assert_eq!(rig.labels(sink, at(2)), ["1", "bye"]);
    rig.tick(at(40));
    assert!(ended(&rig));
    assert_eq!(rig.actions.over.to_vec(), [src, sink]);
    let refused = rig.engine.snapshot().refused;
    assert_eq!(refused.get(RefuseReason::Ended), 1);
}

#[test]
fn a_consumer_that_takes_nothing_is_waited_for_so_long_only() {
    let kept = StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("sink")
    };
    let mut rig = stopping(kept);
    let src = rig.connect("src");
    rig.connect("sink");
    rig.send(src, "bye", 10, at(1));
    rig.tick(at(29_000));
    assert!(!ended(&rig));
    rig.tick(at(30_001));
    assert!(ended(&rig));
    assert_eq!(rig.edge("sink").counts.dropped(DropReason::Shutdown), 1);
}

#[test]
fn whoever_comes_to_a_run_that_has_ended_is_told_so_for_an_hour() {
    let mut rig = stopping(step("sink"));
    let src = rig.connect("src");
    rig.send(src, "bye", 10, at(1));
    let refused = rig.register("sink", 1, at(2)).unwrap_err();
    assert!(matches!(refused, Refusal::RunEnded { .. }), "{refused}");
    let hour = 3_600_000;
    let refused = rig.register("sink", 1, at(hour)).unwrap_err();
    assert!(matches!(refused, Refusal::RunEnded { .. }), "{refused}");
    let refused = rig.register("sink", 1, at(hour + 1)).unwrap_err();
    assert!(matches!(refused, Refusal::UnknownRun { .. }), "{refused}");
}

#[test]
fn a_source_that_feeds_nobody_may_still_end_the_run() {
    let stop = Primitive {
        id: "end".into(),
        condition: None,
        does: PrimitivePlan::Pass,
    };
    let emits = EmitPrograms {
        stops: vec![vec![stop]],
        ..EmitPrograms::default()
    };
    let src = StepPlan {
        emits: Some(Arc::new(emits)),
        ..step("src")
    };
    let mut rig = Rig::new(Limits::default(), plan(vec![src], &[]));
    let src = rig.connect("src");
    rig.send(src, "1", 10, at(1));
    assert!(ended(&rig));
}

#[test]
fn producers_hear_what_is_settled_before_their_run_is_over() {
    let kept = StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("sink")
    };
    let mut rig = stopping(kept);
    let (src, sink) = (rig.connect_numbering("src", "e1"), rig.connect("sink"));
    rig.send_packet(src, &numbered(&packet("bye", 10), 1), at(1));
    let got = rig.take(sink, at(2)).remove(0);
    let (stream, sequence) = guarantee::identity(&got);
    rig.receipt(sink, &stream, sequence, at(2));
    rig.actions.wake.clear();
    rig.tick(at(22));
    assert!(!ended(&rig), "its producer does not know yet");
    assert!(rig.actions.wake.contains(&src));
    let said = rig.wire(src, at(23));
    let flow = parse_process(messages(&said)[0]).unwrap().flow.unwrap();
    assert_eq!(flow.ack, 1);
    rig.tick(at(43));
    assert!(ended(&rig));
}

#[test]
fn what_a_run_held_of_the_budget_is_free_for_others_when_it_is_over() {
    let limits = Limits {
        queue_budget_bytes: 3_000,
        ..Limits::default()
    };
    let kept = || StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("sink")
    };
    let mut rig = Rig::new(limits, plan(vec![step("src"), kept()], &[(0, 1)]));
    let other = RunPlan {
        name: "other".into(),
        ..plan(vec![step("src"), kept()], &[(0, 1)])
    };
    let other = rig.engine.attach(other).unwrap();
    let who = Registration {
        namespace: "ns",
        run: "other",
        step: "src",
        generation: Generation::FIRST,
        producer_epoch: None,
        accepts: Accepts::default(),
    };
    let hog = rig.engine.register(who, at(0), &mut rig.actions).unwrap();
    let src = rig.connect("src");
    rig.send(src, "1", 10, at(1));
    rig.send(hog, "all", 2_600, at(1));
    assert_eq!(rig.offer(src, &packet("2", 500), at(1)), Taken::Blocked);
    rig.engine.end_run(other, at(2), &mut rig.actions);
    assert_eq!(rig.actions.resume.to_vec(), [src]);
    rig.send(src, "2", 500, at(2));
}

#[test]
fn a_run_ends_once() {
    let mut rig = stopping(step("sink"));
    rig.connect("src");
    for n in 1..3 {
        rig.engine.end_run(RunId(0), at(n), &mut rig.actions);
        rig.tick(at(n));
    }
    let is_it = |event: &&Event| matches!(event, Event::RunEnded(_));
    assert_eq!(rig.actions.events.iter().filter(is_it).count(), 1);
}

#[test]
fn what_is_sent_and_not_receipted_is_waited_for() {
    let kept = StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("sink")
    };
    let mut rig = stopping(kept);
    let (src, sink) = (rig.connect("src"), rig.connect("sink"));
    rig.send(src, "bye", 10, at(1));
    let got = rig.take(sink, at(2)).remove(0);
    rig.tick(at(1_000));
    assert!(!ended(&rig));
    assert_eq!(
        rig.engine.next_deadline(),
        Some(at(1_020)),
        "looked after soon"
    );
    let (stream, sequence) = guarantee::identity(&got);
    rig.receipt(sink, &stream, sequence, at(1_001));
    rig.tick(at(1_020));
    assert!(ended(&rig));
}

#[test]
fn what_credits_hold_back_is_waited_for() {
    let slow = StepPlan {
        flow: FlowPlan {
            grant: Credits {
                messages: 1,
                bytes: 1 << 20,
            },
            ..FlowPlan::default()
        },
        ..step("sink")
    };
    let mut rig = stopping(slow);
    let (src, sink) = (rig.connect("src"), rig.connect("sink"));
    let returned = Flow {
        credits_messages: 1,
        ..Flow::default()
    };
    rig.flow(sink, &returned, at(1));
    rig.send(src, "1", 10, at(1));
    rig.send(src, "bye", 10, at(1));
    assert_eq!(rig.labels(sink, at(2)), ["1"]);
    rig.tick(at(22));
    assert!(!ended(&rig));
    rig.flow(sink, &returned, at(23));
    assert_eq!(rig.labels(sink, at(23)), ["bye"]);
    rig.tick(at(43));
    assert!(ended(&rig));
}

#[test]
fn of_payloads_in_chunks_nothing_is_left_when_their_run_is_over() {
    let kept = StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("sink")
    };
    let mut rig = stopping(kept);
    let src = rig.connect("src");
    rig.send_packet(src, &chunk("x", 0, 2, 0), at(1));
    rig.engine.end_run(RunId(0), at(2), &mut rig.actions);
    assert!(ended(&rig));
    assert_eq!(rig.edge("sink").counts.dropped(DropReason::Shutdown), 1);
    assert_eq!(rig.open_sets("src"), 0);
}

#[test]
fn what_a_payload_says_may_end_the_run() {
    let stop = Primitive {
        id: "end".into(),
        condition: Some(condition(r#"{{ eq packet.text "bye" }}"#)),
        does: PrimitivePlan::Pass,
    };
    let emits = EmitPrograms {
        stops: vec![vec![stop]],
        ..EmitPrograms::default()
    };
    let src = StepPlan {
        emits: Some(Arc::new(emits)),
        ..step("src")
    };
    let mut rig = Rig::new(Limits::default(), plan(vec![src], &[]));
    let src = rig.connect("src");
    rig.send_packet(src, &saying("1", r#"{"text": "hi"}"#), at(1));
    assert!(!ended(&rig));
    rig.send_packet(src, &saying("2", r#"{"text": "bye"}"#), at(1));
    assert!(ended(&rig));
}
