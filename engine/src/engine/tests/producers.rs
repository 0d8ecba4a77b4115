//! Producers that number their packets: what is routed once, and what they are told (spec 2.4
//! rule 5).

use super::guarantee::{ack, guaranteed, kept, sequences};
use super::*;
use crate::account::RefuseReason;
use crate::route::{AckEvery, FlowPlan, Guarantee};

#[test]
fn resent_numbers_are_acked_again_and_never_routed_twice() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    for n in 1..=3 {
        rig.send_numbered(p, n, at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(4)), [1, 2, 3]);
    rig.flow(c, &ack(2), at(5));
    rig.disconnect(p);
    let p = rig.connect_numbering("p", "e7");
    assert_eq!(rig.acks(p, at(6)), [2], "told at once what is settled");
    rig.send_numbered(p, 2, at(7));
    assert_eq!(rig.acks(p, at(8)), [2]);
    rig.send_numbered(p, 3, at(9));
    rig.send_numbered(p, 4, at(9));
    assert_eq!(sequences(&mut rig, c, at(10)), [4]);
    assert_eq!(rig.edge("c").counts.accepted, 4);
}

#[test]
fn an_echo_engram_that_returns_our_envelope_numbers_nothing() {
    let steps = vec![step("p"), step("echo"), kept("c", Guarantee::default())];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1), (1, 2)]));
    let (p, echo, c) = (rig.connect("p"), rig.connect("echo"), rig.connect("c"));
    for n in 1..=3 {
        rig.send(p, &n.to_string(), 10, at(n));
        for packet in rig.take(echo, at(n)) {
            rig.send_packet(echo, &packet, at(n));
            rig.send_packet(echo, &packet, at(n));
        }
    }
    let got = rig.take(c, at(9));
    assert_eq!(
        got.iter().map(label).collect::<Vec<_>>(),
        ["1", "1", "2", "2", "3", "3"]
    );
    assert!(rig.acks(echo, at(999)).is_empty());
}

#[test]
fn a_producer_is_told_after_so_many_bytes() {
    let source = StepPlan {
        flow: FlowPlan {
            ack_every: AckEvery {
                messages: 0,
                bytes: 1000,
                max_delay: 3600 * SECOND,
            },
            ..FlowPlan::default()
        },
        ..step("p")
    };
    let steps = vec![source, step("c")];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1)]));
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_packet(p, &numbered(&packet("1", 600), 1), at(1));
    assert_eq!(rig.labels(c, at(2)), ["1"]);
    assert_eq!(rig.acks(p, at(3)), [0u64; 0]);
    rig.actions.wake.clear();
    rig.send_packet(p, &numbered(&packet("2", 600), 2), at(4));
    assert!(rig.actions.wake.contains(&p));
    assert_eq!(rig.acks(p, at(5)), [2]);
}

#[test]
fn of_too_many_producer_epochs_the_oldest_is_forgotten() {
    let mut rig = guaranteed();
    for n in 0..65 {
        let p = rig.connect_numbering("p", &format!("e{n}"));
        rig.send_numbered(p, 1, at(1));
        rig.disconnect(p);
    }
    for (epoch, accepted) in [("e1", 65), ("e0", 66)] {
        let p = rig.connect_numbering("p", epoch);
        rig.send_numbered(p, 1, at(2));
        rig.disconnect(p);
        assert_eq!(rig.edge("c").counts.accepted, accepted, "{epoch}");
    }
}

#[test]
fn of_producer_epochs_with_nothing_on_their_way_the_last_eight_are_remembered() {
    let steps = vec![step("p"), step("c")];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1)]));
    for n in 0..9 {
        let p = rig.connect_numbering("p", &format!("e{n}"));
        rig.send_numbered(p, 1, at(1));
        rig.disconnect(p);
    }
    for (epoch, accepted) in [("e1", 9), ("e0", 10)] {
        let p = rig.connect_numbering("p", epoch);
        rig.send_numbered(p, 1, at(2));
        rig.disconnect(p);
        assert_eq!(rig.edge("c").counts.accepted, accepted, "{epoch}");
    }
}

/// `p` has sent 1 and 2, of which `c` has receipted 1, and is away for longer than state lives.
fn away_for_long() -> (Rig, ConnId) {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_numbered(p, 1, at(1));
    rig.send_numbered(p, 2, at(1));
    assert_eq!(sequences(&mut rig, c, at(2)), [1, 2]);
    rig.flow(c, &ack(1), at(3));
    rig.disconnect(p);
    (rig, c)
}

#[test]
fn a_producer_epoch_is_forgotten_when_all_is_settled_and_its_time_is_up() {
    for (millis, accepted) in [(599_999, 2), (600_000, 3)] {
        let (mut rig, c) = away_for_long();
        rig.flow(c, &ack(2), at(4));
        rig.tick(at(millis));
        let p = rig.connect_numbering("p", "e7");
        rig.send_numbered(p, 2, at(millis));
        assert_eq!(rig.edge("c").counts.accepted, accepted, "after {millis} ms");
    }
}

#[test]
fn a_producer_epoch_with_a_packet_on_its_way_outlives_its_time() {
    let (mut rig, c) = away_for_long();
    rig.tick(at(600_001));
    let p = rig.connect_numbering("p", "e7");
    rig.send_numbered(p, 2, at(600_002));
    assert_eq!(rig.edge("c").counts.accepted, 2);
    rig.flow(c, &ack(2), at(600_003));
    assert!(rig.acks(p, at(600_300)).ends_with(&[2]));
}

/// What a producer is told once the numbered `packet` has come to no edge for this reason.
fn acks_of_refused(packet: &Bytes, reason: Option<RefuseReason>) -> Vec<u64> {
    let mut rig = guaranteed();
    let p = rig.connect_numbering("p", "e7");
    rig.interrupt(p, None, at(0));
    rig.send_packet(p, &numbered(packet, 1), at(1));
    assert_eq!(rig.edge("c").counts.accepted, 0);
    if let Some(reason) = reason {
        assert_eq!(rig.engine.snapshot().refused.get(reason), 1);
    }
    rig.acks(p, at(300))
}

#[test]
fn a_packet_of_a_turn_that_is_over_is_settled_for_its_producer() {
    let late = in_turn("late", 1);
    assert_eq!(acks_of_refused(&late, Some(RefuseReason::Interrupted)), [1]);
}

#[test]
fn control_is_settled_for_its_producer() {
    assert_eq!(acks_of_refused(&directive("interrupt", 3), None), [1]);
}

#[test]
fn a_packet_that_nobody_listens_to_is_settled_for_its_producer() {
    let mut rig = Rig::new(Limits::default(), plan(vec![step("p")], &[]));
    let p = rig.connect_numbering("p", "e7");
    rig.send_numbered(p, 1, at(1));
    assert_eq!(rig.acks(p, at(300)), [1]);
}
#[test]
fn an_invalid_packet_is_settled_for_its_producer() {
    let no_chunk = first_of(1 << 30);
    assert_eq!(acks_of_refused(&no_chunk, Some(RefuseReason::Invalid)), [1]);
}
