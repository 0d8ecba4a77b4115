use super::*;
use crate::message::{AudioFrame, StreamEnvelope, StreamMessage};
use crate::start::{Retries, Tunables};
use crate::wire::{encode, encode_buffer};
use transport_proto::view::PacketView;

const NOW: Duration = Duration::ZERO;

fn session(dialect: Dialect) -> Session {
    Session::new(dialect, Bounds::default())
}

/// A session of the connector contract on a connection that is ready.
fn ready() -> Session {
    let mut session = session(Dialect::Connector);
    session.connected(true);
    greet(&mut session);
    session
}

fn greet(session: &mut Session) {
    let ready = ControlDirective::new("connector.ready").with("startup.capabilities", "none");
    assert_eq!(session.directed(&ready), Ok(true));
}

fn send(session: &mut Session, label: &str) -> Number {
    let message = StreamMessage::data().with_metadata("label", label);
    let bytes = encode_buffer(&message, session.dialect()).expect("a message");
    session.push(bytes).expect("room")
}

/// What the connection is given: label and number.
fn handed(session: &mut Session) -> Vec<(String, u64)> {
    let dialect = session.dialect();
    std::iter::from_fn(|| session.next_packet())
        .map(|packet| {
            let view = PacketView::parse(&packet, dialect).expect("a packet");
            let label = view.metadata(&packet, "label").expect("a label").to_owned();
            (label, view.envelope().expect("a number").sequence())
        })
        .collect()
}

fn labels(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs
        .iter()
        .map(|(label, number)| ((*label).to_owned(), *number))
        .collect()
}

/// A packet of the hub.
fn packet(dialect: Dialect, sequence: u64, turn: Option<u64>) -> Bytes {
    let mut message = StreamMessage::data()
        .with_metadata("label", format!("s{sequence}"))
        .with_audio(AudioFrame::pcm16(vec![0; 4], 8000, 1));
    if let Some(turn) = turn {
        message = message.with_metadata("bubu.turn", turn.to_string());
    }
    message.envelope = Some(StreamEnvelope {
        stream_id: "ns/r/c@1".to_owned(),
        sequence,
        ..StreamEnvelope::default()
    });
    encode(&message, dialect).expect("a packet")
}

fn arrive(session: &mut Session, sequence: u64) {
    let packet = packet(session.dialect(), sequence, None);
    session.arrived(&packet, NOW).expect("a packet");
}

/// Sequences of what the hub is told about.
fn receipts(session: &mut Session) -> Vec<u64> {
    std::iter::from_fn(|| session.next_told())
        .filter_map(|told| match told {
            Told::Receipt(receipt) => Some(receipt.sequence),
            _ => None,
        })
        .collect()
}

fn acks(session: &mut Session) -> Vec<u64> {
    std::iter::from_fn(|| session.next_told())
        .filter_map(|told| match told {
            Told::Ack(ack) => Some(ack.ack).filter(|ack| *ack > 0),
            _ => None,
        })
        .collect()
}

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
fn a_message_is_done_once_what_was_sent_before_is_settled() {
    let mut session = ready();
    for sequence in 1..=3 {
        arrive(&mut session, sequence);
    }
    let token = |session: &mut Session| session.next_delivery().expect("a message").token;
    let (first, second, third) = (
        token(&mut session),
        token(&mut session),
        token(&mut session),
    );
    session.done_once_settled(first);
    assert_eq!(receipts(&mut session), [1], "nothing was sent");
    send(&mut session, "a");
    session.done_once_settled(second);
    send(&mut session, "b");
    session.done_once_settled(third);
    handed(&mut session);
    assert_eq!(receipts(&mut session), [0; 0]);
    session.settled(Number(1));
    assert_eq!(receipts(&mut session), [2]);
    session.settled(Number(2));
    assert_eq!(receipts(&mut session), [3]);
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
fn receipts_go_one_by_one_in_the_order_of_completion() {
    let mut session = ready();
    for sequence in 1..=3 {
        arrive(&mut session, sequence);
    }
    let tokens: Vec<Token> = std::iter::from_fn(|| session.next_delivery())
        .map(|delivery| delivery.token)
        .collect();
    for token in tokens.into_iter().rev() {
        session.done(token);
    }
    assert_eq!(receipts(&mut session), [3, 2, 1]);
}

#[test]
fn a_receipt_that_no_connection_took_goes_with_the_next() {
    let mut session = ready();
    arrive(&mut session, 1);
    let delivery = session.next_delivery().expect("a message");
    session.disconnected();
    session.done(delivery.token);
    assert!(session.next_told().is_none());
    session.connected(true);
    assert!(session.next_told().is_none(), "before the handshake");
    greet(&mut session);
    assert_eq!(receipts(&mut session), [1]);
}

#[test]
fn a_completed_packet_that_comes_again_is_receipted_and_not_shown() {
    let mut session = ready();
    arrive(&mut session, 1);
    let delivery = session.next_delivery().expect("a message");
    session.done(delivery.token);
    assert_eq!(receipts(&mut session), [1]);
    arrive(&mut session, 1);
    assert!(session.next_delivery().is_none());
    assert_eq!(receipts(&mut session), [1]);
    assert_eq!(session.stats().duplicates, 1);
}

#[test]
fn a_packet_in_work_that_comes_again_is_neither_shown_nor_receipted() {
    let mut session = ready();
    arrive(&mut session, 1);
    let delivery = session.next_delivery().expect("a message");
    arrive(&mut session, 1);
    assert!(session.next_delivery().is_none());
    assert_eq!(receipts(&mut session), [0; 0]);
    session.done(delivery.token);
    assert_eq!(receipts(&mut session), [1]);
}

#[test]
fn a_packet_that_was_let_go_is_shown_again() {
    let mut session = ready();
    arrive(&mut session, 1);
    let delivery = session.next_delivery().expect("a message");
    session.released(delivery.token);
    assert_eq!(receipts(&mut session), [0; 0]);
    arrive(&mut session, 1);
    assert!(session.next_delivery().is_some());
}

#[test]
fn what_cannot_be_read_is_receipted_and_counted() {
    let mut session = ready();
    // A frame without pcm: the number is readable, the message is not.
    let bad = Bytes::from_static(&[
        0x0a, 0x05, 0x10, 0xc0, 0x3e, 0x18, 0x01, 0x42, 0x05, 0x0a, 0x01, b's', 0x10, 0x03,
    ]);
    assert!(session.arrived(&bad, NOW).is_err());
    assert!(session.next_delivery().is_none());
    assert_eq!(receipts(&mut session), [3]);
    assert_eq!(session.stats().unreadable, 1);
}

#[test]
fn an_ack_on_process_waits_for_the_packets_before_it() {
    let mut session = session(Dialect::Packet);
    session.connected(false);
    for sequence in 1..=3 {
        arrive(&mut session, sequence);
    }
    let tokens: Vec<Token> = std::iter::from_fn(|| session.next_delivery())
        .map(|delivery| delivery.token)
        .collect();
    session.done(tokens[1]);
    assert_eq!(acks(&mut session), [0; 0]);
    session.done(tokens[0]);
    assert_eq!(acks(&mut session), [2]);
    session.done(tokens[2]);
    assert_eq!(acks(&mut session), [3]);
}

#[test]
fn an_ack_counts_only_what_this_connection_brought() {
    let mut session = session(Dialect::Packet);
    session.connected(false);
    arrive(&mut session, 1);
    arrive(&mut session, 2);
    let first = session.next_delivery().expect("a message").token;
    let second = session.next_delivery().expect("a message").token;
    session.disconnected();
    session.done(second);
    session.connected(false);
    assert_eq!(acks(&mut session), [0; 0]);
    arrive(&mut session, 1);
    arrive(&mut session, 2);
    assert_eq!(acks(&mut session), [0; 0], "the first is still in work");
    session.done(first);
    assert_eq!(acks(&mut session), [2]);
}

#[test]
fn an_ack_that_was_not_told_means_nothing_to_the_next_connection() {
    let mut session = session(Dialect::Packet);
    session.connected(false);
    arrive(&mut session, 1);
    let delivery = session.next_delivery().expect("a message");
    session.done(delivery.token);
    session.disconnected();
    session.connected(false);
    assert_eq!(acks(&mut session), [0; 0]);
    arrive(&mut session, 1);
    assert_eq!(acks(&mut session), [1]);
}

#[test]
fn credits_come_back_when_the_engram_takes_a_message() {
    let mut session = session(Dialect::Packet);
    session.connected(false);
    let credits = |session: &mut Session| {
        std::iter::from_fn(|| session.next_told())
            .map(|told| match told {
                Told::Ack(ack) => ack.credit_messages,
                _ => 0,
            })
            .sum::<u32>()
    };
    assert_eq!(credits(&mut session), 1, "says that credits are in use");
    arrive(&mut session, 1);
    arrive(&mut session, 2);
    assert_eq!(credits(&mut session), 0);
    session.next_delivery().expect("a message");
    assert_eq!(credits(&mut session), 1);
}

#[test]
fn an_interrupt_drops_lower_turns_and_receipts_them() {
    let mut session = ready();
    for (sequence, turn) in [(1, None), (2, Some(1)), (3, Some(2))] {
        let packet = packet(Dialect::Connector, sequence, turn);
        session.arrived(&packet, NOW).expect("a packet");
    }
    let interrupt = ControlDirective::new("interrupt").with("turn", "2");
    assert_eq!(session.directed(&interrupt), Ok(false));
    assert_eq!(receipts(&mut session), [1, 2]);
    let late = packet(Dialect::Connector, 4, Some(1));
    session.arrived(&late, NOW).expect("a packet");
    let unmarked = packet(Dialect::Connector, 5, None);
    session.arrived(&unmarked, NOW).expect("a packet");
    let shown: Vec<String> = std::iter::from_fn(|| session.next_delivery())
        .map(|delivery| delivery.message.metadata["label"].clone())
        .collect();
    assert_eq!(shown, ["s3", "s5"]);
    assert_eq!(receipts(&mut session), [4]);
    assert_eq!(session.stats().interrupted, 3);
}

#[test]
fn chunks_of_an_envelope_become_one_message_with_one_receipt() {
    let mut session = ready();
    let text = br#"{"kind":"data","payload":{"long":"text"}}"#;
    let (one, two) = text.split_at(20);
    for (index, part) in [(1, two), (0, one)] {
        assert_eq!(session.waiting(), (0, 0));
        let chunk = chunk(index, part);
        session.arrived(&chunk, NOW).expect("a chunk");
    }
    let delivery = session.next_delivery().expect("a message");
    assert_eq!(&delivery.message.payload[..], br#"{"long":"text"}"#);
    assert_eq!(
        delivery.message.envelope.as_ref().map(|e| e.chunk_count),
        Some(0)
    );
    session.done(delivery.token);
    assert_eq!(receipts(&mut session), [6]);
}

fn chunk(index: u32, part: &[u8]) -> Bytes {
    use prost::Message;
    let request = transport_proto::v1::DataRequest {
        frame: Some(transport_proto::v1::data_request::Frame::Binary(
            transport_proto::v1::BinaryFrame {
                payload: Bytes::copy_from_slice(part),
                mime_type: "application/vnd.bubu.packet+json".to_owned(),
                timestamp_ms: 0,
            },
        )),
        envelope: Some(StreamEnvelope {
            stream_id: "s".to_owned(),
            sequence: 6,
            chunk_id: "c".to_owned(),
            chunk_index: index,
            chunk_count: 2,
            ..StreamEnvelope::default()
        }),
        ..Default::default()
    };
    request.encode_to_vec().into()
}

#[test]
fn waits_double_within_their_jitter_up_to_the_limit() {
    let tunables = Tunables {
        backoff_base: Duration::from_millis(100),
        backoff_max: Duration::from_secs(1),
        retries: Retries::AtMost(6),
        ..Tunables::default()
    };
    let mut backoff = Backoff::new(&tunables);
    let mut jitter = Jitter::seeded(1);
    for expected in [100, 200, 400, 800, 1000, 1000] {
        let wait = backoff.next(&mut jitter).expect("another try").as_millis();
        assert!(
            (expected * 8 / 10..=expected * 12 / 10).contains(&wait),
            "{wait} for {expected}"
        );
        assert!(wait <= 1000);
    }
    assert_eq!(backoff.next(&mut jitter), None);
    backoff.became_ready();
    assert!(backoff.next(&mut jitter).is_some());
}

#[test]
fn engrams_that_lost_one_hub_do_not_come_back_at_once() {
    let waits = |seed| Backoff::new(&Tunables::default()).next(&mut Jitter::seeded(seed));
    let distinct: std::collections::BTreeSet<_> = (0..100).map(waits).collect();
    assert!(distinct.len() > 90);
}
