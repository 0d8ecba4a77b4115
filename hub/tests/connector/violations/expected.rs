//! What an engram gets of a packet that keeps all rules: the same (spec 3, "Data, hub to engram").

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::{Map, Value as Json};
use transport_proto::v1::{self, data_packet::Frame, data_response::Frame as Got};

use super::oracle::{ENVELOPE, essence};
use super::shapes::Packet;
use super::world::Sink;

/// Asserts that `got` is what `sink` is to get of `packet`.
pub fn assert_same(got: &v1::DataResponse, packet: &Packet, sink: &Sink, what: &str) {
    let mut metadata = packet.metadata.clone();
    let routing = [
        ("storyrun-name", "story"),
        ("storyrun-namespace", "default"),
        ("current-step-id", sink.step),
    ];
    metadata.extend(crate::engram::owned(&routing));
    assert_eq!(got.metadata, metadata, "{what}");
    assert!(same(&got.payload, &packet.payload), "{what}: {got:?}");
    assert!(same(&got.inputs, &packet.inputs), "{what}: {got:?}");
    assert_eq!(got.transports, packet.transports, "{what}");
    let envelope = crate::engram::envelope(got);
    let step = format!("default/story/{}@", sink.step);
    assert!(envelope.stream_id.starts_with(&step), "{what}");
    assert_eq!(envelope.sequence > 0, sink.numbered, "{what}");
    let own = packet.envelope.clone().unwrap_or_default();
    assert_eq!(envelope.partition, own.partition, "{what}");
    assert_eq!(envelope.chunk_count, own.chunk_count, "{what}");
    let kind = kind_of(packet);
    match (&packet.frame, &got.frame) {
        (_, None) => assert!(kind == "noop", "{what}: no frame"),
        (Some(Frame::Audio(said)), Some(Got::Audio(got))) => assert_eq!(got, said, "{what}"),
        (Some(Frame::Video(said)), Some(Got::Video(got))) => assert_eq!(got, said, "{what}"),
        (Some(Frame::Binary(said)), Some(Got::Binary(got))) if kind == "error" => {
            let mut without = object(&said.payload);
            without.remove("payload");
            assert_eq!(object(&got.payload), without, "{what}");
            assert_eq!(got.timestamp_ms, said.timestamp_ms, "{what}");
        }
        (Some(Frame::Binary(said)), Some(Got::Binary(got))) => assert_eq!(got, said, "{what}"),
        (None, Some(Got::Binary(got))) => {
            assert_eq!(got.mime_type, ENVELOPE, "{what}");
            let built = object(&got.payload);
            let payload = packet.payload.as_ref().map(json_of);
            assert_eq!(built.get("payload").map(doubles), payload, "{what}");
            let inputs = packet.inputs.as_ref().map(json_of);
            assert_eq!(built.get("inputs").map(doubles), inputs, "{what}");
            assert_eq!(built["kind"], kind, "{what}");
        }
        (said, got) => panic!("{what}: {got:?} of {said:?}"),
    }
}

/// The kind that a packet is of, as far as these tests make any.
fn kind_of(packet: &Packet) -> String {
    if let Some(kind) = packet.metadata.get("bubu.envelope.kind") {
        return kind.clone();
    }
    match &packet.frame {
        Some(Frame::Binary(binary)) if essence(&binary.mime_type) == ENVELOPE => {
            let said = serde_json::from_slice::<Json>(&binary.payload).unwrap_or_default();
            let kind = said.get("kind").and_then(Json::as_str);
            kind.unwrap_or("data").to_owned()
        }
        None if packet.metadata.contains_key("kind") => "hook".to_owned(),
        _ => "data".to_owned(),
    }
}

fn object(json: &[u8]) -> Map<String, Json> {
    match serde_json::from_slice(json) {
        Ok(Json::Object(object)) => object,
        other => panic!("an object: {other:?}"),
    }
}

/// The same with every number as a Struct holds it.
fn doubles(json: &Json) -> Json {
    match json {
        Json::Number(number) => number.as_f64().into(),
        Json::Array(items) => items.iter().map(doubles).collect(),
        Json::Object(members) => {
            let members = members.iter();
            Json::Object(members.map(|(k, v)| (k.clone(), doubles(v))).collect())
        }
        other => other.clone(),
    }
}

/// Equal, though numbers that are none equal nothing.
fn same(got: &Option<Struct>, said: &Option<Struct>) -> bool {
    format!("{got:?}") == format!("{said:?}")
}

fn json_of(body: &Struct) -> Json {
    let members = body.fields.iter();
    Json::Object(members.map(|(k, v)| (k.clone(), value_of(v))).collect())
}

fn value_of(value: &Value) -> Json {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(is)) => (*is).into(),
        Some(Kind::NumberValue(number)) => (*number).into(),
        Some(Kind::StringValue(text)) => text.clone().into(),
        Some(Kind::StructValue(body)) => json_of(body),
        Some(Kind::ListValue(list)) => list.values.iter().map(value_of).collect(),
    }
}
