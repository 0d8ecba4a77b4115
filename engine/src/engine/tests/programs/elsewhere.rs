use super::*;
use crate::route::{EmitPrograms, FanInPlan};

/// A payload of more than 64 KiB.
fn large(label: &str) -> Bytes {
    let text = format!(r#"{{"text": "hi", "rest": "{}"}}"#, "x".repeat(70_000));
    saying(label, &text)
}

fn reading() -> Rig {
    rig(vec![given(r#"{"t": "{{ packet.text }}"}"#)])
}

#[test]
fn a_large_packet_is_decided_elsewhere_and_comes_before_what_follows_it() {
    let mut rig = reading();
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    assert_eq!(rig.actions.jobs.len(), 1, "decided once");
    let job = rig.actions.jobs.remove(0);
    let ticket = job.ticket();
    rig.engine
        .decided(ticket, (job.run().unwrap(), SECOND), &mut rig.actions);
    assert_eq!(rig.actions.resume.to_vec(), [src]);
    rig.send_packet(src, &large("1"), at(2));
    rig.send_packet(src, &saying("2", r#"{"text": "ho"}"#), at(2));
    let got = rig.take(a, at(2));
    assert_eq!(got.iter().map(label).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(inputs(&got[0]), r#"{"t":"hi"}"#);
    assert_eq!(inputs(&got[1]), r#"{"t":"ho"}"#);
}

#[test]
fn a_large_packet_of_which_only_metadata_is_read_stays_here() {
    let mut rig = rig(vec![only_if(r#"{{ eq packet.metadata.n "1" }}"#)]);
    let src = rig.connect("src");
    rig.send_packet(src, &large("1"), at(1));
    assert_eq!(rig.edge("a").queued, 1);
}

#[test]
fn a_decision_for_a_connection_that_is_gone_changes_nothing() {
    let mut rig = reading();
    let src = rig.connect("src");
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    let job = rig.actions.jobs.remove(0);
    rig.disconnect(src);
    let src = rig.connect("src");
    let ticket = job.ticket();
    rig.engine
        .decided(ticket, (job.run().unwrap(), SECOND), &mut rig.actions);
    rig.send_packet(src, &saying("2", r#"{"text": "ho"}"#), at(2));
    let a = rig.connect("a");
    assert_eq!(inputs(&rig.take(a, at(2))[0]), r#"{"t":"ho"}"#);
}

#[test]
fn a_packet_that_waits_for_room_is_decided_once() {
    let kept = StepPlan {
        queue: bounds(1, 1 << 20),
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("a")
    };
    let mut rig = rig_of(vec![(kept, given(r#"{"at": "{{ now | unixEpoch }}"}"#))]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send(src, "1", 10, at(0));
    assert_eq!(rig.offer(src, &packet("2", 10), at(5_000)), Taken::Blocked);
    let first = rig.take(a, at(5_000)).remove(0);
    assert_eq!(inputs(&first), r#"{"at":"0"}"#);
    let (stream, _) = guarantee::identity(&first);
    rig.receipt(a, &stream, 1, at(9_000));
    rig.send(src, "2", 10, at(9_000));
    assert_eq!(inputs(&rig.take(a, at(9_000))[0]), r#"{"at":"5"}"#);
}

#[test]
fn a_decision_on_a_packet_that_an_interrupt_ended_is_for_no_other() {
    let mut rig = reading();
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    let job = rig.actions.jobs.remove(0);
    let ticket = job.ticket();
    let turn_of = |turn: &str, packet: Bytes| {
        let mut out = BytesMut::from(&packet[..]);
        put_metadata(&mut out, Dialect::Packet, "bubu.turn", turn);
        out.freeze()
    };
    rig.interrupt(a, None, at(2));
    // It is of the first turn by name, and offered before its decision is there, or after.
    rig.send_packet(src, &turn_of("1", large("1")), at(2));
    rig.engine
        .decided(ticket, (job.run().unwrap(), SECOND), &mut rig.actions);
    rig.send_packet(src, &saying("2", r#"{"text": "ho"}"#), at(3));
    let got = rig.take(a, at(3));
    assert_eq!(got.iter().map(label).collect::<Vec<_>>(), ["2"]);
    assert_eq!(inputs(&got[0]), r#"{"t":"ho"}"#);
}

#[test]
fn a_large_envelope_that_gets_other_inputs_is_rewritten_elsewhere() {
    let once = Inputs {
        body: body(r#"{"p": 1}"#),
        json: Bytes::from_static(br#"{"p":1}"#),
    };
    let mut rig = rig(vec![EdgePrograms {
        inputs: InputsPlan::Once(once),
        ..EdgePrograms::default()
    }]);
    let src = rig.connect("src");
    let kind = "application/vnd.bubu.packet+json";
    let text = format!(r#"{{"payload":{{"x":"{}"}}}}"#, "x".repeat(70_000));
    assert_eq!(rig.offer(src, &framed(kind, &text), at(1)), Taken::Blocked);
    assert_eq!(rig.actions.jobs.len(), 1);
    let media = framed("application/octet-stream", &text);
    let other = rig.connect("a");
    assert!(rig.take(other, at(1)).is_empty());
    rig.disconnect(src);
    let src = rig.connect("src");
    assert_eq!(rig.offer(src, &media, at(1)), Taken::Yes);
}

fn of_id(id: &str, packet: &Bytes) -> Bytes {
    let mut out = BytesMut::from(&packet[..]);
    put_metadata(&mut out, Dialect::Packet, "bubu.join.key", id);
    out.freeze()
}

pub(super) fn answer(rig: &mut Rig) {
    let job = rig.actions.jobs.remove(0);
    let decided = (job.run().unwrap(), SECOND);
    rig.engine.decided(job.ticket(), decided, &mut rig.actions);
}

/// How many packets of `step` were decided.
fn decisions(rig: &Rig, step: &str) -> u64 {
    let sessions = rig.engine.snapshot().sessions;
    let session = sessions.iter().find(|s| &*s.step == step).unwrap();
    let measured = session.measured.as_ref().unwrap();
    measured.evaluate.buckets().iter().map(|b| b.count).sum()
}

#[test]
fn large_packets_that_meet_each_other_are_decided_elsewhere_again() {
    let mut rig = joins::joining(FanInPlan::default(), step("sink"), joins::both());
    let (a, b, sink) = (rig.connect("a"), rig.connect("b"), rig.connect("sink"));
    let said = |x: &str| {
        let text = format!(r#"{{"x": "{x}", "rest": "{}"}}"#, "x".repeat(70_000));
        of_id("1", &saying(x, &text))
    };
    for (conn, x) in [(a, "a1"), (b, "b1")] {
        assert_eq!(rig.offer(conn, &said(x), at(1)), Taken::Blocked);
    }
    answer(&mut rig);
    answer(&mut rig);
    rig.send_packet(a, &said("a1"), at(2));
    assert_eq!(
        rig.offer(b, &said("b1"), at(2)),
        Taken::Blocked,
        "it meets what was not there"
    );
    answer(&mut rig);
    rig.send_packet(b, &said("b1"), at(3));
    let got = rig.take(sink, at(3));
    assert_eq!(inputs(&got[0]), r#"{"a":"a1","b":"b1"}"#);
}

#[test]
fn a_small_packet_that_meets_a_large_one_is_decided_elsewhere() {
    let mut rig = joins::joining(FanInPlan::default(), step("sink"), joins::both());
    let (a, b) = (rig.connect("a"), rig.connect("b"));
    let text = format!(r#"{{"x": "a1", "rest": "{}"}}"#, "x".repeat(70_000));
    let large = of_id("1", &saying("a1", &text));
    assert_eq!(rig.offer(a, &large, at(1)), Taken::Blocked);
    answer(&mut rig);
    rig.send_packet(a, &large, at(1));
    let small = of_id("1", &saying("b1", r#"{"x": "b1"}"#));
    assert_eq!(rig.offer(b, &small, at(2)), Taken::Blocked);
    answer(&mut rig);
    rig.send_packet(b, &small, at(2));
    assert_eq!(decisions(&rig, "b"), 1);
}

#[test]
fn what_it_meets_may_change_so_often_and_then_it_is_decided_here() {
    let mut rig = joins::joining(FanInPlan::default(), step("sink"), joins::both());
    let (a, b) = (rig.connect("a"), rig.connect("b"));
    let text = format!(r#"{{"x": "b1", "rest": "{}"}}"#, "x".repeat(70_000));
    let large = of_id("1", &saying("b1", &text));
    for n in 0..3 {
        assert_eq!(rig.offer(b, &large, at(n)), Taken::Blocked, "{n}");
        answer(&mut rig);
        let other = of_id("1", &saying("a", r#"{"x": "a"}"#));
        rig.send_packet(a, &other, at(n));
    }
    rig.send_packet(b, &large, at(3));
    assert!(rig.actions.jobs.is_empty());
    let mut later = BytesMut::from(&large[..]);
    put_metadata(&mut later, Dialect::Packet, "bubu.join.key", "2");
    let later = later.freeze();
    assert_eq!(rig.offer(b, &later, at(4)), Taken::Blocked, "a new packet");
    for n in 0..2 {
        answer(&mut rig);
        let other = of_id("2", &saying("a", r#"{"x": "a"}"#));
        rig.send_packet(a, &other, at(5 + n));
        assert_eq!(rig.offer(b, &later, at(5 + n)), Taken::Blocked);
    }
    rig.disconnect(b);
    let b = rig.connect("b");
    let again = rig.offer(b, &later, at(9));
    assert_eq!(again, Taken::Blocked, "on a new connection");
}

#[test]
fn a_large_packet_that_breaks_its_schema_before_a_join_is_decided_once() {
    let limits = Limits {
        stopwatch: Some(Moment::default),
        ..Limits::default()
    };
    let emits = EmitPrograms {
        schema: Some(Arc::new(changes::Lang)),
        ..EmitPrograms::default()
    };
    let src = StepPlan {
        emits: Some(Arc::new(emits)),
        ..step("src")
    };
    let sink = StepPlan {
        fan_in: Some(FanInPlan::default()),
        ..step("sink")
    };
    let mut rig = Rig::new(limits, plan(vec![src, sink], &[(0, 1)]));
    let src = rig.connect("src");
    let text = format!(r#"{{"bad": 1, "rest": "{}"}}"#, "x".repeat(70_000));
    let bad = of_id("1", &saying("bad", &text));
    assert_eq!(rig.offer(src, &bad, at(1)), Taken::Blocked);
    answer(&mut rig);
    rig.send_packet(src, &bad, at(1));
    assert_eq!(rig.edge("sink").counts.dropped(DropReason::Schema), 1);
    assert_eq!(decisions(&rig, "src"), 1);
}

#[test]
fn what_is_decided_here_is_timed_too_where_there_is_a_stopwatch() {
    let limits = Limits {
        stopwatch: Some(Moment::default),
        ..Limits::default()
    };
    let mut made = plan(vec![step("src"), step("a")], &[(0, 1)]);
    made.edges[0].programs = Some(Arc::new(only_if("{{ eq packet.metadata.n \"1\" }}")));
    let mut rig = Rig::new(limits, made);
    let src = rig.connect("src");
    rig.send(src, "1", 10, at(1));
    assert_eq!(decisions(&rig, "src"), 1);
}

/// A step that has room for one packet, and is told when each was decided on.
fn timed() -> Rig {
    let kept = StepPlan {
        queue: bounds(1, 1 << 20),
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("a")
    };
    rig_of(vec![(kept, given(r#"{"at": "{{ now | unixEpoch }}"}"#))])
}

#[test]
fn a_decision_on_a_packet_without_room_that_an_interrupt_ended_is_for_no_other() {
    let mut rig = timed();
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(src, &in_turn("1", 1), at(0));
    assert_eq!(rig.offer(src, &in_turn("2", 1), at(5_000)), Taken::Blocked);
    rig.interrupt(src, None, at(6_000));
    rig.send_packet(src, &in_turn("2", 1), at(6_000));
    rig.send_packet(src, &in_turn("3", 2), at(7_000));
    assert_eq!(inputs(&rig.take(a, at(7_000))[0]), r#"{"at":"7"}"#);
}

#[test]
fn a_decision_on_a_packet_without_room_goes_with_its_connection() {
    let mut rig = timed();
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send(src, "1", 10, at(0));
    assert_eq!(rig.offer(src, &packet("2", 10), at(5_000)), Taken::Blocked);
    rig.disconnect(src);
    let src = rig.connect("src");
    let first = rig.take(a, at(6_000)).remove(0);
    let (stream, sequence) = guarantee::identity(&first);
    rig.receipt(a, &stream, sequence, at(6_000));
    rig.send(src, "3", 10, at(7_000));
    assert_eq!(inputs(&rig.take(a, at(7_000))[0]), r#"{"at":"7"}"#);
}

#[test]
fn a_small_packet_that_reads_nothing_of_the_large_one_it_meets_stays_here() {
    let programs = only_if(r#"{{ ne packet.metadata.n "none" }}"#);
    let mut rig = joins::joining(FanInPlan::default(), step("sink"), programs);
    let (a, b) = (rig.connect("a"), rig.connect("b"));
    rig.send_packet(a, &of_id("1", &large("a1")), at(1));
    rig.send_packet(b, &of_id("1", &saying("b1", "{}")), at(1));
}

#[test]
fn a_large_envelope_beside_a_struct_that_may_get_defaults_is_rewritten_elsewhere() {
    let emits = EmitPrograms {
        schema: Some(Arc::new(changes::Lang)),
        ..EmitPrograms::default()
    };
    let src = StepPlan {
        emits: Some(Arc::new(emits)),
        ..step("src")
    };
    let mut rig = Rig::new(Limits::default(), plan(vec![src, step("a")], &[(0, 1)]));
    let src = rig.connect("src");
    let text = format!(r#"{{"payload":{{"x":"{}"}}}}"#, "x".repeat(70_000));
    let framed = framed("application/vnd.bubu.packet+json", &text);
    let mut out = BytesMut::from(&framed[..]);
    put_payload(&mut out, Dialect::Packet, &body(r#"{"a": 1}"#));
    assert_eq!(rig.offer(src, &out.freeze(), at(1)), Taken::Blocked);
}

#[test]
fn of_packets_of_one_read_the_first_is_timed_and_stands_for_all() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static READ: AtomicU64 = AtomicU64::new(0);
    let limits = Limits {
        stopwatch: Some(|| at(READ.fetch_add(7, Ordering::Relaxed))),
        ..Limits::default()
    };
    let mut made = plan(vec![step("src"), step("a")], &[(0, 1)]);
    made.edges[0].programs = Some(Arc::new(only_if(r#"{{ eq packet.metadata.n "1" }}"#)));
    let mut rig = Rig::new(limits, made);
    let src = rig.connect("src");
    for now in [1, 1, 1, 2] {
        rig.send(src, "1", 10, at(now));
    }
    assert_eq!(
        READ.load(Ordering::Relaxed),
        4 * 7,
        "read twice for each read"
    );
    assert_eq!(decisions(&rig, "src"), 4);
    let sessions = rig.engine.snapshot().sessions;
    let measured = sessions[0].measured.as_ref().unwrap();
    let nanos: u64 = measured
        .evaluate
        .buckets()
        .iter()
        .map(|b| b.sum_nanos)
        .sum();
    assert_eq!(nanos, 4 * 7_000_000);
}

#[test]
fn what_is_decided_elsewhere_gets_the_defaults_of_its_schema_too() {
    let emits = EmitPrograms {
        schema: Some(Arc::new(changes::Lang)),
        ..EmitPrograms::default()
    };
    let src = StepPlan {
        emits: Some(Arc::new(emits)),
        ..step("src")
    };
    let mut rig = Rig::new(Limits::default(), plan(vec![src, step("a")], &[(0, 1)]));
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    answer(&mut rig);
    rig.send_packet(src, &large("1"), at(1));
    let said = payload(&rig.take(a, at(1))[0]);
    assert!(said.contains(r#""lang":"en""#), "{}", &said[..80]);
}

#[test]
fn a_decision_for_a_connection_that_was_superseded_is_for_no_other() {
    let mut rig = reading();
    let src = rig.connect("src");
    assert_eq!(rig.offer(src, &large("1"), at(1)), Taken::Blocked);
    let old = rig.actions.jobs.remove(0);
    let heir = rig.register("src", 2, at(2)).unwrap();
    let own = saying(
        "2",
        &format!(r#"{{"text": "ho", "rest": "{}"}}"#, "x".repeat(70_000)),
    );
    assert_eq!(rig.offer(heir, &own, at(2)), Taken::Blocked);
    let decided = (old.run().unwrap(), SECOND);
    rig.engine.decided(old.ticket(), decided, &mut rig.actions);
    assert!(rig.actions.resume.is_empty(), "it is not what is awaited");
    assert_eq!(rig.offer(heir, &own, at(3)), Taken::Blocked);
    answer(&mut rig);
    rig.send_packet(heir, &own, at(4));
    let a = rig.connect("a");
    assert_eq!(inputs(&rig.take(a, at(4))[0]), r#"{"t":"ho"}"#);
}
