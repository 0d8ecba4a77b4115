//! Parts of joins and their producers: each number is heard of once, and never while the part may
//! still be needed (spec 2.4 rule 5).

use super::joins::{joining, meeting};
use super::*;
use crate::route::{FanInMode, FanInPlan, OnTimeout};

pub(super) fn kept_sink() -> StepPlan {
    StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("sink")
    }
}

/// One packet fills it; what finds no room then ends there.
pub(super) fn sink_of_one() -> StepPlan {
    StepPlan {
        queue: bounds(1, 1 << 20),
        semantics: Semantics::AtLeastOnce(Guarantee {
            overflow: Overflow::DeadLetter,
            ..Guarantee::default()
        }),
        ..step("sink")
    }
}

pub(super) fn part(id: &str, x: &str, number: u64) -> Bytes {
    numbered(&meeting(id, x), number)
}

/// Both producers, and the step that joins them.
pub(super) fn all_three(rig: &mut Rig) -> (ConnId, ConnId, ConnId) {
    let a = rig.connect_numbering("a", "e1");
    let b = rig.connect_numbering("b", "e1");
    (a, b, rig.connect("sink"))
}

/// Nobody is waited for any more.
pub(super) fn nothing_is_owed(rig: &Rig) {
    assert_eq!(rig.engine.waiting_bytes, 0);
    for live in &rig.engine.runs {
        assert_eq!(live.origins.len(), 0, "lists of origins are left");
    }
}

pub(super) fn receipt_all(rig: &mut Rig, sink: ConnId, now: Moment) -> usize {
    let got = rig.take(sink, now);
    let kept = got.iter().filter(|packet| label(packet) != "heartbeat");
    let kept: Vec<_> = kept.map(guarantee::identity).collect();
    for (stream, sequence) in &kept {
        rig.receipt(sink, stream, *sequence, now);
    }
    kept.len()
}

#[test]
fn a_producer_hears_of_its_part_when_the_joined_packet_is_receipted() {
    let mut rig = joining(FanInPlan::default(), kept_sink(), EdgePrograms::default());
    let (a, b, sink) = all_three(&mut rig);
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    assert!(rig.acks(a, at(500)).is_empty(), "it waits");
    rig.send_packet(b, &part("1", "b1", 1), at(501));
    assert!(
        rig.acks(a, at(1_000)).is_empty(),
        "a hub that dies loses both"
    );
    assert!(rig.acks(b, at(1_000)).is_empty());
    assert_eq!(receipt_all(&mut rig, sink, at(1_001)), 1);
    assert_eq!(rig.acks(a, at(2_000)), [1]);
    assert_eq!(rig.acks(b, at(2_000)), [1]);
    nothing_is_owed(&rig);
}

#[test]
fn producers_hear_at_once_where_nothing_is_promised() {
    let mut rig = joining(FanInPlan::default(), step("sink"), EdgePrograms::default());
    let (a, b, _) = all_three(&mut rig);
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    assert_eq!(rig.acks(a, at(500)), [1]);
    rig.send_packet(b, &part("1", "b1", 1), at(501));
    assert_eq!(rig.acks(b, at(1_000)), [1]);
    nothing_is_owed(&rig);
}

#[test]
fn only_those_hear_who_number() {
    for numbering in ["a", "b"] {
        let mut rig = joining(FanInPlan::default(), kept_sink(), EdgePrograms::default());
        let conns = ["a", "b"].map(|step| match step == numbering {
            true => rig.connect_numbering(step, "e1"),
            false => rig.connect(step),
        });
        let sink = rig.connect("sink");
        for conn in conns {
            rig.send_packet(conn, &part("1", "x", 1), at(1));
        }
        let [heard, other] = if numbering == "a" {
            conns
        } else {
            [conns[1], conns[0]]
        };
        assert!(rig.acks(heard, at(500)).is_empty(), "{numbering}");
        receipt_all(&mut rig, sink, at(501));
        assert_eq!(rig.acks(heard, at(1_000)), [1], "{numbering}");
        assert!(rig.acks(other, at(1_000)).is_empty(), "{numbering}");
        nothing_is_owed(&rig);
    }
}

#[test]
fn a_part_that_gives_way_is_heard_of_and_so_is_what_takes_its_place() {
    let one_id = FanInPlan {
        max_entries: 1,
        ..FanInPlan::default()
    };
    let mut rig = joining(one_id, kept_sink(), EdgePrograms::default());
    let (a, b, sink) = all_three(&mut rig);
    rig.send_packet(a, &part("1", "old", 1), at(1));
    rig.send_packet(a, &part("1", "new", 2), at(1));
    assert_eq!(rig.acks(a, at(300)), [1], "the latest counts");
    rig.send_packet(a, &part("2", "evicts", 3), at(301));
    assert_eq!(rig.acks(a, at(600)), [2], "dropped as evicted");
    rig.send_packet(b, &part("2", "b", 1), at(601));
    receipt_all(&mut rig, sink, at(602));
    assert_eq!(rig.acks(a, at(900)), [3]);
    assert_eq!(rig.acks(b, at(900)), [1]);
    nothing_is_owed(&rig);
}

#[test]
fn parts_whose_time_is_over_are_heard_of() {
    let mut rig = joining(FanInPlan::default(), kept_sink(), EdgePrograms::default());
    let (a, ..) = all_three(&mut rig);
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    assert!(rig.acks(a, at(30_000)).is_empty());
    rig.tick(at(30_001));
    assert_eq!(rig.acks(a, at(30_300)), [1]);
    nothing_is_owed(&rig);
}

#[test]
fn parts_that_go_on_late_are_heard_of_when_that_is_receipted() {
    let partial = FanInPlan {
        mode: FanInMode::Quorum(3),
        on_timeout: OnTimeout::Partial,
        ..FanInPlan::default()
    };
    let mut rig = of_three(partial, EdgePrograms::default());
    let (a, b, sink) = all_three(&mut rig);
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    rig.send_packet(b, &part("1", "b1", 1), at(1));
    rig.tick(at(30_001));
    assert!(rig.acks(a, at(30_300)).is_empty());
    assert!(rig.acks(b, at(30_300)).is_empty());
    assert_eq!(receipt_all(&mut rig, sink, at(30_301)), 1);
    assert_eq!(rig.acks(a, at(30_600)), [1]);
    assert_eq!(rig.acks(b, at(30_600)), [1]);
    nothing_is_owed(&rig);
}

/// Sources `a`, `b` and `c`, and a sink that joins them and must not lose anything.
fn of_three(fan_in: FanInPlan, programs: EdgePrograms) -> Rig {
    let sink = StepPlan {
        fan_in: Some(fan_in),
        ..kept_sink()
    };
    let mut made = plan(vec![step("a"), step("b"), step("c"), sink], &[]);
    let programs = Some(Arc::new(programs));
    made.edges = [0, 1, 2]
        .map(|from| EdgePlan {
            branch: from as u8,
            programs: programs.clone(),
            ..EdgePlan::plain(StepIndex(from), StepIndex(3))
        })
        .to_vec();
    Rig::new(Limits::default(), made)
}

#[test]
fn parts_of_what_a_rule_keeps_back_are_heard_of_at_once() {
    let deny = |text: &str| EdgePrograms {
        rules: Rules {
            deny: vec![condition(text)],
            ..Rules::default()
        },
        ..EdgePrograms::default()
    };
    // Not taken, and failed: what `b` says is no truth.
    for rule in [r#"{{ eq steps.a.x "a1" }}"#, "{{ steps.b.x }}"] {
        let mut rig = joining(FanInPlan::default(), kept_sink(), deny(rule));
        let (a, b, sink) = all_three(&mut rig);
        rig.send_packet(a, &part("1", "a1", 1), at(1));
        rig.send_packet(b, &part("1", "b1", 1), at(1));
        assert_eq!(rig.acks(a, at(300)), [1], "{rule}");
        assert_eq!(rig.acks(b, at(300)), [1], "{rule}");
        assert_eq!(receipt_all(&mut rig, sink, at(301)), 0, "{rule}");
        nothing_is_owed(&rig);
    }
}

#[test]
fn parts_of_what_comes_to_nothing_late_are_heard_of_at_once() {
    let partial = FanInPlan {
        on_timeout: OnTimeout::Partial,
        ..FanInPlan::default()
    };
    for rule in [r#"{{ eq steps.a.x "a1" }}"#, "{{ steps.b.x }}"] {
        let rules = Rules {
            deny: vec![condition(rule)],
            ..Rules::default()
        };
        let programs = EdgePrograms {
            rules,
            ..EdgePrograms::default()
        };
        let mut rig = of_three(partial.clone(), programs);
        let (a, b, _) = all_three(&mut rig);
        rig.send_packet(a, &part("1", "a1", 1), at(1));
        rig.send_packet(b, &part("1", "b1", 1), at(1));
        rig.tick(at(30_001));
        assert_eq!(rig.acks(a, at(30_300)), [1], "{rule}");
        assert_eq!(rig.acks(b, at(30_300)), [1], "{rule}");
        let failed = u64::from(rule.contains("steps.b.x"));
        let edges = rig.engine.snapshot().edges;
        let dropped = edges
            .iter()
            .map(|e| e.counts.dropped(DropReason::Expression));
        assert_eq!(dropped.sum::<u64>(), failed, "{rule}");
        nothing_is_owed(&rig);
    }
}

#[test]
fn a_joined_packet_that_finds_no_room_lets_all_its_producers_go_on() {
    let mut rig = joining(FanInPlan::default(), sink_of_one(), EdgePrograms::default());
    let (a, b, _) = all_three(&mut rig);
    rig.send_numbered(a, 1, at(1));
    rig.send_packet(a, &part("1", "a1", 2), at(1));
    rig.send_packet(b, &part("1", "b1", 1), at(1));
    assert_eq!(rig.edge("sink").counts.accepted, 1);
    assert_eq!(rig.acks(b, at(300)), [1]);
    assert!(rig.acks(a, at(300)).is_empty(), "its first is in the queue");
    let live = &mut rig.engine.runs[0].sessions[0];
    let producer = live.producers().next().unwrap();
    assert_eq!(producer.settled(), 0);
    nothing_is_owed(&rig);
}

#[test]
fn a_joined_packet_that_finds_no_room_is_settled_on_that_edge_only() {
    let full = StepPlan {
        fan_in: Some(FanInPlan::default()),
        ..sink_of_one()
    };
    let other = StepPlan {
        id: "other".into(),
        ..kept_sink()
    };
    let mut made = plan(vec![step("a"), step("b"), full, other], &[]);
    made.edges = vec![
        EdgePlan::plain(StepIndex(0), StepIndex(2)),
        EdgePlan {
            branch: 1,
            ..EdgePlan::plain(StepIndex(1), StepIndex(2))
        },
        EdgePlan::plain(StepIndex(1), StepIndex(3)),
    ];
    let mut rig = Rig::new(Limits::default(), made);
    let a = rig.connect_numbering("a", "e1");
    let b = rig.connect_numbering("b", "e1");
    let other = rig.connect("other");
    rig.send_numbered(a, 1, at(1));
    rig.send_packet(a, &part("1", "a1", 2), at(1));
    rig.send_packet(b, &part("1", "b1", 1), at(1));
    assert_eq!(
        rig.edge("other").queued,
        1,
        "an edge that is full holds no other up"
    );
    assert!(rig.acks(b, at(300)).is_empty());
    receipt_all(&mut rig, other, at(301));
    assert_eq!(rig.acks(b, at(600)), [1]);
    nothing_is_owed(&rig);
}

#[test]
fn a_joined_packet_that_an_interrupt_ends_is_heard_of_by_all() {
    let mut rig = joining(FanInPlan::default(), kept_sink(), EdgePrograms::default());
    let (a, b, _) = all_three(&mut rig);
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    rig.send_packet(b, &part("1", "b1", 1), at(1));
    rig.send_packet(a, &part("2", "waits", 2), at(1));
    rig.interrupt(a, None, at(2));
    assert_eq!(rig.acks(a, at(300)), [2]);
    assert_eq!(rig.acks(b, at(300)), [1]);
    nothing_is_owed(&rig);
}

#[test]
fn one_packet_that_brings_two_branches_is_heard_of_once_it_is_receipted() {
    let sink = StepPlan {
        fan_in: Some(FanInPlan::default()),
        ..kept_sink()
    };
    let mut made = plan(vec![step("a"), sink], &[]);
    made.edges = [0, 1]
        .map(|branch| EdgePlan {
            branch,
            ..EdgePlan::plain(StepIndex(0), StepIndex(1))
        })
        .to_vec();
    let mut rig = Rig::new(Limits::default(), made);
    let a = rig.connect_numbering("a", "e1");
    let sink = rig.connect("sink");
    rig.send_packet(a, &part("1", "x", 1), at(1));
    assert!(rig.acks(a, at(300)).is_empty());
    assert_eq!(receipt_all(&mut rig, sink, at(301)), 1);
    assert_eq!(rig.acks(a, at(600)), [1]);
    nothing_is_owed(&rig);
}

#[test]
fn a_part_resent_while_it_waits_is_neither_routed_nor_heard_of_twice() {
    let mut rig = joining(FanInPlan::default(), kept_sink(), EdgePrograms::default());
    let (a, b, sink) = all_three(&mut rig);
    rig.send_packet(a, &part("1", "a1", 1), at(1));
    rig.disconnect(a);
    let a = rig.connect_numbering("a", "e1");
    rig.send_packet(a, &part("1", "a1", 1), at(2));
    rig.send_packet(b, &part("1", "b1", 1), at(3));
    assert_eq!(receipt_all(&mut rig, sink, at(4)), 1);
    assert_eq!(rig.acks(a, at(300)), [1]);
    rig.send_packet(a, &part("1", "a1", 1), at(301));
    assert_eq!(rig.acks(a, at(302)), [1]);
    assert_eq!(receipt_all(&mut rig, sink, at(400)), 0);
    nothing_is_owed(&rig);
}

#[test]
fn an_interrupt_leaves_parts_of_newer_turns_waiting() {
    let mut rig = of_three(FanInPlan::default(), EdgePrograms::default());
    let (a, b, sink) = all_three(&mut rig);
    let c = rig.connect("c");
    let of_turn = |turn: &str, packet: Bytes| {
        let mut out = BytesMut::from(&packet[..]);
        put_metadata(&mut out, Dialect::Packet, "bubu.turn", turn);
        out.freeze()
    };
    rig.send_packet(b, &of_turn("2", part("1", "b1", 1)), at(1));
    rig.send_packet(a, &of_turn("1", part("1", "a1", 1)), at(1));
    rig.interrupt(a, None, at(2));
    assert_eq!(rig.edge("sink").counts.dropped(DropReason::Interrupted), 1);
    assert_eq!(rig.acks(a, at(300)), [1]);
    assert!(rig.acks(b, at(300)).is_empty(), "it waits on");
    rig.send_packet(c, &of_turn("2", meeting("1", "c1")), at(301));
    rig.send_packet(a, &of_turn("2", part("1", "a2", 2)), at(301));
    assert_eq!(receipt_all(&mut rig, sink, at(302)), 1);
    assert_eq!(rig.acks(b, at(600)), [1]);
    nothing_is_owed(&rig);
}
