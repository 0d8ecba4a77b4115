//! What would end an engram's session and nobody else's: it is told apart on the edge.

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::{Value as Json, json};
use transport_proto::v1::{self, data_packet};

use crate::engram::{envelope, owned};
use crate::shapes::{ENVELOPE, Rig, enveloped};

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
