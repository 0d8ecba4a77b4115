use super::*;
use crate::route::{EmitPrograms, FanInMode, FanInPlan, OnTimeout};

/// Two sources `a` and `b`, and a sink that joins them.
pub(super) fn joining(fan_in: FanInPlan, sink: StepPlan, programs: EdgePrograms) -> Rig {
    let sink = StepPlan {
        fan_in: Some(fan_in),
        ..sink
    };
    let mut made = plan(vec![step("a"), step("b"), sink], &[]);
    let programs = Some(Arc::new(programs));
    made.edges = [0, 1]
        .map(|from| EdgePlan {
            branch: from as u8,
            programs: programs.clone(),
            ..EdgePlan::plain(StepIndex(from), StepIndex(2))
        })
        .to_vec();
    Rig::new(Limits::default(), made)
}

fn all() -> FanInPlan {
    FanInPlan::default()
}

pub(super) fn both() -> EdgePrograms {
    given(r#"{"a": "{{ steps.a.x }}", "b": "{{ steps.b.x }}"}"#)
}

/// A packet with an id to meet by.
pub(super) fn meeting(id: &str, x: &str) -> Bytes {
    let mut out = BytesMut::from(&saying(x, &format!(r#"{{"x": "{x}"}}"#))[..]);
    put_metadata(&mut out, Dialect::Packet, "bubu.join.key", id);
    out.freeze()
}

/// What `conn` is sent, but for heartbeats.
fn taken(rig: &mut Rig, conn: ConnId, now: Moment) -> Vec<Bytes> {
    let mut taken = rig.take(conn, now);
    taken.retain(|packet| label(packet) != "heartbeat");
    taken
}

fn accepted(rig: &Rig) -> Vec<u64> {
    let edges = rig.engine.snapshot().edges;
    edges.iter().map(|edge| edge.counts.accepted).collect()
}

fn dropped(rig: &Rig, reason: DropReason) -> u64 {
    let edges = rig.engine.snapshot().edges;
    assert!(edges.iter().all(EdgeSnapshot::balances));
    edges.iter().map(|edge| edge.counts.dropped(reason)).sum()
}

#[test]
fn packets_of_one_id_become_one_that_sees_both() {
    let mut rig = joining(all(), step("sink"), both());
    let (a, b, sink) = (rig.connect("a"), rig.connect("b"), rig.connect("sink"));
    rig.send_packet(a, &meeting("1", "a1"), at(1));
    rig.send_packet(a, &meeting("2", "a2"), at(1));
    assert!(rig.take(sink, at(1)).is_empty());
    rig.send_packet(b, &meeting("1", "b1"), at(1));
    let got = rig.take(sink, at(1));
    assert_eq!(got.len(), 1);
    assert_eq!(label(&got[0]), "b1");
    assert_eq!(inputs(&got[0]), r#"{"a":"a1","b":"b1"}"#);
    assert_eq!(accepted(&rig), [0, 1], "what is absorbed is on no account");
}

#[test]
fn a_packet_without_an_id_meets_nobody() {
    let mut rig = joining(all(), step("sink"), EdgePrograms::default());
    let (a, sink) = (rig.connect("a"), rig.connect("sink"));
    rig.send(a, "alone", 10, at(1));
    assert_eq!(rig.labels(sink, at(1)), ["alone"]);
}

#[test]
fn the_message_id_serves_where_there_is_no_join_key() {
    let with_id = |x: &str| {
        let mut out = BytesMut::from(&packet(x, 10)[..]);
        put_metadata(&mut out, Dialect::Packet, "bubu.envelope.message_id", "m");
        out.freeze()
    };
    let mut rig = joining(all(), step("sink"), EdgePrograms::default());
    let (a, b, sink) = (rig.connect("a"), rig.connect("b"), rig.connect("sink"));
    rig.send_packet(a, &with_id("a1"), at(1));
    rig.send_packet(b, &with_id("b1"), at(1));
    assert_eq!(rig.labels(sink, at(1)), ["b1"]);
}

#[test]
fn any_fires_once_and_absorbs_the_later_branch() {
    let any = FanInPlan {
        mode: FanInMode::Any,
        ..all()
    };
    let mut rig = joining(any, step("sink"), EdgePrograms::default());
    let (a, b, sink) = (rig.connect("a"), rig.connect("b"), rig.connect("sink"));
    rig.send_packet(b, &meeting("1", "b1"), at(1));
    rig.send_packet(a, &meeting("1", "a1"), at(1));
    rig.send_packet(b, &meeting("1", "b2"), at(1));
    assert_eq!(rig.labels(sink, at(1)), ["b1", "b2"]);
    assert_eq!(accepted(&rig), [0, 2]);
}

#[test]
fn what_waits_in_vain_is_dropped_and_counted() {
    let mut rig = joining(all(), step("sink"), EdgePrograms::default());
    let a = rig.connect("a");
    rig.send_packet(a, &meeting("1", "a1"), at(1));
    rig.tick(at(30_000));
    assert_eq!(dropped(&rig, DropReason::FanInTimeout), 0);
    rig.tick(at(30_001));
    assert_eq!(dropped(&rig, DropReason::FanInTimeout), 1);
    assert_eq!(rig.engine.waiting_bytes, 0);
}

#[test]
fn partial_delivers_what_there_is_when_the_time_is_over() {
    let partial = FanInPlan {
        on_timeout: OnTimeout::Partial,
        ..all()
    };
    let programs = given(r#"{"a": "{{ steps.a.x }}"}"#);
    let mut rig = joining(partial, step("sink"), programs);
    let (a, sink) = (rig.connect("a"), rig.connect("sink"));
    rig.send_packet(a, &meeting("1", "a1"), at(1));
    rig.actions.wake.clear();
    rig.tick(at(20_000));
    rig.take(sink, at(20_000));
    rig.actions.wake.clear();
    rig.tick(at(30_001));
    assert!(rig.actions.wake.contains(&sink));
    let got = taken(&mut rig, sink, at(30_001));
    assert_eq!(label(&got[0]), "a1");
    assert_eq!(inputs(&got[0]), r#"{"a":"a1"}"#);
    assert_eq!(dropped(&rig, DropReason::FanInTimeout), 0);
}

#[test]
fn one_packet_may_bring_all_branches_at_once() {
    let sink = StepPlan {
        fan_in: Some(all()),
        ..step("sink")
    };
    let mut made = plan(vec![step("src"), sink], &[]);
    made.edges = [0, 1]
        .map(|branch| EdgePlan {
            branch,
            ..EdgePlan::plain(StepIndex(0), StepIndex(1))
        })
        .to_vec();
    let mut rig = Rig::new(Limits::default(), made);
    let (src, sink) = (rig.connect("src"), rig.connect("sink"));
    rig.actions.wake.clear();
    rig.send_packet(src, &meeting("1", "x"), at(1));
    assert_eq!(rig.actions.wake.to_vec(), [sink]);
    assert_eq!(rig.labels(sink, at(1)), ["x"]);
    assert_eq!(rig.engine.waiting_bytes, 0);
}

#[test]
fn one_packet_that_brings_two_branches_to_any_is_delivered_once() {
    let sink = StepPlan {
        fan_in: Some(FanInPlan {
            mode: FanInMode::Any,
            ..all()
        }),
        ..step("sink")
    };
    let mut made = plan(vec![step("src"), sink], &[]);
    made.edges = [0, 1]
        .map(|branch| EdgePlan {
            branch,
            ..EdgePlan::plain(StepIndex(0), StepIndex(1))
        })
        .to_vec();
    let mut rig = Rig::new(Limits::default(), made);
    let (src, sink) = (rig.connect("src"), rig.connect("sink"));
    rig.send_packet(src, &meeting("1", "x"), at(1));
    assert_eq!(rig.labels(sink, at(1)), ["x"]);
}

#[test]
fn an_interrupt_takes_what_waits_of_the_turns_before() {
    let mut rig = joining(all(), step("sink"), EdgePrograms::default());
    let (a, b, sink) = (rig.connect("a"), rig.connect("b"), rig.connect("sink"));
    rig.send_packet(a, &meeting("1", "a1"), at(1));
    rig.interrupt(a, None, at(2));
    assert_eq!(dropped(&rig, DropReason::Interrupted), 1);
    rig.send_packet(b, &meeting("1", "b1"), at(3));
    assert!(rig.labels(sink, at(3)).is_empty());
}

#[test]
fn a_full_step_gets_its_late_join_when_it_has_room() {
    let kept = StepPlan {
        queue: bounds(1, 1 << 20),
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("sink")
    };
    let partial = FanInPlan {
        on_timeout: OnTimeout::Partial,
        ..all()
    };
    let mut rig = joining(partial, kept, EdgePrograms::default());
    let (a, sink) = (rig.connect("a"), rig.connect("sink"));
    rig.send_packet(a, &meeting("1", "late"), at(1));
    rig.send(a, "alone", 10, at(1));
    rig.tick(at(1));
    assert_eq!(rig.engine.next_deadline(), Some(at(30_001)));
    rig.tick(at(30_001));
    assert_eq!(rig.edge("sink").queued, 1, "there is room for one only");
    let got = taken(&mut rig, sink, at(30_001));
    assert_eq!(got.iter().map(label).collect::<Vec<_>>(), ["alone"]);
    let (stream, sequence) = guarantee::identity(&got[0]);
    rig.receipt(sink, &stream, sequence, at(30_002));
    rig.tick(at(31_000));
    let got = taken(&mut rig, sink, at(31_000));
    assert_eq!(got.iter().map(label).collect::<Vec<_>>(), ["late"]);
}

#[test]
fn a_hub_that_stops_counts_what_waited() {
    let mut rig = joining(all(), step("sink"), EdgePrograms::default());
    let a = rig.connect("a");
    rig.send_packet(a, &meeting("1", "a1"), at(1));
    assert_eq!(rig.engine.abandon(), 1);
    assert_eq!(dropped(&rig, DropReason::Shutdown), 1);
    assert_eq!(rig.engine.waiting_bytes, 0);
}

/// `a`, whose packets say in which language they are even where they do not, and `b`.
fn with_defaults(fan_in: FanInPlan) -> Rig {
    let emits = EmitPrograms {
        schema: Some(Arc::new(changes::Lang)),
        ..EmitPrograms::default()
    };
    let a = StepPlan {
        emits: Some(Arc::new(emits)),
        ..step("a")
    };
    let sink = StepPlan {
        fan_in: Some(fan_in),
        ..step("sink")
    };
    let programs = EdgePrograms {
        via: vec![transform("cut", r#"{"cut": true}"#)],
        ..given(r#"{"lang": "{{ steps.a.lang }}"}"#)
    };
    let mut made = plan(vec![a, step("b"), sink], &[]);
    let programs = Some(Arc::new(programs));
    made.edges = [0, 1]
        .map(|from| EdgePlan {
            branch: from as u8,
            programs: programs.clone(),
            ..EdgePlan::plain(StepIndex(from), StepIndex(2))
        })
        .to_vec();
    Rig::new(Limits::default(), made)
}

#[test]
fn defaults_of_a_schema_are_seen_by_whoever_is_joined_with_the_packet() {
    let mut rig = with_defaults(all());
    let (a, b, sink) = (rig.connect("a"), rig.connect("b"), rig.connect("sink"));
    rig.send_packet(a, &meeting("1", "a1"), at(1));
    rig.send_packet(b, &meeting("1", "b1"), at(1));
    assert_eq!(inputs(&rig.take(sink, at(1))[0]), r#"{"lang":"en"}"#);
}

#[test]
fn defaults_of_a_schema_are_seen_in_a_packet_that_goes_on_late() {
    let mut rig = with_defaults(FanInPlan {
        on_timeout: OnTimeout::Partial,
        ..all()
    });
    let (a, sink) = (rig.connect("a"), rig.connect("sink"));
    rig.send_packet(a, &meeting("1", "a1"), at(1));
    rig.tick(at(30_001));
    let got = taken(&mut rig, sink, at(30_001));
    assert_eq!(inputs(&got[0]), r#"{"lang":"en"}"#);
    assert_eq!(payload(&got[0]), r#"{"cut":true}"#, "as it came through");
}

#[test]
fn what_waits_is_counted_with_all_that_it_keeps_alive() {
    let long = format!(r#"{{"text": "{}"}}"#, "x".repeat(10_000));
    let programs = EdgePrograms {
        via: vec![transform("long", &long)],
        ..EdgePrograms::default()
    };
    let mut rig = joining(all(), step("sink"), programs);
    let (a, b) = (rig.connect("a"), rig.connect("b"));
    rig.send_packet(a, &meeting("1", "a1"), at(1));
    assert!(rig.engine.waiting_bytes > 10_000);
    rig.send_packet(b, &meeting("1", "b1"), at(1));
    assert_eq!(rig.engine.waiting_bytes, 0);
    rig.send_packet(a, &meeting("2", "a2"), at(1));
    rig.interrupt(a, None, at(2));
    assert_eq!(rig.engine.waiting_bytes, 0);
}

#[test]
fn many_tiny_packets_do_not_wait_for_nothing() {
    let mut rig = joining(all(), step("sink"), EdgePrograms::default());
    let a = rig.connect("a");
    for n in 0..10 {
        rig.send_packet(a, &meeting(&n.to_string(), "x"), at(1));
    }
    assert!(rig.engine.waiting_bytes > 10 * 1024);
}
