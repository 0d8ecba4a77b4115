//! What engrams send and receive.
//!
//! Owns the shape of a message and its rules ([`StreamMessage::validate`]). Never knows
//! how it looks on the wire.

mod frame;
mod kind;
mod mime;
mod quote;
mod transport;
mod validate;

use std::collections::BTreeMap;

use bytes::Bytes;

pub use frame::{AudioFrame, BinaryFrame, MediaTime, VideoFrame};
pub use kind::Kind;
pub(crate) use mime::base as mime_base;
pub(crate) use quote::quoted;
pub use transport::{TransportConfig, TransportDescriptor};
pub use transport_proto::v1::StreamEnvelope;
pub use validate::InvalidMessage;

/// A point in time in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

/// One message of a stream.
///
/// At most one frame may be set. `payload` and `inputs` hold JSON (objects, as soon as
/// anything but a bare binary frame is sent) or nothing at all; [`validate`](Self::validate)
/// tells the rest.
///
/// ```
/// use engram::{AudioFrame, StreamMessage};
///
/// let message = StreamMessage::data()
///     .with_metadata("type", "speech.audio.v1")
///     .with_audio(AudioFrame::pcm16(vec![0; 640], 16_000, 1));
/// assert!(message.validate().is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamMessage {
    /// What it is; empty means data.
    pub kind: Kind,
    /// Names the message for joins and for dedupe where no sequence does; may be empty.
    pub message_id: String,
    /// When it happened.
    pub timestamp: Option<UnixMillis>,
    /// Facts for routing; at most 100 pairs, keys of 1 to 128 and values of up to 1024
    /// characters.
    pub metadata: BTreeMap<String, String>,
    /// JSON, or the bytes of `binary` again; empty for none.
    pub payload: Bytes,
    /// Sound.
    pub audio: Option<AudioFrame>,
    /// A picture.
    pub video: Option<VideoFrame>,
    /// Other bytes.
    pub binary: Option<BinaryFrame>,
    /// JSON that the step was given; empty for none.
    pub inputs: Bytes,
    /// Ways around the hub; at most 10.
    pub transports: Vec<TransportDescriptor>,
    /// Stream, sequence and partition. The hub writes it; a sender may set a partition.
    pub envelope: Option<StreamEnvelope>,
}

impl StreamMessage {
    /// An empty message of kind `data`.
    #[must_use]
    pub fn data() -> Self {
        Self::of_kind(Kind::DATA)
    }

    /// An empty message of another kind.
    #[must_use]
    pub fn of_kind(kind: Kind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// A data message whose payload is `value` as JSON.
    ///
    /// # Errors
    /// Where `value` cannot be said in JSON.
    pub fn json(value: &impl serde::Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::data().with_payload(serde_json::to_vec(value)?))
    }

    /// Sets the message id.
    #[must_use]
    pub fn with_message_id(mut self, id: impl Into<String>) -> Self {
        self.message_id = id.into();
        self
    }

    /// Sets the time.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: UnixMillis) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Adds a pair of metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Sets the payload: a JSON text.
    #[must_use]
    pub fn with_payload(mut self, json: impl Into<Bytes>) -> Self {
        self.payload = json.into();
        self
    }

    /// Sets the inputs: a JSON text.
    #[must_use]
    pub fn with_inputs(mut self, json: impl Into<Bytes>) -> Self {
        self.inputs = json.into();
        self
    }

    /// Sets the audio frame.
    #[must_use]
    pub fn with_audio(mut self, frame: AudioFrame) -> Self {
        self.audio = Some(frame);
        self
    }

    /// Sets the video frame.
    #[must_use]
    pub fn with_video(mut self, frame: VideoFrame) -> Self {
        self.video = Some(frame);
        self
    }

    /// Sets the binary frame.
    #[must_use]
    pub fn with_binary(mut self, frame: BinaryFrame) -> Self {
        self.binary = Some(frame);
        self
    }

    /// Adds a transport.
    #[must_use]
    pub fn with_transport(mut self, transport: TransportDescriptor) -> Self {
        self.transports.push(transport);
        self
    }

    /// Sets the partition that the message belongs to (edges with `partitioning: preserve`).
    #[must_use]
    pub fn with_partition(mut self, partition: impl Into<String>) -> Self {
        self.envelope
            .get_or_insert_with(StreamEnvelope::default)
            .partition = partition.into();
        self
    }

    /// The payload read as JSON.
    ///
    /// # Errors
    /// Where it is no JSON or no `T`.
    pub fn payload_as<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.payload)
    }

    /// Whether nothing at all is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
