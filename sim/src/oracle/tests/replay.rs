//! What a reconnect and a late receipt bring again.

use super::*;

/// Three packets went out; the consumer has reconnected.
fn reconnected(promise: Promise) -> History {
    let mut h = History::new(promise);
    h.through(3);
    h.tell(Fact::Left { link: C }).unwrap();
    h.join(Link(2), SINK, 1).unwrap();
    h.took(item(4)).unwrap();
    h
}

#[test]
fn a_replay_in_order_before_anything_new_is_fine() {
    let mut h = reconnected(KEPT);
    for number in 1..=4 {
        h.sent(Link(2), item(number), u64::from(number)).unwrap();
    }
    assert_eq!(h.oracle.seen.replayed, 3);
}

#[test]
fn anything_new_before_the_replay_is_noticed() {
    let mut h = reconnected(KEPT);
    h.sent(Link(2), item(1), 1).unwrap();
    breaks(
        h.sent(Link(2), item(4), 4),
        "everything unreceipted is replayed before anything new",
    );
}

#[test]
fn a_packet_that_a_replay_skips_is_noticed() {
    let mut h = reconnected(KEPT);
    h.sent(Link(2), item(1), 1).unwrap();
    breaks(
        h.sent(Link(2), item(3), 3),
        "nothing is skipped in a replay",
    );
}

#[test]
fn a_packet_that_was_receipted_meanwhile_may_be_skipped() {
    let mut h = reconnected(KEPT);
    h.receipt(Link(2), "ns/r/sink@e1", 2);
    h.sent(Link(2), item(1), 1).unwrap();
    h.sent(Link(2), item(3), 3).unwrap();
    h.sent(Link(2), item(4), 4).unwrap();
}

#[test]
fn a_packet_whose_receipt_was_taken_in_is_noticed_when_it_comes_again() {
    let mut h = reconnected(KEPT);
    h.receipt(Link(2), "ns/r/sink@e1", 1);
    breaks(
        h.sent(Link(2), item(1), 1),
        "nothing whose receipt was taken in is sent again",
    );
}

#[test]
fn a_replay_out_of_order_is_noticed() {
    // The first may have been dropped, so skipping it is no fault; sending it late is.
    let promise = Promise::AtLeastOnce {
        dead_letter: false,
        per_partition: false,
        redelivery: Some((Nanos::millis(10), 1)),
    };
    let mut h = reconnected(promise);
    h.sent(Link(2), item(2), 2).unwrap();
    breaks(h.sent(Link(2), item(1), 1), "a replay keeps the order");
}

#[test]
fn sending_again_on_the_same_connection_needs_a_late_receipt() {
    let invariant = "a connection gets a packet again only after ackWait";
    let mut h = History::new(KEPT);
    h.through(1);
    breaks(h.sent(C, item(1), 1), invariant);
    let redelivery = Some((Nanos::millis(10), 2));
    let mut h = History::new(Promise::AtLeastOnce {
        dead_letter: false,
        per_partition: false,
        redelivery,
    });
    h.through(1);
    h.at = Nanos::millis(10);
    breaks(h.sent(C, item(1), 1), invariant);
    h.at = Nanos::millis(11);
    h.sent(C, item(1), 1).unwrap();
    h.at = Nanos::millis(21);
    breaks(
        h.sent(C, item(1), 1),
        "nothing is redelivered past maxDeliver",
    );
}
