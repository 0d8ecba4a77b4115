//! What the hub gets back of its grant, and acks beside it (Process).

use super::*;

/// Credits that were told: packets and bytes.
fn credits(session: &mut Session) -> (u32, u32) {
    std::iter::from_fn(|| session.next_told())
        .map(|told| match told {
            Told::Ack(ack) => (ack.credit_messages, ack.credit_bytes),
            _ => (0, 0),
        })
        .fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1))
}

/// A session of the Process contract that has said that credits are in use.
fn counting() -> Session {
    let mut session = session(Dialect::Packet);
    session.connected(false);
    assert_eq!(credits(&mut session), (1, 1));
    session
}

/// What the hub counts for a packet: a gRPC message with nothing but the packet in it.
fn charge(packet: &Bytes) -> u32 {
    use prost::Message;
    use transport_proto::v1::{DataPacket, ProcessResponse};
    let packet = DataPacket::decode(packet.clone()).expect("a packet");
    let response = ProcessResponse {
        packet: Some(packet),
        flow: None,
    };
    5 + u32::try_from(response.encoded_len()).expect("a small one")
}

#[test]
fn credits_come_back_when_the_engram_takes_a_message() {
    let mut session = counting();
    arrive(&mut session, 1);
    arrive(&mut session, 2);
    assert_eq!(credits(&mut session), (0, 0));
    session.next_delivery().expect("a message");
    assert_eq!(credits(&mut session).0, 1);
}

#[test]
fn the_bytes_that_come_back_are_those_that_the_hub_counts() {
    let mut session = counting();
    let packet = packet(Dialect::Packet, 1, None);
    session.arrived(&packet, NOW).expect("a packet");
    session.next_delivery().expect("a message");
    assert_eq!(credits(&mut session), (1, charge(&packet)));
}

#[test]
fn what_is_not_shown_gives_its_credit_back_too() {
    let mut session = counting();
    arrive(&mut session, 1);
    let first = session.next_delivery().expect("a message");
    assert_eq!(credits(&mut session).0, 1);
    arrive(&mut session, 1);
    assert_eq!(credits(&mut session).0, 1, "a copy of one in work");
    session.done(first.token);
    arrive(&mut session, 1);
    assert_eq!(credits(&mut session).0, 1, "a copy of one that is done");
    let frameless = Bytes::new();
    session.arrived(&frameless, NOW).expect("a packet");
    assert_eq!(credits(&mut session).0, 1, "one without a frame");
    let garbage = Bytes::from_static(b"\xff");
    assert!(session.arrived(&garbage, NOW).is_err());
    assert_eq!(credits(&mut session).0, 1, "one that cannot be read");
    let old = packet(Dialect::Packet, 2, Some(1));
    session.arrived(&old, NOW).expect("a packet");
    let interrupt = ControlDirective::new("interrupt").with("turn", "2");
    session.directed(&interrupt).expect("an interrupt");
    assert_eq!(credits(&mut session).0, 1, "one that was interrupted");
    let late = packet(Dialect::Packet, 3, Some(1));
    session.arrived(&late, NOW).expect("a packet");
    assert_eq!(credits(&mut session).0, 1, "one of a turn that is over");
}

#[test]
fn a_replay_of_what_is_done_costs_the_new_connection_nothing() {
    let mut session = counting();
    for sequence in 1..=3 {
        arrive(&mut session, sequence);
    }
    let tokens: Vec<Token> = std::iter::from_fn(|| session.next_delivery())
        .map(|delivery| delivery.token)
        .collect();
    session.done(tokens[1]);
    session.done(tokens[2]);
    session.disconnected();
    session.connected(false);
    credits(&mut session);
    for sequence in 1..=3 {
        arrive(&mut session, sequence);
    }
    assert_eq!(credits(&mut session).0, 3);
}

#[test]
fn what_an_earlier_connection_brought_gives_no_credit_to_the_next() {
    let mut session = counting();
    arrive(&mut session, 1);
    session.disconnected();
    session.connected(false);
    credits(&mut session);
    session.next_delivery().expect("a message");
    assert_eq!(credits(&mut session), (0, 0));
}

#[test]
fn an_ack_never_goes_back_on_one_stream() {
    let mut session = counting();
    for sequence in 1..=3 {
        arrive(&mut session, sequence);
    }
    while let Some(delivery) = session.next_delivery() {
        session.done(delivery.token);
    }
    arrive(&mut session, 1);
    assert_eq!(acks(&mut session), [3]);
}

/// The first packet of another stream.
fn other() -> Bytes {
    let mut message = StreamMessage::data().with_audio(AudioFrame::pcm16(vec![0; 4], 8000, 1));
    message.envelope = Some(StreamEnvelope {
        stream_id: "ns/r/c@2".to_owned(),
        sequence: 1,
        ..StreamEnvelope::default()
    });
    encode(&message, Dialect::Packet).expect("a packet")
}

#[test]
fn another_stream_begins_anew() {
    let mut session = counting();
    arrive(&mut session, 3);
    session.arrived(&other(), NOW).expect("a packet");
    while let Some(delivery) = session.next_delivery() {
        session.done(delivery.token);
    }
    assert_eq!(acks(&mut session), [1]);
}

#[test]
fn the_same_number_of_another_stream_is_another_packet() {
    let mut session = counting();
    arrive(&mut session, 1);
    session.arrived(&other(), NOW).expect("a packet");
    session.next_delivery().expect("the first");
    let second = session.next_delivery().expect("the second");
    session.done(second.token);
    assert_eq!(acks(&mut session), [0; 0]);
}
