//! What is sent, kept and sent again.

use super::*;

#[test]
fn nothing_is_sent_before_the_hub_is_ready() {
    let mut session = session(Dialect::Connector);
    send(&mut session, "a");
    assert!(session.next_packet().is_none());
    session.connected(true);
    assert!(session.next_packet().is_none());
    greet(&mut session);
    assert_eq!(handed(&mut session), labels(&[("a", 1)]));
}

#[test]
fn what_is_not_settled_is_sent_again_before_what_is_new() {
    let mut session = ready();
    for label in ["a", "b", "c"] {
        send(&mut session, label);
    }
    assert_eq!(handed(&mut session).len(), 3);
    session.settled(Number(1));
    session.disconnected();
    send(&mut session, "d");
    session.connected(true);
    greet(&mut session);
    assert_eq!(
        handed(&mut session),
        labels(&[("b", 2), ("c", 3), ("d", 4)])
    );
    assert_eq!(session.stats().resent, 2);
}

#[test]
fn a_number_that_was_never_sent_settles_nothing() {
    let mut session = ready();
    send(&mut session, "a");
    assert!(!session.settled(Number(9)));
    assert_eq!(handed(&mut session), labels(&[("a", 1)]));
    assert!(session.settled(Number(9)));
    assert!(session.is_settled());
    assert_eq!(send(&mut session, "b"), Number(2));
}

#[test]
fn a_pause_holds_packets_back_and_not_receipts() {
    let mut session = ready();
    send(&mut session, "a");
    arrive(&mut session, 1);
    session.pause(true);
    let delivery = session.next_delivery().expect("a message");
    session.done(delivery.token);
    assert!(session.next_packet().is_none());
    assert_eq!(receipts(&mut session), [1]);
    session.pause(false);
    assert_eq!(handed(&mut session), labels(&[("a", 1)]));
}

#[test]
fn a_pause_ends_with_its_connection() {
    let mut session = ready();
    session.pause(true);
    session.disconnected();
    session.connected(true);
    greet(&mut session);
    send(&mut session, "a");
    assert_eq!(handed(&mut session), labels(&[("a", 1)]));
}

#[test]
fn a_drain_is_left_when_only_settlement_is_missing() {
    let mut session = ready();
    arrive(&mut session, 1);
    let delivery = session.next_delivery().expect("a message");
    send(&mut session, "a");
    handed(&mut session);
    assert_eq!(
        session.directed(&ControlDirective::new("handoff.draining")),
        Ok(false)
    );
    assert!(!session.is_stuck_in_drain(), "the engram works");
    session.done_once_settled(delivery.token);
    assert!(session.is_stuck_in_drain());
    arrive(&mut session, 2);
    assert!(!session.is_stuck_in_drain(), "a message waits");
    let delivery = session.next_delivery().expect("a message");
    session.done(delivery.token);
    assert!(!session.is_stuck_in_drain(), "a receipt waits");
    assert_eq!(receipts(&mut session), [2]);
    assert!(session.is_stuck_in_drain());
    session.disconnected();
    session.connected(true);
    assert!(!session.is_stuck_in_drain(), "another hub");
}

#[test]
fn there_is_room_for_one_message_of_any_size() {
    let bounds = Bounds {
        messages: 2,
        bytes: 10,
    };
    let mut session = Session::new(Dialect::Packet, bounds);
    let large = BytesMut::from(&[0x42_u8; 50][..]);
    assert!(session.push(large.clone()).is_ok());
    assert_eq!(session.push(large.clone()).expect_err("no room"), large);
}

#[test]
fn the_engrams_own_number_is_replaced() {
    let mut session = ready();
    let mut message = StreamMessage::data();
    message.envelope = Some(StreamEnvelope {
        partition: "p".to_owned(),
        sequence: 77,
        ..StreamEnvelope::default()
    });
    let bytes = encode_buffer(&message, Dialect::Connector).expect("a message");
    session.push(bytes).expect("room");
    let packet = session.next_packet().expect("a packet");
    let view = PacketView::parse(&packet, Dialect::Connector).expect("a packet");
    let envelope = view.envelope().expect("an envelope");
    assert_eq!((envelope.sequence(), envelope.partition(&packet)), (1, "p"));
}

#[test]
fn bytes_that_are_settled_make_room() {
    let bytes = || encode_buffer(&StreamMessage::data(), Dialect::Connector).expect("a message");
    // Two messages with their numbers, and not three.
    let bounds = Bounds {
        messages: 100,
        bytes: 2 * (bytes().len() + 8),
    };
    let mut session = Session::new(Dialect::Connector, bounds);
    session.connected(true);
    greet(&mut session);
    for round in 0..10 {
        for _ in 0..2 {
            assert!(session.push(bytes()).is_ok(), "round {round}");
        }
        assert!(session.push(bytes()).is_err(), "round {round}");
        while let Some(packet) = session.next_packet() {
            drop(packet);
        }
        assert!(session.settled(Number(2 * round + 2)), "round {round}");
    }
}
