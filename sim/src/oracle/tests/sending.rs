//! Content, identity and order of what goes out; who may speak.

use super::*;

#[test]
fn an_ordinary_history_is_in_order() {
    let mut h = History::new(KEPT);
    h.through(3);
    h.ack(C, 2);
    h.told(2).unwrap();
    h.counts((3, 2), ("expired", 0), (0, 1)).unwrap();
    h.receipt(C, "ns/r/sink@e1", 3);
    h.counts((3, 3), ("expired", 0), (0, 0)).unwrap();
    h.tell(Fact::End { waiting: "" }).unwrap();
}

#[test]
fn a_lower_generation_that_gets_in_is_noticed() {
    let mut h = History::new(KEPT);
    h.join(Link(2), SINK, 4).unwrap();
    breaks(h.join(Link(3), SINK, 3), "a lower generation is refused");
}

#[test]
fn a_refusal_without_a_reason_is_noticed() {
    let mut h = History::new(KEPT);
    let refused = |generation, why| Fact::Refused {
        step: SINK,
        generation,
        why,
    };
    breaks(
        h.tell(refused(1, Why::Superseded)),
        "only a lower generation is superseded",
    );
    h.tell(refused(0, Why::Superseded)).unwrap();
    h.tell(refused(1, Why::Duel)).unwrap();
    h.tell(Fact::Left { link: C }).unwrap();
    breaks(
        h.tell(refused(1, Why::Duel)),
        "a duel needs a present owner",
    );
}

#[test]
fn sending_to_a_superseded_connection_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(1);
    h.join(Link(2), SINK, 1).unwrap();
    breaks(
        h.sent(C, item(1), 1),
        "a superseded connection changes nothing",
    );
    h.join(Link(3), SRC, 1).unwrap();
    breaks(
        h.tell(Fact::Blocked { link: P }),
        "a superseded connection changes nothing",
    );
}

#[test]
fn bytes_that_are_no_message_are_noticed() {
    let mut h = History::new(KEPT);
    let fact = Fact::Sent {
        link: C,
        message: &[0x0a, 9, 1],
    };
    breaks(h.tell(fact), "the hub sends messages of the contract");
}

#[test]
fn a_packet_that_never_came_in_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(1);
    breaks(h.sent(C, item(2), 1), "what goes out came in");
    let mut h = History::new(KEPT);
    h.took(item(1).chunk(0, 2)).unwrap();
    breaks(h.sent(C, item(1).chunk(1, 2), 1), "what goes out came in");
}

#[test]
fn a_packet_stamped_for_another_step_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(1);
    let message = item(1).message("other", EnvelopeOut::default());
    let fact = Fact::Sent {
        link: C,
        message: &message,
    };
    breaks(h.tell(fact), "what goes out came in");
}

#[test]
fn a_packet_of_an_interrupted_turn_is_noticed() {
    let mut h = History::new(KEPT);
    h.took(item(1).turn(1)).unwrap();
    h.took(item(2).turn(2)).unwrap();
    h.interrupt(2);
    h.sent(C, item(2).turn(2), 2).unwrap();
    breaks(
        h.sent(C, item(1).turn(1), 3),
        "nothing of an interrupted turn goes out",
    );
}

#[test]
fn a_packet_that_names_no_turn_belongs_to_the_current_one() {
    let mut h = History::new(KEPT);
    h.took(item(1)).unwrap();
    h.interrupt(2);
    h.took(item(2)).unwrap();
    h.sent(C, item(2), 2).unwrap();
    breaks(
        h.sent(C, item(1), 3),
        "nothing of an interrupted turn goes out",
    );
}

#[test]
fn a_stream_id_of_another_step_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(1);
    h.stream = "ns/r/other@e1";
    breaks(h.sent(C, item(1), 1), "a stream id names its step");
}

#[test]
fn an_epoch_that_two_hub_lives_share_is_noticed() {
    let mut h = History::new(KEPT);
    h.through(1);
    h.tell(Fact::HubStarted).unwrap();
    h.join(Link(2), SRC, 1).unwrap();
    h.join(Link(3), SINK, 1).unwrap();
    let message = item(1).message("src", EnvelopeOut::default());
    h.tell(Fact::Took {
        link: Link(2),
        message: &message,
    })
    .unwrap();
    breaks(
        h.sent(Link(3), item(1), 1),
        "every start of a hub opens a new epoch",
    );
}

#[test]
fn a_payload_seen_again_after_a_crash_is_counted_apart() {
    let mut h = History::new(KEPT);
    h.through(1);
    h.tell(Fact::HubStarted).unwrap();
    h.join(Link(2), SRC, 1).unwrap();
    h.join(Link(3), SINK, 1).unwrap();
    let message = item(1).message("src", EnvelopeOut::default());
    h.tell(Fact::Took {
        link: Link(2),
        message: &message,
    })
    .unwrap();
    h.stream = "ns/r/sink@e2";
    h.sent(Link(3), item(1), 1).unwrap();
    assert_eq!(h.oracle.seen.twice_after_crash, 1);
}

#[test]
fn a_sequence_that_does_not_fit_the_promise_is_noticed() {
    let invariant = "only at_least_once packets have a sequence";
    for (promise, sequence) in [(Promise::BestEffort, 1), (KEPT, 0)] {
        let mut h = History::new(promise);
        h.took_all(1);
        breaks(h.sent(C, item(1), sequence), invariant);
    }
}

#[test]
fn a_best_effort_packet_that_goes_out_twice_or_late_is_noticed() {
    let mut h = History::new(Promise::BestEffort);
    h.took_all(2);
    h.sent(C, item(2), 0).unwrap();
    breaks(h.sent(C, item(2), 0), "a best_effort packet goes out once");
    breaks(h.sent(C, item(1), 0), "order holds per stream");
}

#[test]
fn an_identity_that_names_two_payloads_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(2);
    h.sent(C, item(1), 1).unwrap();
    breaks(
        h.sent(C, item(2), 1),
        "one identity never names two payloads",
    );
}

#[test]
fn a_packet_that_is_routed_twice_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(1);
    h.sent(C, item(1), 1).unwrap();
    breaks(
        h.sent(C, item(1), 2),
        "a packet is routed once within a hub life",
    );
}

#[test]
fn sequences_that_fall_and_numbers_out_of_order_are_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(2);
    h.sent(C, item(1), 5).unwrap();
    breaks(h.sent(C, item(2), 4), "sequences of new packets only grow");
    let mut h = History::new(KEPT);
    h.took_all(2);
    h.sent(C, item(2), 1).unwrap();
    breaks(
        h.sent(C, item(1), 2),
        "order holds per stream and partition",
    );
}

#[test]
fn a_directive_to_a_client_that_takes_none_is_noticed() {
    let mut h = History::new(KEPT);
    let metadata = [("hub-control", "interrupt".to_owned())];
    let out = PacketOut {
        metadata: &metadata,
        kind: Kind::None,
        body: &[],
        envelope: None,
    };
    let message = process_request(Some(&packet(&out)), None);
    let fact = Fact::Sent {
        link: C,
        message: &message,
    };
    breaks(h.tell(fact), "control goes to those who act on it");
}
