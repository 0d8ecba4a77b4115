//! Messages that carry packets, and what is in them.

use super::{Count, Field, Kind, Message, bytes, field, inner, many, map, message_of};
use super::{text, uint32, uint64};
use crate::limits as max;

/// `AudioFrame`.
pub static AUDIO_FRAME: Message = message_of(
    "AudioFrame",
    &[
        bytes(1, "pcm", max::MAX_MEDIA_BYTES),
        field(
            2,
            "sample_rate_hz",
            Kind::Int32 {
                min: Some(max::MIN_SAMPLE_RATE_HZ),
                max: Some(max::MAX_SAMPLE_RATE_HZ),
            },
        ),
        field(
            3,
            "channels",
            Kind::Int32 {
                min: Some(max::MIN_CHANNELS),
                max: Some(max::MAX_CHANNELS),
            },
        ),
        text(4, "codec", max::MAX_CODEC_CHARS),
        uint64(5, "timestamp_ms"),
    ],
);

/// `VideoFrame`.
pub static VIDEO_FRAME: Message = message_of(
    "VideoFrame",
    &[
        bytes(1, "payload", max::MAX_MEDIA_BYTES),
        text(2, "codec", max::MAX_CODEC_CHARS),
        uint32(3, "width", Some(max::MAX_PICTURE_SIDE)),
        uint32(4, "height", Some(max::MAX_PICTURE_SIDE)),
        uint64(5, "timestamp_ms"),
        field(6, "raw", Kind::Bool),
    ],
);

/// `BinaryFrame`.
pub static BINARY_FRAME: Message = message_of(
    "BinaryFrame",
    &[
        bytes(1, "payload", max::MAX_MEDIA_BYTES),
        text(2, "mime_type", max::MAX_MIME_TYPE_CHARS),
        uint64(3, "timestamp_ms"),
    ],
);

/// `TransportDescriptor`. Number 4 is reserved: what stands there is unknown.
pub static TRANSPORT_DESCRIPTOR: Message = message_of(
    "TransportDescriptor",
    &[
        text(1, "name", max::MAX_TRANSPORT_NAME_CHARS),
        text(2, "kind", max::MAX_TRANSPORT_NAME_CHARS),
        text(3, "mode", max::MAX_TRANSPORT_NAME_CHARS),
        inner(5, "typed_config", &TRANSPORT_CONFIG),
    ],
);

/// `TransportConfig`.
pub static TRANSPORT_CONFIG: Message = message_of(
    "TransportConfig",
    &[
        text(1, "transport_ref", max::MAX_TRANSPORT_REF_CHARS),
        text(2, "mode_reason", max::MAX_MODE_REASON_CHARS),
    ],
);

/// `StreamEnvelope`.
pub static STREAM_ENVELOPE: Message = Message {
    name: "StreamEnvelope",
    fields: &[
        text(1, "stream_id", max::MAX_STREAM_ID_CHARS),
        uint64(2, "sequence"),
        text(3, "partition", max::MAX_PARTITION_CHARS),
        text(4, "chunk_id", max::MAX_CHUNK_ID_CHARS),
        uint32(5, "chunk_index", None),
        uint32(6, "chunk_count", Some(max::MAX_CHUNK_COUNT)),
        uint32(7, "chunk_bytes", Some(max::MAX_CHUNK_BYTES)),
        uint32(8, "total_bytes", Some(max::MAX_TOTAL_BYTES)),
    ],
    has_chunk_rules: true,
};

const fn one_of(number: u32, name: &'static str, message: &'static Message) -> Field {
    Field {
        number,
        name,
        kind: Kind::Message(message),
        count: Count::OneOf,
    }
}

const fn metadata(number: u32) -> Field {
    map(number, "metadata", max::MAX_METADATA_PAIRS)
}

const fn transports(number: u32) -> Field {
    many(
        max::MAX_TRANSPORTS,
        inner(number, "transports", &TRANSPORT_DESCRIPTOR),
    )
}

/// Frame 1 to 3, metadata 4, payload 5, inputs 6, transports 7, envelope 8.
static CONNECTOR_FIELDS: [Field; 8] = [
    one_of(1, "audio", &AUDIO_FRAME),
    one_of(2, "video", &VIDEO_FRAME),
    one_of(3, "binary", &BINARY_FRAME),
    metadata(4),
    field(5, "payload", Kind::Struct),
    field(6, "inputs", Kind::Struct),
    transports(7),
    inner(8, "envelope", &STREAM_ENVELOPE),
];

/// Metadata 1, payload 2, inputs 3, transports 4, frame 5 to 7, envelope 8.
static PACKET_FIELDS: [Field; 8] = [
    metadata(1),
    field(2, "payload", Kind::Struct),
    field(3, "inputs", Kind::Struct),
    transports(4),
    one_of(5, "audio", &AUDIO_FRAME),
    one_of(6, "video", &VIDEO_FRAME),
    one_of(7, "binary", &BINARY_FRAME),
    inner(8, "envelope", &STREAM_ENVELOPE),
];

/// `PublishRequest`.
pub static PUBLISH_REQUEST: Message = message_of("PublishRequest", &CONNECTOR_FIELDS);

/// `DataRequest`.
pub static DATA_REQUEST: Message = message_of("DataRequest", &CONNECTOR_FIELDS);

/// `DataResponse`.
pub static DATA_RESPONSE: Message = message_of("DataResponse", &CONNECTOR_FIELDS);

/// `HubPushRequest`.
pub static HUB_PUSH_REQUEST: Message = message_of(
    "HubPushRequest",
    &[
        metadata(1),
        field(2, "payload", Kind::Struct),
        field(3, "inputs", Kind::Struct),
        one_of(4, "audio", &AUDIO_FRAME),
        one_of(5, "video", &VIDEO_FRAME),
        one_of(6, "binary", &BINARY_FRAME),
        transports(7),
        inner(8, "envelope", &STREAM_ENVELOPE),
    ],
);

/// `HubPushResponse`.
pub static HUB_PUSH_RESPONSE: Message = message_of("HubPushResponse", &PACKET_FIELDS);

/// `DataPacket`.
pub static DATA_PACKET: Message = message_of("DataPacket", &PACKET_FIELDS);

static PROCESS_FIELDS: [Field; 2] = [
    inner(1, "packet", &DATA_PACKET),
    inner(2, "flow", &super::FLOW_CONTROL),
];

/// `ProcessRequest`.
pub static PROCESS_REQUEST: Message = message_of("ProcessRequest", &PROCESS_FIELDS);

/// `ProcessResponse`.
pub static PROCESS_RESPONSE: Message = message_of("ProcessResponse", &PROCESS_FIELDS);
