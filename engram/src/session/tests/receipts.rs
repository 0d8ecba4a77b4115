//! What the hub is told about what it sent.

use super::*;

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
fn a_copy_of_what_is_in_work_holds_no_ack_up() {
    let mut session = session(Dialect::Packet);
    session.connected(false);
    for sequence in [1, 2, 1] {
        arrive(&mut session, sequence);
    }
    while let Some(delivery) = session.next_delivery() {
        session.done(delivery.token);
    }
    arrive(&mut session, 3);
    let third = session.next_delivery().expect("a message");
    session.done(third.token);
    assert_eq!(acks(&mut session), [3]);
}

/// A chunk of two, on the stream that [`packet`] uses.
fn chunk(sequence: u64, index: u32, part: &[u8]) -> Bytes {
    use prost::Message;
    use transport_proto::v1::{BinaryFrame, DataPacket, data_packet};
    let packet = DataPacket {
        frame: Some(data_packet::Frame::Binary(BinaryFrame {
            payload: Bytes::copy_from_slice(part),
            mime_type: "text/plain".to_owned(),
            timestamp_ms: 0,
        })),
        envelope: Some(StreamEnvelope {
            stream_id: "ns/r/c@1".to_owned(),
            sequence,
            chunk_id: "c".to_owned(),
            chunk_index: index,
            chunk_count: 2,
            ..StreamEnvelope::default()
        }),
        ..DataPacket::default()
    };
    packet.encode_to_vec().into()
}

#[test]
fn an_ack_does_not_pass_a_payload_of_which_chunks_are_missing() {
    let mut session = session(Dialect::Packet);
    session.connected(false);
    session.arrived(&chunk(1, 0, b"a"), NOW).expect("a chunk");
    arrive(&mut session, 2);
    let second = session.next_delivery().expect("a message").token;
    session.done(second);
    assert_eq!(acks(&mut session), [0; 0]);
    session.arrived(&chunk(1, 1, b"b"), NOW).expect("a chunk");
    let first = session.next_delivery().expect("a message");
    assert_eq!(&first.message.payload[..], b"ab");
    session.done(first.token);
    assert_eq!(acks(&mut session), [2]);
}

#[test]
fn partitions_are_acked_256_at_a_time_and_then_forgotten() {
    let mut session = session(Dialect::Packet);
    session.connected(false);
    for partition in 0..300 {
        let mut message = StreamMessage::data().with_audio(AudioFrame::pcm16(vec![0; 4], 8000, 1));
        message.envelope = Some(StreamEnvelope {
            stream_id: "ns/r/c@1".to_owned(),
            sequence: 1,
            partition: format!("p{partition}"),
            ..StreamEnvelope::default()
        });
        let packet = encode(&message, Dialect::Packet).expect("a packet");
        session.arrived(&packet, NOW).expect("a packet");
        let delivery = session.next_delivery().expect("a message");
        session.done(delivery.token);
    }
    let told: Vec<usize> = std::iter::from_fn(|| session.next_told())
        .map(|told| match told {
            Told::Ack(ack) => ack.partitions.len(),
            _ => 0,
        })
        .collect();
    assert_eq!(told, [256, 44]);
    assert_eq!(session.receipts.partitions(), 0);
}
