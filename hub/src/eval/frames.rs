//! The frame and the envelope of a sample packet.
//!
//! Owns: their fields, and the ways to give bytes. Never does: judge values; the packet's view does.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde_json::{Map, Value as Json};
use transport_proto::v1::data_packet::Frame;
use transport_proto::v1::{AudioFrame, BinaryFrame, StreamEnvelope, VideoFrame};

use super::sample::{known, object};

/// Base64 (RFC 4648), padded or not.
const PADDED_OR_NOT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The packet's own envelope: what tells chunks and partitions.
pub(super) fn envelope(fields: &Map<String, Json>) -> Result<Option<StreamEnvelope>, String> {
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

/// The frame, where one is given.
pub(super) fn frame(fields: &Map<String, Json>) -> Result<Option<Frame>, String> {
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
            raw: self.flag("raw")?,
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

    fn flag(&self, name: &str) -> Result<bool, String> {
        match self.fields.get(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(_) => self.wrong(name, "true or false"),
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
            (Some(Json::String(text)), None) => match PADDED_OR_NOT.decode(text) {
                Ok(bytes) => Ok(bytes.into()),
                Err(_) => self.wrong(name, "base64, or an object"),
            },
            (Some(json @ Json::Object(_)), None) => Ok(json.to_string().into()),
            (Some(_), None) => self.wrong(name, "base64, or an object"),
        }
    }
}
