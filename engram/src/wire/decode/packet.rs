//! What a packet's fields say, put together as the Go SDK does.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use transport_proto::json::from_struct;
use transport_proto::names::metadata::{ENVELOPE_KIND, ENVELOPE_MESSAGE_ID, ENVELOPE_TIMESTAMP_MS};
use transport_proto::names::mime::PACKET_JSON;
use transport_proto::packet_json::{PacketJson, TransportJson};
use transport_proto::v1;
use transport_proto::view::{FrameKind, FrameView, PacketView};

use super::{DecodeError, Identity, Receipt};
use crate::message::{
    AudioFrame, BinaryFrame, Kind, MediaTime, StreamEnvelope, StreamMessage, TransportConfig,
    TransportDescriptor, UnixMillis, VideoFrame, mime_base,
};
use crate::wire::encode::OCTET_STREAM;

/// A packet that is being read.
pub(super) struct Packet<'a> {
    pub(super) bytes: &'a Bytes,
    pub(super) view: &'a PacketView,
    /// The payload that these bytes are a chunk of.
    pub(super) whole: Option<Bytes>,
}

impl Packet<'_> {
    pub(super) fn receipt(&self, size_bytes: usize) -> Option<Receipt> {
        let envelope = self.view.envelope()?;
        let stream_id = envelope.stream_id(self.bytes).trim();
        (!stream_id.is_empty() && envelope.sequence() > 0).then(|| Receipt {
            stream_id: stream_id.to_owned(),
            partition: envelope.partition(self.bytes).trim().to_owned(),
            sequence: envelope.sequence(),
            size_bytes,
        })
    }

    pub(super) fn identity(&self, receipt: Option<&Receipt>) -> Option<Identity> {
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

    pub(super) fn message(&self, frame: &FrameView) -> Result<StreamMessage, DecodeError> {
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
        let mut metadata = BTreeMap::new();
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

    pub(super) fn envelope(&self) -> Option<StreamEnvelope> {
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
