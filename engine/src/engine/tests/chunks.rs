//! Chunk sets: one sequence, one receipt, one end (spec 2.3, chunks).

use super::guarantee::{ack, identity, pair};
use super::*;
use crate::route::{Guarantee, Overflow};

pub(super) fn got(rig: &mut Rig, conn: ConnId, now: Moment) -> Vec<(String, u64)> {
    let packets = rig.take(conn, now);
    packets.iter().map(|p| (label(p), identity(p).1)).collect()
}

pub(super) fn named(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    let pairs = expected.iter();
    pairs.map(|(label, n)| ((*label).to_owned(), *n)).collect()
}

#[test]
fn chunks_of_one_payload_share_a_sequence_and_are_receipted_as_one() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(1));
    rig.send(p, "between", 10, at(2));
    assert_eq!(got(&mut rig, c, at(3)), named(&[("between", 1)]));
    assert_eq!(rig.edge("c").queued, 1, "x waits to be whole");
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(4));
    rig.send_packet(p, &chunk("x", 1, 2, 0), at(5));
    rig.send_packet(p, &chunk("x", 1, 2, 0), at(5));
    let whole = named(&[("x0", 2), ("x1", 2)]);
    assert_eq!(got(&mut rig, c, at(6)), whole, "of each the first");
    assert_eq!(rig.edge("c").in_flight, 2, "a set is one packet");
    rig.flow(c, &ack(2), at(7));
    let edge = rig.edge("c");
    assert_eq!((edge.counts.accepted, edge.counts.delivered), (2, 2));
}

#[test]
fn a_set_is_replayed_whole() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send_packet(p, &chunk("x", 1, 2, 0), at(1));
    rig.disconnect(c);
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(2));
    let whole = named(&[("x1", 1), ("x0", 1)]);
    for life in 0..2 {
        let c = rig.connect("c");
        assert_eq!(got(&mut rig, c, at(3)), whole, "connection {life}");
        rig.disconnect(c);
    }
    let c = rig.connect("c");
    assert_eq!(got(&mut rig, c, at(4)), whole);
    rig.flow(c, &ack(1), at(5));
    assert_eq!(rig.edge("c").counts.delivered, 1);
}

#[test]
fn an_abandoned_set_ends_as_one_drop_after_two_minutes() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_packet(p, &chunk("x", 0, 3, 1), at(0));
    rig.send_packet(p, &chunk("x", 1, 3, 1), at(0));
    rig.send_numbered(p, 2, at(1));
    assert_eq!(
        got(&mut rig, c, at(2)),
        named(&[("2", 1)]),
        "it holds up nobody"
    );
    rig.flow(c, &ack(1), at(3));
    assert!(
        rig.acks(p, at(119_000)).is_empty(),
        "1 may still be completed"
    );
    assert_eq!(rig.acks(p, at(121_000)), [2]);
    let edge = rig.edge("c");
    assert_eq!(edge.counts.dropped(DropReason::ChunkTimeout), 1);
    assert_eq!(edge.counts.accepted, 2);
    rig.send_packet(p, &chunk("x", 2, 3, 1), at(122_000));
    assert_eq!(rig.edge("c").counts.accepted, 2, "too late");
}

#[test]
fn a_set_larger_than_the_window_goes_out_whole() {
    let mut rig = pair(Guarantee::default(), bounds(2, usize::MAX));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for index in 0..5 {
        rig.send_packet(p, &chunk("x", index, 5, 0), at(1));
    }
    assert_eq!(got(&mut rig, c, at(2)).len(), 5);
    rig.flow(c, &ack(1), at(3));
    assert_eq!(rig.edge("c").counts.delivered, 1);
}

#[test]
fn a_set_that_is_whole_waits_for_room_as_one_packet() {
    let mut rig = pair(Guarantee::default(), bounds(2, usize::MAX));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(1));
    rig.send(p, "1", 10, at(1));
    rig.send(p, "2", 10, at(1));
    assert_eq!(rig.offer(p, &chunk("x", 1, 2, 0), at(2)), Taken::Blocked);
    assert_eq!(got(&mut rig, c, at(3)), named(&[("1", 1), ("2", 2)]));
    assert_eq!(rig.actions.resume[..], [p]);
    assert_eq!(rig.offer(p, &chunk("x", 1, 2, 0), at(4)), Taken::Yes);
    rig.flow(c, &ack(2), at(5));
    assert_eq!(got(&mut rig, c, at(6)), named(&[("x0", 3), ("x1", 3)]));
}

#[test]
fn an_interrupt_ends_a_set_that_is_not_whole() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_packet(p, &chunk("x", 0, 2, 1), at(1));
    rig.interrupt(p, None, at(2));
    let edge = rig.edge("c");
    assert_eq!(edge.counts.dropped(DropReason::Interrupted), 1);
    rig.send_packet(p, &chunk("x", 1, 2, 1), at(3));
    assert!(got(&mut rig, c, at(4)).is_empty());
    assert_eq!(rig.acks(p, at(300)), [1]);
}

#[test]
fn a_numbered_set_that_was_cut_off_is_completed_by_the_resend() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_packet(p, &chunk("x", 0, 3, 1), at(0));
    rig.disconnect(p);
    let p = rig.connect_numbering("p", "e7");
    for index in 0..3 {
        rig.send_packet(p, &chunk("x", index, 3, 1), at(1));
    }
    assert_eq!(
        got(&mut rig, c, at(2)),
        named(&[("x0", 1), ("x1", 1), ("x2", 1)])
    );
    rig.flow(c, &ack(1), at(3));
    assert_eq!(rig.acks(p, at(300)), [1]);
}

#[test]
fn a_set_that_finds_no_room_ends_as_one_drop() {
    let guarantee = Guarantee {
        overflow: Overflow::DeadLetter,
        ..Guarantee::default()
    };
    let mut rig = pair(guarantee, bounds(2, usize::MAX));
    let p = rig.connect("p");
    rig.send(p, "1", 10, at(1));
    rig.send(p, "2", 10, at(1));
    for index in 0..4 {
        rig.send_packet(p, &chunk("x", index, 4, 0), at(1));
    }
    let edge = rig.edge("c");
    assert_eq!(edge.counts.dropped(DropReason::LaneFull), 1);
    assert_eq!((edge.counts.accepted, edge.queued), (3, 2));
    let c = rig.connect("c");
    assert_eq!(got(&mut rig, c, at(3)).len(), 2);
    rig.send(p, "next", 10, at(4));
    rig.flow(c, &ack(2), at(5));
    assert_eq!(got(&mut rig, c, at(6)), named(&[("next", 3)]), "no hole");
}

#[test]
fn a_new_producer_epoch_completes_no_set_of_the_one_before() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_packet(p, &renamed("old", &chunk("x", 0, 2, 1)), at(0));
    rig.disconnect(p);
    let p = rig.connect_numbering("p", "e8");
    for index in 0..2 {
        rig.send_packet(p, &chunk("x", index, 2, 1), at(1));
    }
    assert_eq!(
        got(&mut rig, c, at(2)),
        named(&[("x0", 1), ("x1", 1)]),
        "nothing of the old payload"
    );
    rig.flow(c, &ack(1), at(3));
    assert_eq!(rig.acks(p, at(300)), [1]);
    rig.tick(at(120_000));
    let edge = rig.edge("c");
    assert_eq!(edge.counts.dropped(DropReason::ChunkTimeout), 1);
    assert_eq!((edge.counts.accepted, edge.counts.delivered), (2, 1));
}

#[test]
fn a_name_that_is_used_again_under_another_number_is_another_set() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    for (index, number) in [(0, 1), (1, 1), (0, 2), (1, 2)] {
        rig.send_packet(p, &chunk("x", index, 2, number), at(0));
    }
    let both = named(&[("x0", 1), ("x1", 1), ("x0", 2), ("x1", 2)]);
    assert_eq!(got(&mut rig, c, at(1)), both, "nothing is receipted yet");
    rig.send_packet(p, &chunk("x", 0, 2, 3), at(2));
    rig.interrupt(p, None, at(3));
    for (index, number) in [(0, 4), (1, 3), (1, 4)] {
        rig.send_packet(
            p,
            &chunk_of("x", (index, 2, number), 10 + usize::from(number)),
            at(4),
        );
    }
    let next = rig.take(c, at(5));
    let sizes = next.iter().map(media_len);
    assert_eq!(
        sizes.collect::<Vec<_>>(),
        [14, 14],
        "nothing of what was dropped"
    );
    rig.flow(c, &ack(3), at(7));
    assert_eq!(rig.acks(p, at(300)), [4]);
    let counts = rig.edge("c").counts;
    assert_eq!((counts.accepted, counts.delivered), (4, 3));
    assert_eq!(counts.dropped(DropReason::Interrupted), 1);
}

#[test]
fn chunks_that_are_numbered_apart_are_put_together() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect_numbering("p", "e7"), rig.connect("c"));
    rig.send_packet(p, &chunk("x", 0, 2, 1), at(0));
    rig.send_packet(p, &chunk("x", 1, 2, 2), at(0));
    assert_eq!(got(&mut rig, c, at(1)), named(&[("x0", 1), ("x1", 1)]));
}

pub(super) fn media_len(packet: &Bytes) -> usize {
    let view = PacketView::parse(packet, Dialect::Packet).unwrap();
    view.media_len()
}

/// The packet under another label.
fn renamed(name: &str, packet: &Bytes) -> Bytes {
    let mut out = BytesMut::from(&packet[..]);
    put_metadata(&mut out, Dialect::Packet, "n", name);
    out.freeze()
}
