//! What is shown to the engram, and what is not.

use super::*;
use crate::session::dedupe::Completed;
use crate::wire::Identity;

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

#[test]
fn a_connection_finishes_no_chunks_of_an_earlier_one() {
    let mut session = ready();
    let first = chunk(0, b"{\"payload\":{");
    session.arrived(&first, NOW).expect("a chunk");
    session.disconnected();
    session.connected(true);
    greet(&mut session);
    let second = chunk(1, b"}}");
    session.arrived(&second, NOW).expect("a chunk");
    assert_eq!(session.waiting(), (0, 0));
    session.arrived(&first, NOW).expect("a chunk");
    assert_eq!(session.waiting().0, 1, "all of it has come again");
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
fn an_interrupt_of_one_lane_leaves_the_others() {
    let mut session = ready();
    let sound = packet(Dialect::Connector, 1, Some(1));
    session.arrived(&sound, NOW).expect("a packet");
    let interrupt = |lane: &str| {
        ControlDirective::new("interrupt")
            .with("turn", "2")
            .with("lane", lane)
    };
    assert_eq!(session.directed(&interrupt("video")), Ok(false));
    assert_eq!(session.waiting().0, 1);
    assert_eq!(session.directed(&interrupt("audio")), Ok(false));
    assert_eq!(session.waiting(), (0, 0));
    assert_eq!(receipts(&mut session), [1]);
    let sound = packet(Dialect::Connector, 2, Some(2));
    session.arrived(&sound, NOW).expect("a packet");
    let of_no_lane = interrupt(" ").with("turn", "3");
    assert_eq!(session.directed(&of_no_lane), Ok(false));
    assert_eq!(session.waiting(), (0, 0), "no lane means all");
}

#[test]
fn a_copy_without_a_number_is_known_by_its_message_id() {
    let mut session = ready();
    let message = StreamMessage::data()
        .with_message_id("m1")
        .with_audio(AudioFrame::pcm16(vec![0; 4], 8000, 1));
    let packet = encode(&message, Dialect::Connector).expect("a packet");
    for _ in 0..2 {
        session.arrived(&packet, NOW).expect("a packet");
    }
    assert_eq!((session.waiting().0, session.stats().duplicates), (1, 1));
}

#[test]
fn an_older_interrupt_opens_no_older_turn() {
    let mut session = ready();
    for turn in ["3", "2"] {
        let interrupt = ControlDirective::new("interrupt").with("turn", turn);
        assert_eq!(session.directed(&interrupt), Ok(false));
    }
    let late = packet(Dialect::Connector, 1, Some(2));
    session.arrived(&late, NOW).expect("a packet");
    assert!(session.next_delivery().is_none());
}

#[test]
fn what_the_engram_took_waits_no_more() {
    let mut session = ready();
    arrive(&mut session, 1);
    assert!(session.waiting().1 > 0);
    session.next_delivery().expect("a message");
    assert_eq!(session.waiting(), (0, 0));
}

/// Completes packets of these numbers.
fn complete(session: &mut Session, sequences: std::ops::RangeInclusive<u64>) {
    for sequence in sequences {
        arrive(session, sequence);
        let delivery = session.next_delivery().expect("a message");
        session.done(delivery.token);
    }
}

#[test]
fn of_what_was_completed_the_last_4096_are_remembered() {
    let mut session = ready();
    complete(&mut session, 1..=4096);
    arrive(&mut session, 1);
    assert!(session.next_delivery().is_none(), "still known");
    complete(&mut session, 4097..=4097);
    arrive(&mut session, 1);
    assert!(session.next_delivery().is_some(), "forgotten, and shown");
}

#[test]
fn what_is_completed_again_is_forgotten_no_sooner() {
    let id = |number: u32| Identity::MessageId(number.to_string());
    let mut completed = Completed::default();
    completed.insert(id(0));
    completed.insert(id(0));
    (1..4096).for_each(|number| completed.insert(id(number)));
    assert!(completed.contains(&id(0)));
    completed.insert(id(4096));
    assert!(!completed.contains(&id(0)) && completed.contains(&id(1)));
}
