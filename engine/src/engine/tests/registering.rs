//! Who may register, and what a reconnect finds.

use super::*;

#[test]
fn an_unknown_run_or_step_is_refused_with_what_is_known() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let generation = Generation::new(1).unwrap();
    let who = Registration {
        namespace: "ns",
        run: "x",
        step: "src",
        generation,
        producer_epoch: None,
        accepts: Accepts::default(),
    };
    let refusal = rig
        .engine
        .register(who, at(0), &mut rig.actions)
        .unwrap_err();
    assert!(refusal.to_string().contains("known: ns/r"), "{refusal}");
    let refusal = rig.register("sorce", 1, at(0)).unwrap_err();
    assert!(
        refusal.to_string().contains("known: src, sink0"),
        "{refusal}"
    );
}

#[test]
fn nobody_registers_as_a_primitive() {
    let primitive = StepPlan {
        kind: StepKind::Primitive,
        ..step("gate")
    };
    let mut rig = Rig::new(
        Limits::default(),
        plan(vec![step("src"), primitive], &[(0, 1)]),
    );
    assert!(matches!(
        rig.register("gate", 1, at(0)),
        Err(Refusal::Primitive { .. })
    ));
}

#[test]
fn the_stream_cap_refuses_newcomers_and_not_reconnects() {
    let limits = Limits {
        max_streams: 1,
        ..Limits::default()
    };
    let mut rig = Rig::new(limits, plan(vec![step("a"), step("b")], &[(0, 1)]));
    rig.connect("a");
    assert!(matches!(
        rig.register("b", 1, at(0)),
        Err(Refusal::StreamCap { limit: 1 })
    ));
    rig.register("a", 1, at(0)).unwrap();
}

#[test]
fn the_same_generation_replaces_and_the_old_connection_changes_nothing() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let (old, sink) = (rig.connect("src"), rig.connect("sink0"));
    let new = rig.register("src", 1, at(1)).unwrap();
    assert_eq!(
        rig.actions.superseded.as_slice(),
        [(old, Generation::new(1).unwrap())]
    );
    rig.send(old, "stale", 10, at(2));
    rig.disconnect(old);
    rig.send(new, "fresh", 10, at(3));
    assert_eq!(rig.labels(sink, at(3)), ["fresh"]);
    assert_eq!(
        rig.engine.snapshot().refused.get(RefuseReason::Superseded),
        1
    );
    assert_eq!(
        rig.engine.snapshot().streams,
        2,
        "the old connection's end frees nothing twice"
    );
}

#[test]
fn a_lower_generation_is_refused_and_the_owner_stays() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let sink = rig.connect("sink0");
    let src = rig.register("src", 5, at(0)).unwrap();
    let refusal = rig.register("src", 4, at(1)).unwrap_err();
    assert_eq!(refusal.to_string(), "superseded by generation 5");
    rig.send(src, "a", 10, at(2));
    assert_eq!(rig.labels(sink, at(2)), ["a"]);
}

#[test]
fn a_higher_generation_takes_over_and_gets_what_waits() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let (src, old) = (rig.connect("src"), rig.connect("sink0"));
    rig.send(src, "a", 10, at(0));
    rig.actions.wake.clear();
    let new = rig.register("sink0", 2, at(1)).unwrap();
    assert_eq!(rig.actions.wake.as_slice(), [new]);
    assert_eq!(rig.labels(old, at(1)), Vec::<String>::new());
    assert_eq!(rig.labels(new, at(1)), ["a"]);
}

#[test]
fn two_clients_that_evict_each_other_are_damped() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    rig.connect("src");
    let mut owner = None;
    for n in 0..3 {
        owner = rig.register("src", 1, at(n)).ok();
    }
    match rig.register("src", 1, at(4)) {
        Err(Refusal::Duel { owner: stays, .. }) => assert_eq!(Some(stays), owner),
        other => panic!("{other:?}"),
    }
}

fn chain() -> Rig {
    let steps = ["src", "middle", "sink"].map(step);
    Rig::new(Limits::default(), plan(steps.to_vec(), &[(0, 1), (1, 2)]))
}

#[test]
fn output_may_trail_that_engrams_on_the_connector_contract_do_not_number() {
    for (step, epoch, contract, may) in [
        ("middle", None, Contract::Connector, true),
        ("middle", Some("e"), Contract::Connector, false),
        ("middle", None, Contract::Process, false),
        ("src", None, Contract::Connector, false),
        ("sink", None, Contract::Connector, false),
    ] {
        let mut rig = chain();
        assert!(!rig.engine.may_trail());
        let conn = rig.connect_on(contract, step, epoch);
        assert_eq!(rig.engine.may_trail(), may, "{step} {epoch:?} {contract:?}");
        rig.disconnect(conn);
        assert!(!rig.engine.may_trail());
    }
}

#[test]
fn a_draining_hub_takes_what_engrams_make_of_packets_that_are_on_their_way() {
    let mut rig = chain();
    let (src, middle) = (rig.connect("src"), rig.connect("middle"));
    let sink = rig.connect("sink");
    rig.engine.drain(at(0), &mut rig.actions);
    rig.send(src, "new", 10, at(0));
    rig.send(middle, "made", 10, at(0));
    assert_eq!(rig.labels(sink, at(0)), ["made"]);
    assert_eq!(rig.engine.snapshot().refused.get(RefuseReason::Shutdown), 1);
}

#[test]
fn a_draining_hub_takes_no_streams_and_no_packets() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let (src, _sink) = (rig.connect("src"), rig.connect("sink0"));
    rig.send(src, "before", 10, at(0));
    rig.engine.drain(at(0), &mut rig.actions);
    rig.send(src, "after", 10, at(0));
    assert_eq!(rig.register("src", 1, at(1)), Err(Refusal::Draining));
    assert_eq!(rig.edge("sink0").queued, 1);
    assert!(!rig.engine.is_flushed(at(0)));
    assert_eq!(rig.engine.abandon(), 1);
    assert_eq!(rig.edge("sink0").counts.dropped(DropReason::Shutdown), 1);
    assert_eq!(rig.engine.snapshot().refused.get(RefuseReason::Shutdown), 1);
}

use crate::account::{DropReason, RefuseReason};
