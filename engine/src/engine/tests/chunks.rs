//! Chunk sets and credits (spec 2.3, 2.5).

use transport_proto::view::Flow;

use super::guarantee::{identity, kept, pair};
use super::*;
use crate::route::{Credits, FlowPlan, Guarantee, Overflow, Semantics};

/// Chunk `index` of `count` of the payload `id`, with the producer's number when it is not 0.
fn chunk(id: &str, index: u8, count: u8, number: u8) -> Bytes {
    let mut out = BytesMut::from(&packet(&format!("{id}{index}"), 10)[..]);
    let mut envelope = vec![0x0a, 3, b'o', b'w', b'n', 0x22, id.len() as u8];
    envelope.extend_from_slice(id.as_bytes());
    envelope.extend_from_slice(&[0x28, index, 0x30, count]);
    if number > 0 {
        envelope.extend_from_slice(&[0x10, number]);
    }
    out.extend_from_slice(&[0x42, envelope.len() as u8]);
    out.extend_from_slice(&envelope);
    out.freeze()
}

/// The same in a partition; `place` is index, count and number.
fn chunk_in(id: &str, (index, count, number): (u8, u8, u8), partition: &str) -> Bytes {
    let whole = chunk(id, index, count, number);
    let mut out = BytesMut::from(&whole[..]);
    let mut envelope = vec![0x1a, partition.len() as u8];
    envelope.extend_from_slice(partition.as_bytes());
    // A second occurrence merges into the first.
    out.extend_from_slice(&[0x42, envelope.len() as u8]);
    out.extend_from_slice(&envelope);
    out.freeze()
}

fn ack(through: u64) -> Flow {
    Flow {
        ack: through,
        ..Flow::default()
    }
}

fn credits(messages: u32) -> Flow {
    Flow {
        credits_messages: messages,
        ..Flow::default()
    }
}

fn got(rig: &mut Rig, conn: ConnId, now: Moment) -> Vec<(String, u64)> {
    let packets = rig.take(conn, now);
    packets.iter().map(|p| (label(p), identity(p).1)).collect()
}

fn named(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
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
fn a_65th_open_set_is_refused_by_name() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let p = rig.connect("p");
    for n in 0..65 {
        rig.send_packet(p, &chunk(&format!("s{n}"), 0, 2, 0), at(1));
    }
    assert_eq!(rig.edge("c").counts.dropped(DropReason::MaxBuffers), 1);
}

#[test]
fn credits_count_from_the_first_that_are_returned_and_anew_on_each_connection() {
    let consumer = StepPlan {
        flow: FlowPlan {
            grant: Credits {
                messages: 3,
                bytes: 1 << 20,
            },
            ..FlowPlan::default()
        },
        ..kept("c", Guarantee::default())
    };
    let mut rig = Rig::new(
        Limits::default(),
        plan(vec![step("p"), consumer], &[(0, 1)]),
    );
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=9 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    rig.flow(c, &credits(1), at(10));
    assert_eq!(got(&mut rig, c, at(11)).len(), 3, "the grant, never more");
    rig.flow(c, &ack(3), at(12));
    assert_eq!(got(&mut rig, c, at(13)).len(), 0, "a receipt is no credit");
    rig.flow(c, &credits(2), at(14));
    assert_eq!(rig.actions.wake.last(), Some(&c));
    assert_eq!(got(&mut rig, c, at(15)).len(), 2);
    rig.disconnect(c);
    let c = rig.connect("c");
    rig.flow(c, &credits(1), at(16));
    assert_eq!(
        got(&mut rig, c, at(17)).len(),
        3,
        "replay uses the new grant"
    );
}

#[test]
fn the_budget_of_all_queues_blocks_and_lets_go_on() {
    let limits = Limits {
        queue_budget_bytes: 5000,
        ..Limits::default()
    };
    let steps = vec![step("p"), kept("c", Guarantee::default())];
    let mut rig = Rig::new(limits, plan(steps, &[(0, 1)]));
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    assert_eq!(rig.offer(p, &packet("1", 4000), at(1)), Taken::Yes);
    assert_eq!(rig.offer(p, &packet("2", 4000), at(2)), Taken::Blocked);
    assert_eq!(got(&mut rig, c, at(3)).len(), 1);
    rig.actions.resume.clear();
    rig.flow(c, &ack(1), at(4));
    assert_eq!(rig.actions.resume[..], [p]);
    assert_eq!(rig.offer(p, &packet("2", 4000), at(5)), Taken::Yes);
}

#[test]
fn credits_that_let_a_large_packet_go_wake_its_step() {
    for semantics in [
        Semantics::BestEffort,
        Semantics::AtLeastOnce(Guarantee::default()),
    ] {
        let consumer = StepPlan {
            semantics,
            flow: FlowPlan {
                grant: Credits {
                    messages: 100,
                    bytes: 5000,
                },
                ..FlowPlan::default()
            },
            ..step("c")
        };
        let steps = vec![step("p"), consumer];
        let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1)]));
        let (p, c) = (rig.connect("p"), rig.connect("c"));
        let bytes = |credits_bytes| Flow {
            credits_bytes,
            ..Flow::default()
        };
        rig.flow(c, &bytes(1), at(0));
        rig.send(p, "first", 3000, at(1));
        assert_eq!(got(&mut rig, c, at(2)).len(), 1);
        rig.send(p, "large", 3000, at(3));
        assert_eq!(got(&mut rig, c, at(4)).len(), 0, "{semantics:?}");
        rig.actions.wake.clear();
        rig.flow(c, &bytes(3000), at(5));
        assert_eq!(rig.actions.wake[..], [c], "{semantics:?}");
        assert_eq!(got(&mut rig, c, at(6)).len(), 1, "{semantics:?}");
    }
}

#[test]
fn a_set_that_would_be_one_partition_too_many_is_settled_as_a_drop() {
    let guarantee = Guarantee {
        per_partition: true,
        ..Guarantee::default()
    };
    let mut rig = pair(guarantee, bounds(10_000, usize::MAX));
    let p = rig.connect_numbering("p", "e7");
    for n in 1..=4095 {
        rig.send_packet(p, &in_partition(&format!("p{n}")), at(1));
    }
    rig.send_packet(p, &chunk_in("x", (0, 2, 1), "one too many"), at(2));
    rig.send_packet(p, &chunk_in("x", (1, 2, 1), "one too many"), at(2));
    let edge = rig.edge("c");
    assert_eq!(edge.counts.dropped(DropReason::MaxBuffers), 1);
    assert_eq!((edge.counts.accepted, edge.queued), (4096, 4095));
    assert_eq!(rig.acks(p, at(300)), [1], "the producer may forget it");
}

#[test]
fn what_is_remembered_of_dropped_sets_is_bounded() {
    let guarantee = Guarantee {
        overflow: Overflow::DeadLetter,
        ..Guarantee::default()
    };
    let mut rig = pair(guarantee, bounds(1, usize::MAX));
    let p = rig.connect("p");
    rig.send(p, "in the way", 10, at(0));
    for n in 0..1000 {
        rig.send_packet(p, &chunk(&format!("s{n}"), 0, 1, 0), at(1));
        rig.send_packet(p, &chunk(&format!("t{n}"), 0, 2, 0), at(1));
        rig.send_packet(p, &chunk(&format!("t{n}"), 1, 2, 0), at(1));
    }
    assert_eq!(rig.edge("c").counts.dropped(DropReason::LaneFull), 2000);
    assert!(
        rig.remembered_sets("c") <= 128,
        "{}",
        rig.remembered_sets("c")
    );
}
