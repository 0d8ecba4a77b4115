//! What a receipt releases: told apart by the hub's own count of deliveries.

use super::*;

const INVARIANT: &str = "delivered counts what was receipted, once";

#[test]
fn a_cumulative_receipt_counts_up_to_what_was_sent_on_this_connection() {
    let mut h = History::new(KEPT);
    h.through(3);
    h.tell(Fact::Left { link: C }).unwrap();
    h.join(Link(2), SINK, 1).unwrap();
    h.ack(Link(2), 3);
    h.counts((3, 0), ("expired", 0), (3, 0)).unwrap();
    h.sent(Link(2), item(1), 1).unwrap();
    h.ack(Link(2), 3);
    h.counts((3, 1), ("expired", 0), (2, 0)).unwrap();
    breaks(h.counts((3, 3), ("expired", 0), (0, 0)), INVARIANT);
}

#[test]
fn a_receipt_beyond_what_this_epoch_sent_is_of_another_one() {
    let mut h = History::new(KEPT);
    h.through(2);
    h.ack(C, 9);
    breaks(h.counts((2, 2), ("expired", 0), (0, 0)), INVARIANT);
}

#[test]
fn a_single_receipt_releases_its_sequence_only() {
    let mut h = History::new(KEPT);
    h.through(3);
    h.receipt(C, "ns/r/sink@e1", 2);
    h.counts((3, 1), ("expired", 0), (0, 2)).unwrap();
    breaks(h.counts((3, 2), ("expired", 0), (0, 1)), INVARIANT);
}

#[test]
fn a_receipt_for_another_stream_or_epoch_releases_nothing() {
    for stream in ["ns/r/other@e1", "ns/r/sink@e0"] {
        let mut h = History::new(KEPT);
        h.through(1);
        h.receipt(C, stream, 1);
        breaks(h.counts((1, 1), ("expired", 0), (0, 0)), INVARIANT);
        assert_eq!(h.oracle.seen.foreign, 1);
    }
}

#[test]
fn a_receipt_on_a_superseded_connection_releases_nothing() {
    let mut h = History::new(KEPT);
    h.through(2);
    h.join(Link(2), SINK, 1).unwrap();
    h.ack(C, 1);
    h.receipt(C, "ns/r/sink@e1", 2);
    breaks(h.counts((2, 1), ("expired", 0), (1, 0)), INVARIANT);
    assert_eq!(h.oracle.seen.stale, 2);
}

#[test]
fn a_cumulative_receipt_does_not_pass_a_set_that_is_not_whole() {
    let mut h = History::new(KEPT);
    h.took(item(1).chunk(0, 2)).unwrap();
    h.sent(C, item(1).chunk(0, 2), 1).unwrap();
    h.ack(C, 1);
    h.counts((1, 0), ("expired", 0), (0, 1)).unwrap();
    h.took(item(1).chunk(1, 2)).unwrap();
    h.sent(C, item(1).chunk(1, 2), 1).unwrap();
    h.ack(C, 1);
    h.counts((1, 1), ("expired", 0), (0, 0)).unwrap();
    assert_eq!(h.oracle.seen.chunk_sets, 1);
}
