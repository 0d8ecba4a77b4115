//! A message to the bytes of a `DataRequest` or `DataPacket` (spec 3).

use bytes::{Bytes, BytesMut};
use prost::Message;
use transport_proto::json::{StructError, to_struct};
use transport_proto::names::metadata::{ENVELOPE_KIND, ENVELOPE_MESSAGE_ID, ENVELOPE_TIMESTAMP_MS};
use transport_proto::names::mime::PACKET_JSON;
use transport_proto::packet_json::{PacketJson, PacketJsonError, TransportJson};
use transport_proto::view::{Dialect, PacketView};
use transport_proto::wire::put_len_field;
use transport_proto::{Malformed, Violation, v1};

use crate::message::{InvalidMessage, Kind, StreamMessage, TransportDescriptor, mime_base};

/// Media type of a binary frame without one.
pub(super) const OCTET_STREAM: &str = "application/octet-stream";
const JSON: &str = "application/json";

/// Why a message cannot be sent: a fault of the engram. A retry does not help.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EncodeError {
    /// It breaks a rule of messages.
    #[error(transparent)]
    Invalid(#[from] InvalidMessage),
    /// There is nothing in it to send.
    #[error("stream message missing audio, video, or binary payload")]
    Nothing,
    /// Payload or inputs are no JSON.
    #[error("envelope marshal failed: {0}")]
    Envelope(#[from] PacketJsonError),
    /// The payload is no JSON object.
    #[error("payload decode failed: {0}")]
    Payload(StructError),
    /// The inputs are no JSON object.
    #[error("inputs decode failed: {0}")]
    Inputs(StructError),
    /// It breaks a limit of the contract (spec 1).
    #[error("transport publish request invalid: validation error: {0}")]
    Limit(Violation),
    /// Its bytes cannot be read back: a fault of this library.
    #[error("transport publish request invalid: {0}")]
    Malformed(#[from] Malformed),
    /// Encoded it is larger than any peer accepts.
    #[error("message of {bytes} bytes exceeds the limit of 10485760")]
    TooLarge {
        /// Encoded bytes.
        bytes: usize,
    },
}

/// The frame that a message is sent with.
enum Frame {
    Audio(v1::AudioFrame),
    Video(v1::VideoFrame),
    Binary(v1::BinaryFrame),
}

/// Encodes a message for one of the two numberings of a packet's fields.
///
/// # Errors
/// [`EncodeError`] where it breaks a rule or a limit.
pub fn encode(message: &StreamMessage, dialect: Dialect) -> Result<Bytes, EncodeError> {
    encode_buffer(message, dialect).map(BytesMut::freeze)
}

/// As [`encode`], into a buffer that can be appended to.
pub(crate) fn encode_buffer(
    message: &StreamMessage,
    dialect: Dialect,
) -> Result<BytesMut, EncodeError> {
    message.validate()?;
    let (frame, has_structs) = frame(message)?;
    let mut out = BytesMut::new();
    let tags = Tags::of(dialect);
    put_frame(&mut out, &tags, &frame);
    for (key, value) in metadata(message) {
        let mut entry = BytesMut::new();
        put_len_field(&mut entry, 0x0a, key.as_bytes());
        put_len_field(&mut entry, 0x12, value.as_bytes());
        put_len_field(&mut out, tags.metadata, &entry);
    }
    if has_structs {
        if !message.payload.is_empty() {
            let body = to_struct(&message.payload).map_err(EncodeError::Payload)?;
            put_len_field(&mut out, tags.payload, &body);
        }
        if !message.inputs.is_empty() {
            let body = to_struct(&message.inputs).map_err(EncodeError::Inputs)?;
            put_len_field(&mut out, tags.inputs, &body);
        }
        for transport in &message.transports {
            let transport = descriptor(transport).encode_to_vec();
            put_len_field(&mut out, tags.transports, &transport);
        }
    }
    if let Some(envelope) = &message.envelope {
        put_len_field(&mut out, 0x42, &envelope.encode_to_vec());
    }
    match PacketView::parse(&out, dialect)?.violation() {
        Some(violation) => Err(EncodeError::Limit(violation)),
        None => Ok(out),
    }
}

/// The frame, and whether Structs go beside it.
fn frame(message: &StreamMessage) -> Result<(Frame, bool), EncodeError> {
    if let Some(audio) = &message.audio {
        let audio = v1::AudioFrame {
            pcm: audio.pcm.clone(),
            sample_rate_hz: audio.sample_rate_hz,
            channels: audio.channels,
            codec: audio.codec.clone(),
            timestamp_ms: audio.timestamp.millis(),
        };
        return Ok((Frame::Audio(audio), true));
    }
    if let Some(video) = &message.video {
        let video = v1::VideoFrame {
            payload: video.payload.clone(),
            codec: video.codec.clone(),
            width: video.width,
            height: video.height,
            timestamp_ms: video.timestamp.millis(),
            raw: video.raw,
        };
        return Ok((Frame::Video(video), true));
    }
    if let Some(raw) = raw_binary(message) {
        return Ok((Frame::Binary(raw), false));
    }
    structured(message).map(|frame| (Frame::Binary(frame), true))
}

/// The binary frame, where it goes out as it is: no structured packet is meant.
fn raw_binary(message: &StreamMessage) -> Option<v1::BinaryFrame> {
    let frame = message.binary.as_ref()?;
    let base = mime_base(&frame.mime_type);
    let bare =
        message.inputs.is_empty() && message.transports.is_empty() && message.envelope.is_none();
    if base == PACKET_JSON || !bare || !(message.payload.is_empty() || base != JSON) {
        return None;
    }
    let mime_type = if frame.mime_type.is_empty() {
        OCTET_STREAM
    } else {
        &frame.mime_type
    };
    Some(v1::BinaryFrame {
        payload: frame.payload.clone(),
        mime_type: mime_type.to_owned(),
        timestamp_ms: frame.timestamp.millis(),
    })
}

/// The message as an envelope in a binary frame.
fn structured(message: &StreamMessage) -> Result<v1::BinaryFrame, EncodeError> {
    let has_content =
        !message.payload.is_empty() || !message.inputs.is_empty() || !message.transports.is_empty();
    if message.kind.as_str().is_empty() && !has_content {
        return Err(EncodeError::Nothing);
    }
    let kind = if message.kind.as_str().is_empty() {
        Kind::DATA
    } else {
        message.kind.clone()
    };
    let timestamp_ms = message.timestamp.map_or(0, |timestamp| timestamp.0);
    if timestamp_ms < 0 {
        return Err(PacketJsonError::NegativeTimestamp.into());
    }
    let some = |json: &Bytes| (!json.is_empty()).then(|| json.clone());
    let packet = PacketJson {
        kind: kind.to_string(),
        message_id: message.message_id.clone(),
        timestamp_ms,
        metadata: message.metadata.clone(),
        payload: some(&message.payload),
        inputs: some(&message.inputs),
        transports: message.transports.iter().map(transport_json).collect(),
        ..PacketJson::default()
    };
    let media_time = message
        .binary
        .as_ref()
        .map(|frame| frame.timestamp.millis());
    Ok(v1::BinaryFrame {
        payload: packet.encode()?.into(),
        mime_type: PACKET_JSON.to_owned(),
        timestamp_ms: media_time.unwrap_or(timestamp_ms.unsigned_abs()),
    })
}

fn transport_json(transport: &TransportDescriptor) -> TransportJson {
    let config = transport.typed_config.as_ref().and_then(|c| c.trimmed());
    TransportJson {
        name: transport.name.clone(),
        kind: transport.kind.clone(),
        mode: transport.mode.clone(),
        typed_config: config.map(|config| (config.transport_ref, config.mode_reason)),
    }
}

fn descriptor(transport: &TransportDescriptor) -> v1::TransportDescriptor {
    let config = transport.typed_config.as_ref().and_then(|c| c.trimmed());
    v1::TransportDescriptor {
        name: transport.name.clone(),
        kind: transport.kind.clone(),
        mode: transport.mode.clone(),
        typed_config: config.map(|config| v1::TransportConfig {
            transport_ref: config.transport_ref,
            mode_reason: config.mode_reason,
        }),
    }
}

/// The message's metadata and the facts of its envelope.
fn metadata(message: &StreamMessage) -> Vec<(&str, String)> {
    let mut pairs = message.metadata.clone();
    let facts = [
        (ENVELOPE_KIND, message.kind.to_string()),
        (ENVELOPE_MESSAGE_ID, message.message_id.clone()),
        (
            ENVELOPE_TIMESTAMP_MS,
            message
                .timestamp
                .map_or_else(String::new, |timestamp| timestamp.0.to_string()),
        ),
    ];
    let mut all = Vec::with_capacity(message.metadata.len() + facts.len());
    for (key, value) in facts {
        if !value.is_empty() {
            pairs.remove(key);
            all.push((key, value));
        }
    }
    let own = message.metadata.keys();
    all.extend(own.filter_map(|key| pairs.remove(key).map(|value| (key.as_str(), value))));
    all
}

fn put_frame(out: &mut BytesMut, tags: &Tags, frame: &Frame) {
    match frame {
        Frame::Audio(frame) => put_len_field(out, tags.audio, &frame.encode_to_vec()),
        Frame::Video(frame) => put_len_field(out, tags.video, &frame.encode_to_vec()),
        Frame::Binary(frame) => put_len_field(out, tags.binary, &frame.encode_to_vec()),
    }
}

/// Tags of a packet's fields (spec 1).
struct Tags {
    audio: u8,
    video: u8,
    binary: u8,
    metadata: u8,
    payload: u8,
    inputs: u8,
    transports: u8,
}

impl Tags {
    fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Connector => Self {
                audio: 0x0a,
                video: 0x12,
                binary: 0x1a,
                metadata: 0x22,
                payload: 0x2a,
                inputs: 0x32,
                transports: 0x3a,
            },
            Dialect::Packet => Self {
                metadata: 0x0a,
                payload: 0x12,
                inputs: 0x1a,
                transports: 0x22,
                audio: 0x2a,
                video: 0x32,
                binary: 0x3a,
            },
        }
    }
}
