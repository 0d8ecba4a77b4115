//! What packets become for an engram: always a frame, nothing that would end its session.

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::{Value as Json, json};
use transport_proto::v1::{self, data_packet, data_request, data_response};

use crate::client::{Connection, Process};
use crate::engram::{Engram, envelope, owned};
use crate::rig::{self, Hub};

const ENVELOPE: &str = "application/vnd.bubu.packet+json";

/// An object with one text in it.
fn object(key: &str, value: &str) -> Struct {
    let kind = Some(Kind::StringValue(value.to_owned()));
    Struct {
        fields: [(key.to_owned(), Value { kind })].into(),
    }
}

struct Rig {
    hub: Hub,
    src: Process,
    a: Engram,
    _connection: Connection,
}

impl Rig {
    async fn start() -> Self {
        Self::with(Hub::start()).await
    }

    async fn with(hub: Hub) -> Self {
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

    fn send(&mut self, packet: v1::DataPacket) {
        self.src.send_raw(rig::message(packet));
    }

    async fn next(&mut self) -> v1::DataResponse {
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

fn enveloped(json: &Json) -> data_packet::Frame {
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

/// Packets within the contract that end the session of the public SDK (spec 3).
fn deadly() -> Vec<(&'static str, v1::DataPacket)> {
    let audio = v1::AudioFrame {
        pcm: vec![0; 4].into(),
        sample_rate_hz: 8000,
        channels: 1,
        codec: String::new(),
        timestamp_ms: 0,
    };
    let video = v1::VideoFrame {
        payload: vec![0; 4].into(),
        codec: "vp8".into(),
        ..v1::VideoFrame::default()
    };
    let binary = v1::BinaryFrame {
        payload: vec![0; 4].into(),
        mime_type: "a/b".into(),
        timestamp_ms: 0,
    };
    let of = |frame| v1::DataPacket {
        metadata: owned(&[("n", "deadly")]),
        frame: Some(frame),
        ..v1::DataPacket::default()
    };
    let heard = |change: fn(&mut v1::AudioFrame)| {
        let mut audio = audio.clone();
        change(&mut audio);
        of(data_packet::Frame::Audio(audio))
    };
    let seen = |change: fn(&mut v1::VideoFrame)| {
        let mut video = video.clone();
        change(&mut video);
        of(data_packet::Frame::Video(video))
    };
    let read = |change: fn(&mut v1::BinaryFrame)| {
        let mut binary = binary.clone();
        change(&mut binary);
        of(data_packet::Frame::Binary(binary))
    };
    let mut spaced = read(|_| {});
    spaced.metadata.insert(" key".into(), "v".into());
    let mut odd = read(|_| {});
    odd.metadata
        .insert("bubu.envelope.kind".into(), "a b".into());
    let mut loud = heard(|_| {});
    loud.metadata
        .insert("bubu.envelope.kind".into(), "error".into());
    let number = |number| Some(Kind::NumberValue(number));
    let holding = |kind| Struct {
        fields: [("a".to_owned(), Value { kind })].into(),
    };
    let mut unsaid = heard(|_| {});
    unsaid.inputs = Some(holding(None));
    let mut endless = read(|b| b.payload = vec![0; 9000].into());
    endless.inputs = Some(holding(number(f64::INFINITY)));
    let mut nothing = seen(|v| v.payload = vec![0; 9000].into());
    nothing.payload = Some(holding(number(f64::NAN)));
    let with = |json: &Json| of(enveloped(json));
    let mut short = read(|_| {});
    short.envelope = Some(v1::StreamEnvelope {
        stream_id: "s".into(),
        chunk_id: "c".into(),
        chunk_count: 2,
        chunk_bytes: 9,
        ..v1::StreamEnvelope::default()
    });
    vec![
        ("a value that is none", unsaid),
        ("a number without end", endless),
        ("no number", nothing),
        ("a chunk of another size", short),
        (
            "an envelope's time that wraps",
            with(&json!({"timestampMs": 9_223_372_036_855_u64})),
        ),
        (
            "an envelope's kind that is no word",
            with(&json!({"kind": "a b"})),
        ),
        (
            "transports that are none",
            with(&json!({"transports": [1]})),
        ),
        (
            "too many transports",
            with(&json!({"transports": [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}]})),
        ),
        (
            "a transport of another type",
            with(&json!({"transports": [{"typedConfig": 3}]})),
        ),
        ("audio without pcm", heard(|a| a.pcm.clear())),
        (
            "a codec with white space",
            heard(|a| a.codec = " pcm".into()),
        ),
        (
            "a time that wraps",
            heard(|a| a.timestamp_ms = 9_223_372_036_855),
        ),
        ("encoded video without codec", seen(|v| v.codec.clear())),
        ("a raw picture without size", seen(|v| v.raw = true)),
        ("a video frame without payload", seen(|v| v.payload.clear())),
        (
            "a binary frame without payload",
            read(|b| b.payload.clear()),
        ),
        (
            "a malformed media type",
            read(|b| b.mime_type = "a/b/c".into()),
        ),
        (
            "an envelope that is none",
            read(|b| b.mime_type = ENVELOPE.into()),
        ),
        ("white space around a key", spaced),
        ("a kind that is no word", odd),
        ("an error with a media frame", loud),
    ]
}

#[tokio::test]
async fn what_would_end_an_engram_never_reaches_it_and_is_counted() {
    let mut rig = Rig::start().await;
    let all = deadly();
    for (_, packet) in &all {
        rig.send(packet.clone());
    }
    rig.src.send_packet("after", 10);
    assert_eq!(rig.a.data.label().await, "after");
    let edge = ["from=\"src\"", "to=\"a\"", "reason=\"invalid\""];
    let dropped = rig.hub.metric("hub_packets_dropped_total", &edge);
    assert_eq!(dropped, all.len() as f64);
    // Another kind of client takes them all.
    assert_eq!(
        rig.hub.metric("hub_queue_packets", &["to=\"b\""]),
        (all.len() + 1) as f64
    );
}

#[tokio::test]
async fn what_would_end_an_engram_holds_nothing_up_where_packets_are_numbered() {
    let mut rig = Rig::with(crate::receipts::hub(100, "")).await;
    rig.send(deadly().swap_remove(0).1);
    rig.src.send_packet("after", 10);
    let got = rig.next().await;
    assert_eq!(crate::engram::label(&got), "after");
    rig.a.control.done(envelope(&got)).await;
    let edge = ["from=\"src\"", "to=\"a\""];
    rig.hub
        .wait_for_metric("hub_packets_delivered_total", &edge, 1.0)
        .await;
    let edge = ["from=\"src\"", "to=\"a\"", "reason=\"invalid\""];
    assert_eq!(rig.hub.metric("hub_packets_dropped_total", &edge), 1.0);
    assert_eq!(rig.hub.metric("hub_in_flight_packets", &["to=\"a\""]), 0.0);
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
