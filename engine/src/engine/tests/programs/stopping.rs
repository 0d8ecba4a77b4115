use super::*;
use crate::account::RefuseReason;
use crate::route::EmitPrograms;

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
