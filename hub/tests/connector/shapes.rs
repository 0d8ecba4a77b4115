//! What packets become for an engram: always a frame, nothing that would end its session.

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::{Value as Json, json};
use transport_proto::v1::{self, data_packet, data_request, data_response};

use crate::client::{Connection, Process};
use crate::engram::{Engram, envelope, owned};
use crate::rig::{self, Hub};

pub const ENVELOPE: &str = "application/vnd.bubu.packet+json";

/// An object with one text in it.
fn object(key: &str, value: &str) -> Struct {
    let kind = Some(Kind::StringValue(value.to_owned()));
    Struct {
        fields: [(key.to_owned(), Value { kind })].into(),
    }
}

pub struct Rig {
    pub hub: Hub,
    pub src: Process,
    pub a: Engram,
    _connection: Connection,
}

impl Rig {
    pub async fn start() -> Self {
        Self::with(Hub::start()).await
    }

    pub async fn with(hub: Hub) -> Self {
        let a = Engram::connect(&hub, "a").await;
        let mut connection = Connection::open(hub.grpc).await;
        let src = connection.process("src").await.accepted().await;
        Self {
            hub,
            src,
            a,
            _connection: connection,
        }
    }

    pub fn send(&mut self, packet: v1::DataPacket) {
        self.src.send_raw(rig::message(packet));
    }

    pub async fn next(&mut self) -> v1::DataResponse {
        self.a.data.next().await.expect("a packet")
    }
}

/// The JSON of an envelope frame.
fn json_of(message: &v1::DataResponse) -> Json {
    let Some(data_response::Frame::Binary(frame)) = &message.frame else {
        panic!("a binary frame: {message:?}");
    };
    assert_eq!(frame.mime_type, ENVELOPE);
    serde_json::from_slice(&frame.payload).expect("JSON")
}

pub fn enveloped(json: &Json) -> data_packet::Frame {
    data_packet::Frame::Binary(v1::BinaryFrame {
        payload: json.to_string().into_bytes().into(),
        mime_type: ENVELOPE.into(),
        timestamp_ms: 5,
    })
}

#[tokio::test]
async fn a_packet_without_a_frame_gets_an_envelope_that_says_the_same() {
    let mut rig = Rig::start().await;
    rig.send(v1::DataPacket {
        metadata: owned(&[
            ("type", "speech.turn.v1"),
            ("bubu.envelope.timestamp_ms", "1700000000000"),
        ]),
        payload: Some(object("text", "hello \"you\"")),
        inputs: Some(object("lang", "en")),
        transports: vec![v1::TransportDescriptor {
            name: "t".into(),
            kind: "grpc".into(),
            mode: "hot".into(),
            typed_config: Some(v1::TransportConfig {
                transport_ref: "ref".into(),
                mode_reason: "why".into(),
            }),
        }],
        ..v1::DataPacket::default()
    });
    let got = rig.next().await;
    assert_eq!(got.metadata["type"], "speech.turn.v1");
    assert_eq!(got.metadata["current-step-id"], "a");
    assert_eq!(got.payload, Some(object("text", "hello \"you\"")));
    let said = json_of(&got);
    let expected = json!({
        "version": "v1",
        "kind": "data",
        "timestampMs": 1_700_000_000_000_i64,
        "metadata": {
            "type": "speech.turn.v1",
            "current-step-id": "a",
            "storyrun-name": "story",
            "storyrun-namespace": "default",
        },
        "payload": {"text": "hello \"you\""},
        "inputs": {"lang": "en"},
        "transports": [{
            "name": "t", "kind": "grpc", "mode": "hot",
            "typedConfig": {"transportRef": "ref", "modeReason": "why"},
        }],
    });
    assert_eq!(said, expected);
}

#[tokio::test]
async fn an_envelope_that_is_there_is_forwarded_byte_for_byte() {
    let mut rig = Rig::start().await;
    let json = json!({"version": "v1", "kind": "data", "payload": [1, {"a": null}]});
    rig.send(v1::DataPacket {
        metadata: owned(&[("bubu.envelope.kind", "data")]),
        frame: Some(enveloped(&json)),
        ..v1::DataPacket::default()
    });
    let got = rig.next().await;
    let Some(data_response::Frame::Binary(frame)) = got.frame else {
        panic!("a binary frame");
    };
    assert_eq!(frame.payload, json.to_string().into_bytes());
    assert_eq!(frame.timestamp_ms, 5);
}

#[tokio::test]
async fn only_the_struct_carries_the_payload_of_an_error() {
    let mut rig = Rig::start().await;
    let json = json!({"kind": "error", "payload": {"message": "no"}, "messageId": "m"});
    let metadata = owned(&[("bubu.envelope.kind", "error")]);
    let with_struct = v1::DataPacket {
        metadata: metadata.clone(),
        payload: Some(object("message", "no")),
        frame: Some(enveloped(&json)),
        ..v1::DataPacket::default()
    };
    rig.send(with_struct.clone());
    // Its metadata does not say so: its envelope does. And the envelope alone has the payload.
    rig.send(v1::DataPacket {
        metadata: owned(&[("n", "2")]),
        payload: None,
        ..with_struct.clone()
    });
    rig.send(v1::DataPacket {
        frame: None,
        ..with_struct
    });
    for nth in 0..3 {
        let got = rig.next().await;
        assert_eq!(got.payload, Some(object("message", "no")), "{nth}");
        let said = json_of(&got);
        assert_eq!(said["kind"], "error", "{nth}");
        assert_eq!(said.get("payload"), None, "{nth}: {said}");
    }
}

#[tokio::test]
async fn message_ids_leave_unnumbered_packets_and_stay_as_what_they_join_by() {
    let mut rig = Rig::start().await;
    let packet = |more: &[(&str, &str)]| {
        let mut packet = rig::packet("x", 10);
        let id = [("bubu.envelope.message_id", "m1")];
        packet.metadata.extend(owned(&id));
        packet.metadata.extend(owned(more));
        packet
    };
    rig.send(packet(&[]));
    let got = rig.next().await;
    assert_eq!(got.metadata.get("bubu.envelope.message_id"), None);
    assert_eq!(got.metadata["bubu.join.key"], "m1");
    rig.send(packet(&[("bubu.join.key", "own")]));
    let got = rig.next().await;
    assert_eq!(got.metadata.get("bubu.envelope.message_id"), None);
    assert_eq!(got.metadata["bubu.join.key"], "own");
    rig.send(packet(&[("kind", "hook")]));
    let got = rig.next().await;
    assert_eq!(got.metadata["bubu.envelope.message_id"], "m1");
    assert_eq!(got.metadata.get("bubu.join.key"), None);
}

#[tokio::test]
async fn numbered_packets_keep_their_message_id() {
    let mut rig = Rig::with(crate::receipts::hub(100, "")).await;
    let mut packet = rig::packet("x", 10);
    let id = [("bubu.envelope.message_id", "m1")];
    packet.metadata.extend(owned(&id));
    rig.send(packet);
    let got = rig.next().await;
    assert_eq!(got.metadata["bubu.envelope.message_id"], "m1");
    assert_eq!(envelope(&got).sequence, 1);
}

#[tokio::test]
async fn a_noop_says_nothing_and_reaches_an_engram_as_a_heartbeat_would() {
    let mut rig = Rig::start().await;
    rig.send(v1::DataPacket {
        metadata: owned(&[("bubu.envelope.kind", "noop")]),
        frame: Some(enveloped(&json!({"kind": "noop"}))),
        ..v1::DataPacket::default()
    });
    assert_eq!(rig.next().await.frame, None);
}

#[tokio::test]
async fn chunks_pass_one_by_one() {
    let mut rig = Rig::start().await;
    for index in 0..2 {
        let mut chunk = rig::packet("chunk", 10);
        chunk.envelope = Some(v1::StreamEnvelope {
            stream_id: "own".into(),
            chunk_id: "c".into(),
            chunk_index: index,
            chunk_count: 2,
            chunk_bytes: 10,
            total_bytes: 20,
            ..v1::StreamEnvelope::default()
        });
        rig.send(chunk);
    }
    for index in 0..2 {
        let got = rig.next().await;
        let envelope = envelope(&got);
        assert_eq!((envelope.chunk_index, envelope.chunk_count), (index, 2));
        assert!(envelope.stream_id.starts_with("default/story/a@"));
    }
}

#[tokio::test]
async fn raw_json_of_an_engram_goes_on_as_it_is() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    let raw = v1::BinaryFrame {
        payload: br#"{"a":1}"#[..].into(),
        mime_type: "application/json".into(),
        timestamp_ms: 0,
    };
    src.data
        .say(v1::DataRequest {
            frame: Some(data_request::Frame::Binary(raw.clone())),
            ..v1::DataRequest::default()
        })
        .await;
    let got = a.data.next().await.unwrap();
    assert_eq!(got.frame, Some(data_response::Frame::Binary(raw)));
}
