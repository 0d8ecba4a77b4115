//! What bounds chunk sets: sizes, counts, and how long dropped ones are remembered (spec 2.3,
//! chunks).

use super::chunks::{got, named};
use super::guarantee::{kept, pair};
use super::*;
use crate::account::RefuseReason;
use crate::route::{Guarantee, Overflow};

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

#[test]
fn a_dropped_set_is_forgotten_two_minutes_after_its_last_chunk() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(0));
    rig.interrupt(p, None, at(1));
    rig.tick(at(119_999));
    rig.send_packet(p, &chunk("x", 1, 2, 0), at(119_999));
    assert_eq!(
        rig.edge("c").counts.accepted,
        1,
        "a chunk of the dropped one"
    );
    rig.tick(at(120_000));
    assert_eq!(rig.labels(c, at(120_000)), ["heartbeat"]);
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(120_001));
    rig.send_packet(p, &chunk("x", 1, 2, 0), at(120_001));
    let anew = named(&[("x0", 1), ("x1", 1)]);
    assert_eq!(got(&mut rig, c, at(120_002)), anew);
}

#[test]
fn a_chunk_past_the_count_of_its_set_is_no_part_of_it() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for (index, count) in [(0, 2), (5, 9), (1, 2)] {
        rig.send_packet(p, &chunk("x", index, count, 0), at(1));
    }
    let whole = named(&[("x0", 1), ("x1", 1)]);
    assert_eq!(got(&mut rig, c, at(2)), whole);
}

#[test]
fn a_chunk_of_more_than_256_is_invalid() {
    for (count, refused) in [(256, 0), (257, 1)] {
        let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
        let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
        rig.send_packet(src, &first_of(count), at(1));
        assert_eq!(rig.labels(sink, at(2)).len(), 1 - refused, "{count}");
        let counts = rig.engine.snapshot().refused;
        assert_eq!(counts.get(RefuseReason::Invalid), refused as u64);
    }
}

#[test]
fn all_open_sets_together_hold_64_mib_at_most() {
    const MIB: usize = 1 << 20;
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let p = rig.connect("p");
    for n in 0..8 {
        let first = chunk_of(&format!("s{n}"), (0, 2, 0), 9 * MIB);
        rig.send_packet(p, &first, at(1));
    }
    let edge = rig.edge("c");
    assert_eq!(
        (edge.counts.dropped(DropReason::MaxBuffers), edge.queued),
        (1, 7)
    );
    let staged = rig.engine.snapshot().queued_bytes;
    assert!((63 * MIB..=64 * MIB).contains(&staged), "{staged}");
}

#[test]
fn a_payload_larger_than_a_message_ends_as_one_drop() {
    for (last, oversize) in [(200, 0), (201, 1)] {
        let limits = Limits {
            max_message_bytes: 1000,
            ..Limits::default()
        };
        let steps = vec![step("p"), kept("c", Guarantee::default())];
        let mut rig = Rig::new(limits, plan(steps, &[(0, 1)]));
        let (p, c) = (rig.connect("p"), rig.connect("c"));
        for (index, size) in [(0, 400), (1, 400), (2, last)] {
            rig.send_packet(p, &chunk_of("x", (index, 3, 0), size), at(1));
        }
        let dropped = rig.edge("c").counts.dropped(DropReason::Oversize);
        assert_eq!(dropped, oversize, "{last}");
        let whole = if oversize == 0 { 3 } else { 0 };
        assert_eq!(got(&mut rig, c, at(2)).len(), whole);
    }
}

#[test]
fn the_patience_with_a_set_begins_anew_with_each_chunk() {
    let mut rig = pair(Guarantee::default(), QueueBounds::default());
    let p = rig.connect_numbering("p", "e7");
    rig.send_packet(p, &chunk("x", 0, 3, 1), at(0));
    rig.send_packet(p, &chunk("x", 1, 3, 1), at(100_000));
    assert!(rig.acks(p, at(219_999)).is_empty());
    assert_eq!(rig.edge("c").queued, 1);
    rig.tick(at(220_000));
    assert_eq!(rig.acks(p, at(221_000)), [1]);
    assert_eq!(rig.edge("c").counts.dropped(DropReason::ChunkTimeout), 1);
}
