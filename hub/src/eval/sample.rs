//! The sample packet: JSON in the field names of the contract, to the bytes of a packet.
//!
//! Owns: what a sample may hold, and what is said of one that is wrong. Never does: evaluate.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use engine::decide::documents;
use expr::{Value, structs};
use prost::Message;
use serde_json::{Map, Value as Json};
use transport_proto::v1::DataPacket;
use transport_proto::view::{Dialect, PacketView};
use transport_proto::wire::put_len_field;

use super::frames::{envelope, frame};
use crate::story::did_you_mean;

/// Fields of a sample. `steps` is no field of a packet: it gives what joined steps gave.
const FIELDS: &[&str] = &[
    "metadata", "payload", "inputs", "audio", "video", "binary", "envelope", "steps",
];

/// Tags of the Structs in a `DataPacket`.
const PAYLOAD_TAG: u8 = 0x12;
const INPUTS_TAG: u8 = 0x1a;

/// A packet to evaluate expressions for.
#[derive(Debug)]
pub(super) struct Sample {
    /// The packet as it would come in.
    pub(super) bytes: Bytes,
    pub(super) view: PacketView,
    /// Contents of the Struct that expressions see as the packet's fields, wherever they stand.
    pub(super) payload: Option<Bytes>,
    /// The same of the inputs that came with it.
    pub(super) inputs: Option<Bytes>,
    /// What other steps gave, by id: contents of Structs.
    pub(super) steps: Vec<(String, Bytes)>,
}

impl Sample {
    /// Reads a sample.
    ///
    /// # Errors
    /// What is wrong, with the path of the field: `audio.codec: must be text`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        let fields = object("(file)", &json)?;
        known("", fields, FIELDS)?;
        let frame = frame(fields)?;
        let packet = DataPacket {
            metadata: metadata(fields)?,
            frame,
            envelope: envelope(fields)?,
            ..DataPacket::default()
        };
        let (given_payload, given_inputs) = (given(fields, "payload")?, given(fields, "inputs")?);
        let mut bytes = BytesMut::from(&*packet.encode_to_vec());
        for (tag, body) in [(PAYLOAD_TAG, &given_payload), (INPUTS_TAG, &given_inputs)] {
            if let Some(body) = body {
                put_len_field(&mut bytes, tag, body);
            }
        }
        let view = PacketView::parse(&bytes, Dialect::Packet).map_err(|e| e.to_string())?;
        let mut steps = Vec::new();
        if let Some(given) = fields.get("steps") {
            for (id, step) in object("steps", given)? {
                steps.push((id.clone(), body(&format!("steps.{id}"), step)?));
            }
        }
        let (payload, inputs) = documents(&bytes, &view);
        Ok(Self {
            view,
            bytes: bytes.freeze(),
            payload,
            inputs,
            steps,
        })
    }
}

pub(super) fn object<'j>(path: &str, json: &'j Json) -> Result<&'j Map<String, Json>, String> {
    json.as_object()
        .ok_or_else(|| format!("{path}: must be an object"))
}

pub(super) fn known(of: &str, fields: &Map<String, Json>, names: &[&str]) -> Result<(), String> {
    for key in fields.keys() {
        if !names.contains(&&**key) {
            let near = did_you_mean(key, names.iter().copied());
            return Err(format!("{of}{key}: no such field of a packet{near}"));
        }
    }
    Ok(())
}

fn metadata(fields: &Map<String, Json>) -> Result<BTreeMap<String, String>, String> {
    let Some(given) = fields.get("metadata") else {
        return Ok(BTreeMap::new());
    };
    let pair = |(key, value): (&String, &Json)| match value {
        Json::String(text) => Ok((key.clone(), text.clone())),
        _ => Err(format!(
            "metadata.{key}: must be text, as all metadata is; put it in quotes"
        )),
    };
    object("metadata", given)?.iter().map(pair).collect()
}

fn given(fields: &Map<String, Json>, name: &str) -> Result<Option<Bytes>, String> {
    fields.get(name).map(|json| body(name, json)).transpose()
}

/// The contents of the Struct that an object is.
fn body(path: &str, json: &Json) -> Result<Bytes, String> {
    object(path, json)?;
    let mut out = BytesMut::new();
    structs::encode(&Value::from(json), &mut out).map_err(|fault| format!("{path}: {fault}"))?;
    Ok(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use transport_proto::v1::data_packet::Frame;

    fn wrong(text: &str) -> String {
        Sample::read(text)
            .err()
            .unwrap_or_else(|| panic!("{text} is read"))
    }

    #[test]
    fn a_sample_becomes_the_packet_that_would_come_in() {
        let sample = Sample::read(
            r#"{"metadata": {"lang": "de"}, "payload": {"a": 1}, "inputs": {},
                "audio": {"pcm": "AAEC", "sample_rate_hz": 16000, "channels": 1, "codec": "pcm16"}}"#,
        )
        .unwrap();
        let packet = DataPacket::decode(&*sample.bytes).unwrap();
        assert_eq!(packet.metadata["lang"], "de");
        assert!(
            packet
                .payload
                .is_some_and(|payload| payload.fields.len() == 1)
        );
        assert!(packet.inputs.is_some());
        let Some(Frame::Audio(audio)) = packet.frame else {
            panic!("no audio");
        };
        assert_eq!(
            (&audio.pcm[..], audio.sample_rate_hz),
            (&[0, 1, 2][..], 16000)
        );
        assert!(sample.view.is_sound());
    }

    #[test]
    fn json_in_a_frame_is_read_where_there_is_no_struct() {
        let with = |payload: &str, mime: &str| {
            let envelope = r#"{"payload": {"a": 1, "b": 2}}"#;
            let sample = format!(
                r#"{{{payload} "binary": {{"mime_type": "{mime}", "payload": {envelope}}}}}"#
            );
            let payload = Sample::read(&sample).unwrap().payload;
            payload.map(|body| structs::decode(&body).len())
        };
        let envelope = "application/vnd.bubu.packet+json";
        assert_eq!(with("", envelope), Some(2));
        assert_eq!(with("", "application/json"), Some(1));
        assert_eq!(with("", "text/plain"), None);
        assert_eq!(with(r#""payload": {"c": 3},"#, envelope), Some(1));
    }

    #[test]
    fn an_envelope_is_the_packets_own() {
        let sample = Sample::read(r#"{"envelope": {"partition": "p3", "sequence": 7}}"#).unwrap();
        let envelope = sample.view.envelope().expect("an envelope");
        assert_eq!(envelope.partition(&sample.bytes), "p3");
        assert_eq!(envelope.sequence(), 7);
    }

    #[test]
    fn what_is_wrong_names_the_field() {
        for (sample, says) in [
            ("[]", "(file): must be an object"),
            (r#"{"metdata": {}}"#, "did you mean metadata?"),
            (r#"{"metadata": {"n": 1}}"#, "metadata.n: must be text"),
            (r#"{"payload": []}"#, "payload: must be an object"),
            (r#"{"audio": {"rate": 1}}"#, "audio.rate: no such field"),
            (
                r#"{"audio": {"channels": -1}}"#,
                "audio.channels: must be a whole",
            ),
            (r#"{"audio": {"pcm": "??"}}"#, "audio.pcm: must be base64"),
            (r#"{"audio": {"pcm": "a"}}"#, "audio.pcm: must be base64"),
            (r#"{"video": {"raw": "yes"}}"#, "video.raw: must be true"),
            (r#"{"envelope": {"chunks": 1}}"#, "envelope.chunks: no such"),
            (r#"{"audio": {}, "video": {}}"#, "one frame"),
            (r#"{"steps": {"a": 1}}"#, "steps.a: must be an object"),
            ("{", "EOF"),
        ] {
            let text = wrong(sample);
            assert!(text.contains(says), "{sample}: {text}");
        }
    }

    #[test]
    fn base64_is_read_padded_or_not() {
        for (text, bytes) in [("aGk=", "hi"), ("aGkh", "hi!"), ("aG", "h")] {
            let sample = format!(r#"{{"binary": {{"payload": "{text}"}}}}"#);
            let sample = Sample::read(&sample).expect("a sample");
            let packet = DataPacket::decode(&*sample.bytes).expect("a packet");
            let Some(Frame::Binary(binary)) = packet.frame else {
                panic!("no binary frame");
            };
            assert_eq!(&binary.payload[..], bytes.as_bytes());
        }
    }
}
