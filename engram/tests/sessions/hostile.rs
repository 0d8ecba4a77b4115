//! What comes from outside never makes an engram panic, and what it sends is read back as
//! it was.

use std::collections::BTreeMap;

use bytes::Bytes;
use engram::wire::{decode, encode};
use engram::{AudioFrame, BinaryFrame, Binding, Kind, StreamMessage, StructuredError};
use proptest::prelude::*;
use transport_proto::view::Dialect;

const DIALECTS: [Dialect; 2] = [Dialect::Connector, Dialect::Packet];

/// Messages that can be sent: structured, sound, or bytes.
fn message() -> impl Strategy<Value = StreamMessage> {
    let metadata = prop::collection::btree_map("[a-z]{1,8}", ".{0,16}", 0..4);
    let payload = prop_oneof![
        Just(""),
        Just("{}"),
        Just(r#"{"a":[1,{"b":"<é>"}],"c":null}"#)
    ];
    let frame = 0..3_u8;
    (metadata, payload, frame, "[a-z0-9]{0,6}", 1..u32::MAX).prop_map(
        |(metadata, payload, frame, id, millis)| {
            let mut message = StreamMessage::data().with_message_id(id);
            message.metadata = metadata;
            match frame {
                0 => message.with_payload(payload),
                1 => {
                    let frame = AudioFrame::pcm16(vec![1, 2], 16_000, 1);
                    let at = engram::MediaTime::from_millis(u64::from(millis));
                    message.with_payload(payload).with_audio(frame.at(at))
                }
                _ => message.with_binary(BinaryFrame::new(&b"bytes"[..], "text/plain")),
            }
        },
    )
}

/// What an engram on the other side is shown.
fn shown(message: &StreamMessage) -> StreamMessage {
    let mut shown = message.clone();
    match &shown.binary {
        Some(frame) => shown.payload = frame.payload.clone(),
        None if shown.audio.is_none() && !shown.payload.is_empty() => {
            shown.binary = Some(BinaryFrame::new(shown.payload.clone(), "application/json"));
        }
        None => {}
    }
    shown
}

fn json(text: &Bytes) -> serde_json::Value {
    serde_json::from_slice(text).unwrap_or_default()
}

proptest! {
    #[test]
    fn a_message_arrives_as_it_was_sent(message in message()) {
        for dialect in DIALECTS {
            let bytes = encode(&message, dialect).expect("it can be sent");
            let arrived = decode(&bytes, dialect).expect("it can be read").message;
            let mut expected = shown(&message);
            if expected.binary.as_ref().is_none_or(|frame| frame.mime_type == "application/json") {
                prop_assert_eq!(json(&arrived.payload), json(&expected.payload));
                expected.payload = arrived.payload.clone();
                expected.binary = arrived.binary.clone();
            }
            prop_assert_eq!(arrived, expected);
        }
    }

    #[test]
    fn no_bytes_make_an_engram_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = Bytes::from(bytes);
        for dialect in DIALECTS {
            let _ = decode(&bytes, dialect);
        }
        let _ = StructuredError::from_json(&bytes);
        let _ = Binding::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_altered_packet_makes_an_engram_panic(
        message in message(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for dialect in DIALECTS {
            let mut bytes = encode(&message, dialect).expect("it can be sent").to_vec();
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let _ = decode(&bytes.into(), dialect);
        }
    }

    #[test]
    fn no_text_makes_a_verdict_panic(kind in ".*", mime in ".*", key in ".*", codec in ".*") {
        let mut message = StreamMessage::of_kind(Kind::from(kind));
        message.metadata = BTreeMap::from([(key, String::new())]);
        let _ = message.validate();
        let sound = AudioFrame { codec, ..AudioFrame::pcm16(vec![1], 8000, 1) };
        let _ = StreamMessage::data().with_audio(sound).validate();
        let _ = StreamMessage::data().with_binary(BinaryFrame::new(&b"x"[..], mime)).validate();
    }
}
