//! Chunk sets: what is decided on the first chunk holds for all of the set, and for no other.

use super::*;
use crate::route::EmitPrograms;

/// Takes sets whose first chunk to come is the one with index 0.
fn begun_in_order() -> EdgePrograms {
    only_if(r#"{{ hasSuffix "0" packet.metadata.n }}"#)
}

fn one_at_a_time() -> StepPlan {
    StepPlan {
        queue: bounds(1, 1 << 20),
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("a")
    }
}

fn receipt_last(rig: &mut Rig, conn: ConnId, now: Moment) {
    let last = rig.take(conn, now).pop().unwrap();
    let (stream, sequence) = guarantee::identity(&last);
    rig.receipt(conn, &stream, sequence, now);
}

#[test]
fn a_set_whose_last_chunk_waited_for_room_decides_nothing_about_the_next_of_its_name() {
    let mut rig = rig_of(vec![(one_at_a_time(), begun_in_order())]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(src, &chunk("x", 0, 2, 0), at(1));
    rig.send(src, "full0", 10, at(1));
    assert_eq!(
        rig.offer(src, &chunk("x", 1, 2, 0), at(1)),
        Taken::Blocked,
        "the set is whole, and there is no room"
    );
    receipt_last(&mut rig, a, at(2));
    rig.send_packet(src, &chunk("x", 1, 2, 0), at(2));
    assert_eq!(rig.open_sets("src"), 0);
    receipt_last(&mut rig, a, at(2));
    assert_eq!(rig.edge("a").counts.delivered, 2);
    rig.send_packet(src, &chunk("x", 1, 2, 0), at(3));
    rig.send_packet(src, &chunk("x", 0, 2, 0), at(3));
    assert_eq!(rig.edge("a").counts.accepted, 2, "it begins with another");
    assert_eq!(rig.open_sets("src"), 0);
}

#[test]
fn a_chunk_that_comes_again_does_not_stand_for_one_that_is_missing() {
    let mut rig = rig(vec![begun_in_order()]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    for index in [0, 0, 0, 1, 2] {
        rig.send_packet(src, &chunk("x", index, 3, 0), at(1));
    }
    assert_eq!(rig.labels(a, at(1)), ["x0", "x0", "x0", "x1", "x2"]);
    assert_eq!(rig.open_sets("src"), 0);
}

#[test]
fn a_set_of_which_nothing_has_come_for_two_minutes_is_forgotten() {
    let mut rig = rig(vec![begun_in_order()]);
    let src = rig.connect("src");
    rig.send_packet(src, &chunk("x", 0, 3, 0), at(1));
    rig.send_packet(src, &chunk("x", 1, 3, 0), at(60_000));
    rig.tick(at(179_999));
    assert_eq!(rig.open_sets("src"), 1);
    rig.tick(at(180_000));
    assert_eq!(rig.open_sets("src"), 0);
    rig.send_packet(src, &chunk("x", 2, 3, 0), at(180_001));
    assert_eq!(rig.edge("a").counts.accepted, 2, "decided on its own");
}

#[test]
fn a_set_goes_on_as_it_was_decided_when_its_producer_comes_back() {
    let mut rig = rig(vec![begun_in_order()]);
    let src = rig.connect_numbering("src", "e1");
    rig.send_packet(src, &chunk("x", 0, 2, 1), at(1));
    rig.disconnect(src);
    let src = rig.connect_numbering("src", "e1");
    rig.send_packet(src, &chunk("x", 1, 2, 1), at(2));
    assert_eq!(rig.edge("a").counts.accepted, 2);
}

#[test]
fn a_new_producer_epoch_begins_its_sets_anew() {
    let mut rig = rig(vec![begun_in_order()]);
    let src = rig.connect_numbering("src", "e1");
    rig.send_packet(src, &chunk("x", 0, 2, 1), at(1));
    rig.disconnect(src);
    let src = rig.connect_numbering("src", "e2");
    rig.send_packet(src, &chunk("x", 1, 2, 1), at(2));
    assert_eq!(rig.edge("a").counts.accepted, 1);
}

#[test]
fn a_payload_in_chunks_ends_the_run_with_its_last_one() {
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
    let mut rig = Rig::new(Limits::default(), plan(vec![src, step("a")], &[(0, 1)]));
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(src, &chunk("x", 0, 2, 0), at(1));
    rig.send_packet(src, &chunk("x", 1, 2, 0), at(1));
    rig.send_packet(src, &chunk("y", 0, 1, 0), at(1));
    assert_eq!(rig.labels(a, at(1)), ["x0", "x1"]);
}

#[test]
fn of_too_many_sets_the_one_that_began_first_is_forgotten() {
    let mut rig = rig(vec![begun_in_order()]);
    let src = rig.connect("src");
    for nth in 0..65 {
        rig.send_packet(src, &chunk(&format!("s{nth}-"), 0, 2, 0), at(1));
    }
    assert_eq!(rig.open_sets("src"), 64);
    rig.send_packet(src, &chunk("s1-", 1, 2, 0), at(1));
    assert_eq!(rig.edge("a").counts.accepted, 66);
    rig.send_packet(src, &chunk("s0-", 1, 2, 0), at(1));
    assert_eq!(rig.edge("a").counts.accepted, 66, "decided on its own");
}

#[test]
fn chunks_of_another_count_are_another_set() {
    let mut rig = rig(vec![begun_in_order()]);
    let src = rig.connect("src");
    rig.send_packet(src, &chunk("x", 0, 3, 0), at(1));
    rig.send_packet(src, &chunk("x", 1, 2, 0), at(1));
    assert_eq!(rig.edge("a").counts.accepted, 1);
}

#[test]
fn the_patience_with_a_set_stands_still_while_its_stream_is_not_read() {
    let mut rig = rig_of(vec![(one_at_a_time(), begun_in_order())]);
    let (src, a) = (rig.connect("src"), rig.connect("a"));
    rig.send_packet(src, &chunk("x", 0, 2, 0), at(1));
    rig.send(src, "full0", 10, at(1));
    assert_eq!(rig.offer(src, &packet("more0", 10), at(1)), Taken::Blocked);
    rig.tick(at(200_000));
    assert_eq!(rig.open_sets("src"), 1, "nothing of it could come");
    receipt_last(&mut rig, a, at(200_000));
    rig.tick(at(300_000));
    assert_eq!(
        rig.open_sets("src"),
        1,
        "it has been read for less than two minutes"
    );
    rig.tick(at(320_000));
    assert_eq!(rig.open_sets("src"), 0);
}

#[test]
fn a_set_whose_first_chunk_is_decided_elsewhere_goes_on_so() {
    let mut rig = rig(vec![only_if(r#"{{ eq packet.text "hi" }}"#)]);
    let src = rig.connect("src");
    let text = format!(r#"{{"text": "hi", "rest": "{}"}}"#, "x".repeat(70_000));
    let mut first = BytesMut::from(&chunk("x", 0, 2, 0)[..]);
    put_payload(&mut first, Dialect::Packet, &body(&text));
    let first = first.freeze();
    assert_eq!(rig.offer(src, &first, at(1)), Taken::Blocked);
    elsewhere::answer(&mut rig);
    rig.send_packet(src, &first, at(1));
    rig.send_packet(src, &chunk("x", 1, 2, 0), at(1));
    assert_eq!(rig.edge("a").counts.accepted, 2);
}

#[test]
fn a_set_that_waits_for_room_takes_as_much_as_all_its_chunks() {
    let small = StepPlan {
        queue: bounds(100, 1_000),
        ..one_at_a_time()
    };
    let mut rig = rig_of(vec![(small, begun_in_order())]);
    let src = rig.connect("src");
    rig.send(src, "0", 200, at(1));
    rig.send_packet(src, &chunk_of("x", (0, 2, 0), 500), at(1));
    assert_eq!(
        rig.offer(src, &chunk_of("x", (1, 2, 0), 200), at(1)),
        Taken::Blocked
    );
}
