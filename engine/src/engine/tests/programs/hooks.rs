use super::*;
use crate::route::HookPlan;

/// Engrams `a` and `b`; b wants to hear when somebody is there, and when all are.
fn listening(test: &str) -> Rig {
    let hooks = HookPlan {
        programs: Arc::new(EdgePrograms {
            condition: Some(condition(test)),
            inputs: InputsPlan::PerPacket(block(r#"{"of": "{{ packet.hook.data.step.name }}"}"#)),
            ..EdgePrograms::default()
        }),
        step_ready: test.contains("steprun.ready"),
        run_ready: test.contains("storyrun.ready"),
    };
    let b = StepPlan {
        hooks: Some(hooks),
        ..step("b")
    };
    Rig::new(Limits::default(), plan(vec![step("a"), b], &[(0, 1)]))
}

const RUN: &str = r#"{{ eq (default "" packet.type) "storyrun.ready" }}"#;
const STEP: &str = r#"{{ eq (default "" packet.type) "steprun.ready" }}"#;

#[test]
fn whoever_asks_hears_when_all_engrams_are_there_and_only_once() {
    let mut rig = listening(RUN);
    let b = rig.connect("b");
    assert!(rig.take(b, at(1)).is_empty());
    let a = rig.connect("a");
    let hooks = rig.take(b, at(1));
    assert_eq!(hooks.len(), 1);
    assert_eq!(metadata(&hooks[0], "kind").unwrap(), "hook");
    assert_eq!(metadata(&hooks[0], "type").unwrap(), "storyrun.ready");
    assert_eq!(metadata(&hooks[0], "current-step-id").unwrap(), "b");
    let id = metadata(&hooks[0], "bubu.envelope.message_id").unwrap();
    assert_eq!(id, "ns/r:storyrun.ready:a");
    assert_eq!(inputs(&hooks[0]), r#"{"of":"a"}"#);
    let said = payload(&hooks[0]);
    assert!(
        said.contains(r#""timestamp":"1970-01-01T00:00:00.000000000Z""#),
        "{said}"
    );
    rig.disconnect(a);
    rig.connect("a");
    assert!(rig.take(b, at(1)).is_empty());
    assert!(rig.take(a, at(1)).is_empty());
}

#[test]
fn the_first_registration_of_each_step_is_told_and_waits_for_who_asks() {
    let mut rig = listening(STEP);
    let a = rig.connect("a");
    rig.disconnect(a);
    rig.connect("a");
    let b = rig.connect("b");
    let told: Vec<_> = rig.take(b, at(1)).iter().map(inputs).collect();
    assert_eq!(told, [r#"{"of":"a"}"#, r#"{"of":"b"}"#]);
}

#[test]
fn a_hook_is_on_no_account() {
    let mut rig = listening(STEP);
    rig.connect("a");
    rig.connect("b");
    assert_eq!(rig.edge("b").counts.accepted, 0);
}

#[test]
fn hooks_for_a_step_that_does_not_come_are_bounded() {
    let hooks = HookPlan {
        programs: Arc::new(EdgePrograms::default()),
        step_ready: true,
        run_ready: true,
    };
    let absent = StepPlan {
        hooks: Some(hooks),
        ..step("absent")
    };
    let mut steps = vec![absent];
    steps.extend((0..1_020).map(|n| step(&n.to_string())));
    let mut rig = Rig::new(Limits::default(), plan(steps, &[]));
    for n in 0..1_000 {
        rig.connect(&n.to_string());
    }
    let absent = rig.connect("absent");
    let wire = rig.wire(absent, at(1));
    assert!(wire.len() <= 256 * 1024, "{} bytes", wire.len());
    let told = packets(&wire);
    assert!((300..1_000).contains(&told.len()), "{} hooks", told.len());
    assert_eq!(metadata(&told[0], "hook.step").unwrap(), "0");
    for n in 1_000..1_010 {
        rig.connect(&n.to_string());
    }
    assert_eq!(rig.take(absent, at(1)).len(), 10, "there is room again");
}

#[test]
fn a_run_that_drains_waits_for_its_hooks_to_be_taken_and_for_no_absent_step() {
    let mut rig = listening(STEP);
    rig.connect("a");
    assert!(rig.engine.is_flushed(at(1)), "b is not there to take them");
    let b = rig.connect("b");
    assert!(!rig.engine.is_flushed(at(1)));
    assert_eq!(rig.take(b, at(1)).len(), 2);
    assert!(rig.engine.is_flushed(at(1)));
}

#[test]
fn a_step_hears_of_what_it_asks_for_only_and_is_woken_for_it() {
    let hooks = HookPlan {
        programs: Arc::new(EdgePrograms::default()),
        step_ready: false,
        run_ready: true,
    };
    let a = StepPlan {
        hooks: Some(hooks),
        ..step("a")
    };
    let mut rig = Rig::new(Limits::default(), plan(vec![a, step("b")], &[]));
    let a = rig.connect("a");
    assert!(rig.take(a, at(1)).is_empty());
    rig.actions.wake.clear();
    rig.connect("b");
    assert_eq!(rig.actions.wake.to_vec(), [a]);
    let told = rig.take(a, at(1));
    assert_eq!(told.len(), 1);
    assert_eq!(metadata(&told[0], "type").unwrap(), "storyrun.ready");
}
