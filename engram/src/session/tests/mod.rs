mod backoff;
mod credits;
mod intake;
mod output;
mod receipts;
mod told;

use super::*;
use crate::message::{AudioFrame, StreamEnvelope, StreamMessage};
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
