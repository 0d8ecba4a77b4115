//! The bytes of a `DataResponse` or `DataPacket` to a message (spec 3).

use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use transport_proto::json::{StructError, from_struct};
use transport_proto::names::metadata::{
    ENVELOPE_KIND, ENVELOPE_MESSAGE_ID, ENVELOPE_TIMESTAMP_MS, HEARTBEAT, HEARTBEAT_TRUE,
};
use transport_proto::names::mime::PACKET_JSON;
use transport_proto::packet_json::{PacketJson, PacketJsonError, TransportJson};
use transport_proto::view::{Dialect, EnvelopeView, FrameKind, FrameView, PacketView};
use transport_proto::{Malformed, Violation, v1};

use super::chunks::{Assembly, Chunk, Reassembler};
use super::encode::OCTET_STREAM;
use crate::message::{
    AudioFrame, BinaryFrame, InvalidMessage, Kind, MediaTime, StreamEnvelope, StreamMessage,
    TransportConfig, TransportDescriptor, UnixMillis, VideoFrame, mime_base,
};

/// Why bytes are no message for an engram: a fault of whoever sent them. The hub keeps
/// such packets from engrams.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// No message of the contract.
    #[error("transport publish request invalid: {0}")]
    Malformed(#[from] Malformed),
    /// A limit of the contract is broken (spec 1).
    #[error("transport publish request invalid: validation error: {0}")]
    Limit(Violation),
    /// The envelope in the frame cannot be read.
    #[error("envelope decode failed: {0}")]
    Envelope(#[from] PacketJsonError),
    /// The payload's Struct cannot be said in JSON.
    #[error("payload marshal failed: {0}")]
    Payload(StructError),
    /// The inputs' Struct cannot be said in JSON.
    #[error("inputs marshal failed: {0}")]
    Inputs(StructError),
    /// It breaks a rule of messages.
    #[error("decoded stream message invalid: {0}")]
    Invalid(#[from] InvalidMessage),
    /// It is a chunk that fits nowhere.
    #[error(transparent)]
    Chunk(#[from] super::ChunkError),
}

/// Why a packet is not shown to the engram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// It has no frame.
    Frameless,
    /// A sign of life.
    Heartbeat,
    /// Nothing, by its kind.
    Noop,
    /// Nothing at all.
    Empty,
}

/// What two copies of a packet have in common (spec 3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The hub numbered it.
    Sequence {
        /// Without surrounding white space, never empty.
        stream_id: String,
        /// Without surrounding white space.
        partition: String,
        /// From 1.
        sequence: u64,
    },
    /// Only its producer named it.
    MessageId(String),
}

/// What tells the hub that a packet was processed (spec 2.4 rule 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Of the envelope.
    pub stream_id: String,
    /// Of the envelope.
    pub partition: String,
    /// Of the envelope, from 1.
    pub sequence: u64,
    /// Encoded bytes of what was received.
    pub size_bytes: usize,
}

/// A packet as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// What the engram would be shown; empty for a frameless packet.
    pub message: StreamMessage,
    /// Set where it is not to be shown.
    pub drop: Option<Drop>,
    /// What its copies are known by.
    pub identity: Option<Identity>,
    /// Set where the hub waits for a receipt.
    pub receipt: Option<Receipt>,
    /// Encoded bytes.
    pub size_bytes: usize,
}

/// Decodes a packet.
///
/// # Errors
/// [`DecodeError`] where it is none, or must not be shown to an engram.
pub fn decode(bytes: &Bytes, dialect: Dialect) -> Result<Arrival, DecodeError> {
    arrival(bytes, &PacketView::parse(bytes, dialect)?, None)
}

/// The packet of these bytes; `whole` replaces the frame's, of which they are a chunk.
fn arrival(bytes: &Bytes, view: &PacketView, whole: Option<Bytes>) -> Result<Arrival, DecodeError> {
    let size_bytes = whole.as_ref().map_or(bytes.len(), Bytes::len);
    let packet = Packet { bytes, view, whole };
    let receipt = packet.receipt(size_bytes);
    let mut arrival = Arrival {
        message: StreamMessage::default(),
        drop: None,
        identity: packet.identity(receipt.as_ref()),
        receipt,
        size_bytes,
    };
    let Some(frame) = view.frame_view() else {
        arrival.drop = Some(Drop::Frameless);
        return Ok(arrival);
    };
    if let Some(violation) = view.violation() {
        return Err(DecodeError::Limit(violation));
    }
    arrival.message = packet.message(frame)?;
    arrival.message.validate()?;
    arrival.drop = drop_reason(&arrival.message);
    Ok(arrival)
}

/// The receipt of a packet that may not be shown; `None` where the hub waits for none.
pub(crate) fn receipt(bytes: &Bytes, dialect: Dialect) -> Option<Receipt> {
    let view = PacketView::parse(bytes, dialect).ok()?;
    let packet = Packet {
        bytes,
        view: &view,
        whole: None,
    };
    packet.receipt(bytes.len())
}

/// Decodes a packet that may be a chunk: `None` while others of its payload are missing.
///
/// # Errors
/// As [`decode`], and where a chunk fits nowhere.
pub(crate) fn decode_chunked(
    bytes: &Bytes,
    dialect: Dialect,
    chunks: &mut Reassembler<Bytes>,
    now: Duration,
) -> Result<Option<Arrival>, DecodeError> {
    let view = PacketView::parse(bytes, dialect)?;
    if !view.envelope().is_some_and(EnvelopeView::is_chunk) {
        return arrival(bytes, &view, None).map(Some);
    }
    let packet = Packet {
        bytes,
        view: &view,
        whole: None,
    };
    let binary = view
        .frame_view()
        .filter(|frame| frame.kind() == FrameKind::Binary);
    let chunk = Chunk {
        envelope: packet.envelope().unwrap_or_default(),
        payload: binary.map(|frame| bytes.slice(frame.media())),
    };
    match chunks.push(&chunk, bytes.clone(), now)? {
        None | Some(Assembly::Waits) => Ok(None),
        Some(Assembly::Complete(first, whole)) => {
            let view = PacketView::parse(&first, dialect)?;
            arrival(&first, &view, Some(whole)).map(Some)
        }
    }
}

/// What an engram sent, as a hub reads it: its number and the message without it. `None`
/// for signs of life and what cannot be read. Not judged: the SDK refuses the error
/// messages that it sends itself.
#[cfg(feature = "testkit")]
pub(crate) fn decode_sent(bytes: &Bytes, dialect: Dialect) -> Option<(u64, StreamMessage)> {
    let view = PacketView::parse(bytes, dialect).ok()?;
    let packet = Packet {
        bytes,
        view: &view,
        whole: None,
    };
    let number = view.envelope()?.sequence();
    let mut message = packet.message(view.frame_view()?).ok()?;
    message.envelope = None;
    Some((number, message))
}

fn drop_reason(message: &StreamMessage) -> Option<Drop> {
    let beats = message.metadata.get(HEARTBEAT);
    if message.kind.is(&Kind::HEARTBEAT)
        || beats.is_some_and(|value| value.eq_ignore_ascii_case(HEARTBEAT_TRUE))
    {
        Some(Drop::Heartbeat)
    } else if message.kind.is(&Kind::NOOP) {
        Some(Drop::Noop)
    } else {
        message.is_empty().then_some(Drop::Empty)
    }
}

/// A packet that is being read.
struct Packet<'a> {
    bytes: &'a Bytes,
    view: &'a PacketView,
    /// The payload that these bytes are a chunk of.
    whole: Option<Bytes>,
}

impl Packet<'_> {
    fn receipt(&self, size_bytes: usize) -> Option<Receipt> {
        let envelope = self.view.envelope()?;
        let stream_id = envelope.stream_id(self.bytes).trim();
        (!stream_id.is_empty() && envelope.sequence() > 0).then(|| Receipt {
            stream_id: stream_id.to_owned(),
            partition: envelope.partition(self.bytes).trim().to_owned(),
            sequence: envelope.sequence(),
            size_bytes,
        })
    }

    fn identity(&self, receipt: Option<&Receipt>) -> Option<Identity> {
        if let Some(receipt) = receipt {
            return Some(Identity::Sequence {
                stream_id: receipt.stream_id.clone(),
                partition: receipt.partition.clone(),
                sequence: receipt.sequence,
            });
        }
        let id = self.view.metadata(self.bytes, ENVELOPE_MESSAGE_ID)?.trim();
        (!id.is_empty()).then(|| Identity::MessageId(id.to_owned()))
    }

    fn message(&self, frame: &FrameView) -> Result<StreamMessage, DecodeError> {
        let mut message = self.framed(frame)?;
        self.merge_metadata(&mut message);
        let body = |range| self.bytes.get(range).unwrap_or_default();
        let mut payload = self.view.payload_ranges().map(body).peekable();
        if message.payload.is_empty() && payload.peek().is_some() {
            message.payload = from_struct(payload).map_err(DecodeError::Payload)?.into();
        }
        let mut inputs = self.view.inputs_ranges().map(body).peekable();
        if message.inputs.is_empty() && inputs.peek().is_some() {
            message.inputs = from_struct(inputs).map_err(DecodeError::Inputs)?.into();
        }
        if message.transports.is_empty() {
            let ranges = self.view.transports_ranges().map(body);
            message.transports = ranges.map(descriptor).collect();
        }
        message.envelope = self.envelope();
        Ok(message)
    }

    /// What the frame alone says.
    fn framed(&self, frame: &FrameView) -> Result<StreamMessage, DecodeError> {
        let part = || self.bytes.slice(frame.media());
        let media = self.whole.clone().unwrap_or_else(part);
        let timestamp = MediaTime::from_millis(frame.timestamp_ms().unwrap_or_default());
        let codec = frame.codec(self.bytes).unwrap_or_default().to_owned();
        let mut message = StreamMessage::default();
        match frame.kind() {
            FrameKind::Audio => {
                message.audio = Some(AudioFrame {
                    pcm: media,
                    sample_rate_hz: frame.sample_rate_hz().unwrap_or_default(),
                    channels: frame.channels().unwrap_or_default(),
                    codec,
                    timestamp,
                });
            }
            FrameKind::Video => {
                let (width, height) = frame.picture().unwrap_or_default();
                message.video = Some(VideoFrame {
                    payload: media,
                    codec,
                    width,
                    height,
                    timestamp,
                    raw: frame.is_raw(),
                });
            }
            FrameKind::Binary => {
                let mime_type = frame.mime_type(self.bytes).unwrap_or_default().trim();
                if mime_base(mime_type) == PACKET_JSON {
                    return Ok(structured(
                        PacketJson::decode(&media)?,
                        frame.timestamp_ms(),
                    ));
                }
                let mime_type = if mime_type.is_empty() {
                    OCTET_STREAM
                } else {
                    mime_type
                };
                message.payload = media.clone();
                message.binary = Some(BinaryFrame {
                    payload: media,
                    mime_type: mime_type.to_owned(),
                    timestamp,
                });
            }
        }
        Ok(message)
    }

    /// The packet's metadata replaces the envelope's; its facts override the envelope's.
    fn merge_metadata(&self, message: &mut StreamMessage) {
        let mut metadata = std::collections::BTreeMap::new();
        for (key, value) in self.view.metadata_pairs(self.bytes) {
            metadata.insert(key.to_owned(), value.to_owned());
        }
        let mut fact = |key| metadata.remove(key).unwrap_or_default();
        let kind = fact(ENVELOPE_KIND);
        let id = fact(ENVELOPE_MESSAGE_ID);
        let timestamp = fact(ENVELOPE_TIMESTAMP_MS);
        if !kind.trim().is_empty() {
            message.kind = Kind::from(kind.trim());
        }
        if !id.trim().is_empty() {
            message.message_id = id.trim().to_owned();
        }
        if let Some(millis) = timestamp.parse().ok().filter(|millis| *millis > 0) {
            message.timestamp = Some(UnixMillis(millis));
        }
        if !metadata.is_empty() {
            message.metadata = metadata;
        }
    }

    fn envelope(&self) -> Option<StreamEnvelope> {
        let envelope = self.view.envelope()?;
        let mut read = StreamEnvelope {
            stream_id: envelope.stream_id(self.bytes).to_owned(),
            sequence: envelope.sequence(),
            partition: envelope.partition(self.bytes).to_owned(),
            ..StreamEnvelope::default()
        };
        if self.whole.is_none() {
            envelope.chunk_id(self.bytes).clone_into(&mut read.chunk_id);
            read.chunk_index = envelope.chunk_index();
            read.chunk_count = envelope.chunk_count();
            read.chunk_bytes = envelope.chunk_bytes();
            read.total_bytes = envelope.total_bytes();
        }
        Some(read)
    }
}

/// The message that an envelope in a frame says; the frame's time counts where the
/// envelope tells none.
fn structured(mut packet: PacketJson, frame_ms: Option<u64>) -> StreamMessage {
    if packet.timestamp_ms == 0 {
        packet.timestamp_ms = frame_ms.unwrap_or_default() as i64;
    }
    let timestamp = MediaTime::from_millis(packet.timestamp_ms as u64);
    let payload = packet.payload.unwrap_or_default();
    let binary = (!payload.is_empty()).then(|| BinaryFrame {
        payload: payload.clone(),
        mime_type: "application/json".to_owned(),
        timestamp,
    });
    StreamMessage {
        kind: Kind::from(packet.kind.trim()),
        message_id: packet.message_id.trim().to_owned(),
        timestamp: (packet.timestamp_ms > 0).then_some(UnixMillis(packet.timestamp_ms)),
        metadata: packet.metadata,
        payload,
        binary,
        inputs: packet.inputs.unwrap_or_default(),
        transports: packet.transports.into_iter().map(transport).collect(),
        ..StreamMessage::default()
    }
}

fn transport(json: TransportJson) -> TransportDescriptor {
    let config = json
        .typed_config
        .map(|(transport_ref, mode_reason)| TransportConfig {
            transport_ref,
            mode_reason,
        });
    TransportDescriptor {
        name: json.name,
        kind: json.kind,
        mode: json.mode,
        typed_config: config.as_ref().and_then(TransportConfig::trimmed),
    }
}

/// A descriptor of the packet. The view has checked its bytes.
fn descriptor(body: &[u8]) -> TransportDescriptor {
    let descriptor = v1::TransportDescriptor::decode(body).unwrap_or_default();
    let config = descriptor.typed_config.map(|config| TransportConfig {
        transport_ref: config.transport_ref,
        mode_reason: config.mode_reason,
    });
    TransportDescriptor {
        name: descriptor.name,
        kind: descriptor.kind,
        mode: descriptor.mode,
        typed_config: config.as_ref().and_then(TransportConfig::trimmed),
    }
}
