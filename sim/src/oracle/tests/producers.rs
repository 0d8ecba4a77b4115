//! What producers hear, and what consumers grant.

use super::*;

const SETTLED: &str = "an ack means that every edge has settled";

#[test]
fn an_ack_before_the_receipt_is_noticed() {
    let mut h = History::new(KEPT);
    h.through(2);
    h.ack(C, 1);
    h.told(1).unwrap();
    breaks(h.told(2), SETTLED);
}

#[test]
fn an_ack_for_what_is_neither_receipted_nor_dropped_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(1);
    h.told(1).unwrap();
    breaks(h.counts((1, 0), ("interrupted", 0), (1, 0)), SETTLED);
}

#[test]
fn sending_what_was_acknowledged_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(1);
    h.told(1).unwrap();
    breaks(h.sent(C, item(1), 1), SETTLED);
}

#[test]
fn an_ack_that_falls_or_passes_what_was_taken_is_noticed() {
    let mut h = History::new(KEPT);
    h.through(2);
    h.ack(C, 2);
    h.told(2).unwrap();
    breaks(h.told(1), "an ack never falls");
    let mut h = History::new(KEPT);
    h.through(1);
    h.ack(C, 1);
    breaks(h.told(2), "an ack never passes what was taken");
}

#[test]
fn an_ack_before_the_last_chunk_is_noticed() {
    let mut h = History::new(KEPT);
    h.took(item(1).chunk(0, 2)).unwrap();
    breaks(h.told(1), "a number is complete when all its chunks are");
}

#[test]
fn an_ack_to_a_client_that_does_not_number_is_noticed() {
    let mut h = History::new(KEPT);
    let message = process_request(
        None,
        Some(&FlowOut {
            ack: 1,
            ..FlowOut::default()
        }),
    );
    let fact = Fact::Sent {
        link: C,
        message: &message,
    };
    breaks(h.tell(fact), "only numbering producers are told acks");
}

#[test]
fn a_resend_is_not_routed_again() {
    let mut h = History::new(KEPT);
    h.took_all(2);
    h.took(item(1)).unwrap();
    assert_eq!(h.oracle.seen.resends, 1);
    let verdict = h.counts((3, 0), ("interrupted", 0), (3, 0));
    breaks(verdict, "accepted counts what was routed, once");
}

#[test]
fn signals_that_do_not_take_turns_are_noticed() {
    let invariant = "PAUSE and RESUME take turns, for those who asked";
    // FlowControl {signal}, which no client writes.
    let signal = |n: u8| [0x12, 2, 0x38, n];
    let mut h = History::new(KEPT);
    breaks(
        h.tell(Fact::Sent {
            link: P,
            message: &signal(2),
        }),
        invariant,
    );
    let mut h = History::new(KEPT);
    h.tell(Fact::Sent {
        link: P,
        message: &signal(1),
    })
    .unwrap();
    h.tell(Fact::Sent {
        link: P,
        message: &signal(2),
    })
    .unwrap();
    h.tell(Fact::Sent {
        link: P,
        message: &signal(1),
    })
    .unwrap();
    breaks(
        h.tell(Fact::Sent {
            link: P,
            message: &signal(1),
        }),
        invariant,
    );
}

#[test]
fn more_than_was_granted_and_returned_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(5);
    h.sent(C, item(1), 1).unwrap();
    let one = FlowOut {
        credits_messages: 1,
        ..FlowOut::default()
    };
    h.flow(C, &one).unwrap();
    for number in 2..=4 {
        h.sent(C, item(number), u64::from(number)).unwrap();
    }
    let invariant = "never more is sent than was granted and returned";
    breaks(h.sent(C, item(5), 5), invariant);
}

#[test]
fn a_new_connection_begins_with_the_whole_grant_and_no_more() {
    let mut h = History::new(KEPT);
    let one = FlowOut {
        credits_messages: 1,
        ..FlowOut::default()
    };
    h.flow(C, &one).unwrap();
    h.through(3);
    h.tell(Fact::Left { link: C }).unwrap();
    h.join(Link(2), SINK, 1).unwrap();
    for number in 1..=3 {
        h.sent(Link(2), item(number), u64::from(number)).unwrap();
    }
    h.took(item(4)).unwrap();
    h.sent(Link(2), item(4), 4).unwrap();
    assert_eq!(
        h.oracle.seen.replayed, 3,
        "credits count only once the peer returns some"
    );
}
