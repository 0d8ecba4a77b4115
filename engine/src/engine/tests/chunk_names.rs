//! Names of chunk sets that their producer uses again while something is known of the last set of
//! that name: no chunks of two payloads are put together (spec 2.3, chunks; 2.4 rule 5).

use super::chunks::{got, media_len, named};
use super::guarantee::{ack, kept, pair};
use super::*;
use crate::route::Guarantee;

/// Chunks of the payload `x`: index, count, number, and bytes that tell its payload.
type Place = (u8, u8, u8);

fn send(rig: &mut Rig, p: ConnId, places: &[Place], size: usize) {
    for &place in places {
        rig.send_packet(p, &chunk_of("x", place, size), at(1));
    }
}

/// Bytes of each payload that arrives.
fn sizes(rig: &mut Rig, c: ConnId) -> Vec<usize> {
    rig.take(c, at(2)).iter().map(media_len).collect()
}

/// A rig where a payload of more than `most` bytes is dropped.
fn holding(most: usize) -> Rig {
    let limits = Limits {
        max_message_bytes: most,
        ..Limits::default()
    };
    let steps = vec![step("p"), kept("c", Guarantee::default())];
    Rig::new(limits, plan(steps, &[(0, 1)]))
}

#[test]
fn the_rest_of_a_set_that_was_dropped_with_its_first_chunk_is_no_set_of_its_own() {
    let first = chunk_of("x", (0, 3, 1), 400);
    let mut rig = holding(first.len());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_packet(p, &first, at(1));
    let dropped = rig.edge("c").counts.dropped(DropReason::Oversize);
    assert_eq!(dropped, 1, "with what the hub adds it is too large");
    send(&mut rig, p, &[(1, 3, 2), (2, 3, 3)], 10);
    let edge = rig.edge("c");
    assert_eq!((edge.counts.accepted, edge.queued), (1, 0));
    send(&mut rig, p, &[(0, 3, 4)], 20);
    assert!(sizes(&mut rig, c).is_empty(), "the rest of it is to come");
    send(&mut rig, p, &[(1, 3, 5), (2, 3, 6)], 20);
    assert_eq!(sizes(&mut rig, c), [20, 20, 20]);
    let edge = rig.edge("c");
    assert_eq!((edge.counts.accepted, edge.queued), (2, 0));
}

#[test]
fn the_rest_of_a_set_that_grew_too_large_is_no_set_of_its_own() {
    let mut rig = holding(1000);
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    send(&mut rig, p, &[(0, 4, 1), (1, 4, 2)], 600);
    assert_eq!(rig.edge("c").counts.dropped(DropReason::Oversize), 1);
    send(&mut rig, p, &[(2, 4, 3), (3, 4, 4)], 10);
    send(&mut rig, p, &[(0, 4, 5), (1, 4, 6)], 20);
    assert!(sizes(&mut rig, c).is_empty());
    send(&mut rig, p, &[(2, 4, 7), (3, 4, 8)], 20);
    assert_eq!(sizes(&mut rig, c), [20, 20, 20, 20]);
    assert_eq!(rig.edge("c").counts.accepted, 2);
}

#[test]
fn a_dropped_set_of_one_number_takes_no_chunk_of_another() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    send(&mut rig, p, &[(0, 3, 1), (1, 3, 1)], 10);
    rig.interrupt(p, None, at(1));
    send(
        &mut rig,
        p,
        &[(2, 3, 2), (1, 3, 2), (2, 3, 1), (0, 3, 2)],
        20,
    );
    assert_eq!(sizes(&mut rig, c), [20, 20, 20]);
}

#[test]
fn a_second_first_chunk_begins_another_payload() {
    for rest in [(1, 2, 4), (1, 2, 5)] {
        let mut rig = pair(Guarantee::default(), QueueBounds::default());
        let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
        send(&mut rig, p, &[(0, 2, 1)], 10);
        send(&mut rig, p, &[(0, 2, 4), rest], 20);
        assert_eq!(sizes(&mut rig, c), [20, 20], "under {}", rest.2);
        rig.flow(c, &ack(1), at(3));
        rig.tick(at(120_001));
        let counts = rig.edge("c").counts;
        assert_eq!((counts.accepted, counts.delivered), (2, 1));
        assert_eq!(counts.dropped(DropReason::ChunkTimeout), 1);
        assert_eq!(rig.acks(p, at(121_000)), [u64::from(rest.2)]);
    }
}

#[test]
fn a_payload_of_another_count_is_another_one() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    send(&mut rig, p, &[(0, 3, 1)], 10);
    send(&mut rig, p, &[(1, 2, 2), (0, 2, 2)], 20);
    assert_eq!(sizes(&mut rig, c), [20, 20]);
}

#[test]
fn two_sets_of_one_name_at_a_time_are_told_apart_by_their_numbers() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    send(&mut rig, p, &[(0, 2, 1)], 10);
    send(&mut rig, p, &[(0, 2, 2), (1, 2, 2)], 20);
    send(&mut rig, p, &[(1, 2, 1)], 10);
    assert_eq!(sizes(&mut rig, c), [20, 20, 10, 10]);
    rig.flow(c, &ack(2), at(3));
    assert_eq!(rig.acks(p, at(300)), [2]);
}

#[test]
fn a_set_that_is_numbered_apart_and_was_cut_off_is_completed_by_the_resend() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    send(&mut rig, p, &[(0, 3, 1), (1, 3, 2)], 10);
    rig.disconnect(p);
    let p = rig.connect_numbering("p", "e7");
    send(&mut rig, p, &[(0, 3, 1), (1, 3, 2), (2, 3, 3)], 10);
    let whole = named(&[("x0", 1), ("x1", 1), ("x2", 1)]);
    assert_eq!(got(&mut rig, c, at(2)), whole);
    assert_eq!(rig.edge("c").counts.accepted, 1);
}

#[test]
fn chunks_that_are_numbered_apart_come_in_any_order() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    send(&mut rig, p, &[(2, 3, 1), (0, 3, 2), (1, 3, 3)], 10);
    let whole = named(&[("x2", 1), ("x0", 1), ("x1", 1)]);
    assert_eq!(got(&mut rig, c, at(2)), whole);
}

#[test]
fn the_rest_of_a_set_that_was_one_too_many_is_no_set_of_its_own() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    for n in 1..=64 {
        rig.send_packet(p, &chunk(&format!("s{n}"), 0, 2, n), at(1));
    }
    send(&mut rig, p, &[(0, 3, 65), (1, 3, 66)], 10);
    rig.send_packet(p, &chunk("s64", 1, 2, 64), at(1));
    assert_eq!(sizes(&mut rig, c).len(), 2, "there is room for a set again");
    send(&mut rig, p, &[(2, 3, 67)], 10);
    send(&mut rig, p, &[(0, 3, 68), (1, 3, 68)], 20);
    assert!(sizes(&mut rig, c).is_empty());
    send(&mut rig, p, &[(2, 3, 68)], 20);
    assert_eq!(sizes(&mut rig, c), [20, 20, 20]);
    let counts = rig.edge("c").counts;
    assert_eq!(counts.dropped(DropReason::MaxBuffers), 1, "one drop");
    assert_eq!(counts.accepted, 66);
}
