//! The sample packet: JSON in the field names of the contract, to the bytes of a packet.
//!
//! Owns: what a sample may hold, and what is said of one that is wrong. Never does: evaluate.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use engine::decide::documents;
use expr::{Value, structs};
use prost::Message;
use serde_json::{Map, Value as Json};
use transport_proto::v1::data_packet::Frame;
use transport_proto::v1::{AudioFrame, BinaryFrame, DataPacket, StreamEnvelope, VideoFrame};
use transport_proto::view::{Dialect, PacketView};
use transport_proto::wire::put_len_field;

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
        let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
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

fn object<'j>(path: &str, json: &'j Json) -> Result<&'j Map<String, Json>, String> {
    json.as_object()
        .ok_or_else(|| format!("{path}: must be an object"))
}

fn known(of: &str, fields: &Map<String, Json>, names: &[&str]) -> Result<(), String> {
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

/// The packet's own envelope: what tells chunks and partitions.
fn envelope(fields: &Map<String, Json>) -> Result<Option<StreamEnvelope>, String> {
    let Some(json) = fields.get("envelope") else {
        return Ok(None);
    };
    let names = [
        "stream_id",
        "sequence",
        "partition",
        "chunk_id",
        "chunk_index",
        "chunk_count",
        "chunk_bytes",
        "total_bytes",
    ];
    let read = Given {
        kind: "envelope",
        fields: object("envelope", json)?,
    };
    read.known(&names)?;
    Ok(Some(StreamEnvelope {
        stream_id: read.text("stream_id")?,
        sequence: read.number("sequence")?,
        partition: read.text("partition")?,
        chunk_id: read.text("chunk_id")?,
        chunk_index: read.number("chunk_index")?,
        chunk_count: read.number("chunk_count")?,
        chunk_bytes: read.number("chunk_bytes")?,
        total_bytes: read.number("total_bytes")?,
    }))
}

fn frame(fields: &Map<String, Json>) -> Result<Option<Frame>, String> {
    let mut frames = Vec::new();
    for kind in ["audio", "video", "binary"] {
        if let Some(given) = fields.get(kind) {
            let read = Given {
                kind,
                fields: object(kind, given)?,
            };
            frames.push(match kind {
                "audio" => read.audio()?,
                "video" => read.video()?,
                _ => read.binary()?,
            });
        }
    }
    if frames.len() > 1 {
        return Err("a packet has one frame: audio, video or binary".to_owned());
    }
    Ok(frames.pop())
}

/// A frame, or an envelope, as it is given.
struct Given<'j> {
    kind: &'static str,
    fields: &'j Map<String, Json>,
}

impl Given<'_> {
    fn audio(&self) -> Result<Frame, String> {
        let names = [
            "pcm",
            "size",
            "sample_rate_hz",
            "channels",
            "codec",
            "timestamp_ms",
        ];
        self.known(&names)?;
        Ok(Frame::Audio(AudioFrame {
            pcm: self.media("pcm")?,
            sample_rate_hz: self.number("sample_rate_hz")?,
            channels: self.number("channels")?,
            codec: self.text("codec")?,
            timestamp_ms: self.number("timestamp_ms")?,
        }))
    }

    fn video(&self) -> Result<Frame, String> {
        let names = [
            "payload",
            "size",
            "codec",
            "width",
            "height",
            "timestamp_ms",
            "raw",
        ];
        self.known(&names)?;
        Ok(Frame::Video(VideoFrame {
            payload: self.media("payload")?,
            codec: self.text("codec")?,
            width: self.number("width")?,
            height: self.number("height")?,
            timestamp_ms: self.number("timestamp_ms")?,
            raw: self
                .fields
                .get("raw")
                .and_then(Json::as_bool)
                .unwrap_or_default(),
        }))
    }

    fn binary(&self) -> Result<Frame, String> {
        self.known(&["payload", "size", "mime_type", "timestamp_ms"])?;
        Ok(Frame::Binary(BinaryFrame {
            payload: self.media("payload")?,
            mime_type: self.text("mime_type")?,
            timestamp_ms: self.number("timestamp_ms")?,
        }))
    }

    fn known(&self, names: &[&str]) -> Result<(), String> {
        known(&format!("{}.", self.kind), self.fields, names)
    }

    fn wrong<T>(&self, name: &str, wants: &str) -> Result<T, String> {
        Err(format!("{}.{name}: must be {wants}", self.kind))
    }

    fn text(&self, name: &str) -> Result<String, String> {
        match self.fields.get(name) {
            None => Ok(String::new()),
            Some(Json::String(text)) => Ok(text.clone()),
            Some(_) => self.wrong(name, "text"),
        }
    }

    fn number<N: TryFrom<u64> + Default>(&self, name: &str) -> Result<N, String> {
        let Some(given) = self.fields.get(name) else {
            return Ok(N::default());
        };
        match given.as_u64().and_then(|number| N::try_from(number).ok()) {
            Some(number) => Ok(number),
            None => self.wrong(name, "a whole number"),
        }
    }

    /// The media's bytes: base64, or an object as its JSON text, or `size` zeros.
    fn media(&self, name: &str) -> Result<Bytes, String> {
        /// The contract's limit of a frame.
        const MOST: u64 = 10 << 20;
        match (self.fields.get(name), self.fields.get("size")) {
            (None, None) => Ok(Bytes::new()),
            (None, Some(size)) => match size.as_u64().filter(|size| *size <= MOST) {
                // At most 10 MiB.
                Some(size) => Ok(vec![0; size as usize].into()),
                None => self.wrong("size", "a number of bytes, 10 MiB at most"),
            },
            (Some(_), Some(_)) => self.wrong("size", &format!("left out where {name} is given")),
            (Some(Json::String(text)), None) => match base64(text) {
                Some(bytes) => Ok(bytes.into()),
                None => self.wrong(name, "base64, or an object"),
            },
            (Some(json @ Json::Object(_)), None) => Ok(json.to_string().into()),
            (Some(_), None) => self.wrong(name, "base64, or an object"),
        }
    }
}

/// Bytes of a base64 text (RFC 4648), padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(base64("aGk=").as_deref(), Some(&b"hi"[..]));
        assert_eq!(base64("aGkh").as_deref(), Some(&b"hi!"[..]));
        assert_eq!(base64("aG").as_deref(), Some(&b"h"[..]));
        assert_eq!(base64("a"), None);
    }
}
