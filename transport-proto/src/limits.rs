//! The limits of the contract (spec 1, tables). Lengths of text are Unicode code
//! points ("characters"), lengths of bytes fields are octets. Limits are
//! inclusive, and judged after merging.

/// Encoded size of a message, each way (spec 2.8): the largest that an engram accepts.
pub const MAX_MESSAGE_BYTES: usize = 10 * 1024 * 1024;

/// Distinct keys of a `metadata` map.
pub const MAX_METADATA_PAIRS: usize = 100;
/// Shortest key of a `metadata` or `details` map, in characters.
pub const MIN_KEY_CHARS: usize = 1;
/// Longest key of a `metadata` or `details` map, in characters.
pub const MAX_KEY_CHARS: usize = 128;
/// Longest value of a `metadata` or `details` map, in characters.
pub const MAX_VALUE_CHARS: usize = 1024;
/// Distinct keys of `ControlError.details`.
pub const MAX_DETAILS_PAIRS: usize = 50;

/// `AudioFrame.pcm`, `VideoFrame.payload` and `BinaryFrame.payload`, in bytes.
pub const MAX_MEDIA_BYTES: usize = 10_485_760;
/// Lowest `AudioFrame.sample_rate_hz`.
pub const MIN_SAMPLE_RATE_HZ: i32 = 8_000;
/// Highest `AudioFrame.sample_rate_hz`.
pub const MAX_SAMPLE_RATE_HZ: i32 = 192_000;
/// Fewest `AudioFrame.channels`.
pub const MIN_CHANNELS: i32 = 1;
/// Most `AudioFrame.channels`.
pub const MAX_CHANNELS: i32 = 8;
/// `AudioFrame.codec` and `VideoFrame.codec`, in characters.
pub const MAX_CODEC_CHARS: usize = 32;
/// `VideoFrame.width` and `VideoFrame.height`, in pixels.
pub const MAX_PICTURE_SIDE: u32 = 16_384;
/// `BinaryFrame.mime_type`, in characters.
pub const MAX_MIME_TYPE_CHARS: usize = 255;

/// `transports` of a packet.
pub const MAX_TRANSPORTS: usize = 10;
/// `TransportDescriptor.name`, `.kind` and `.mode`, in characters.
pub const MAX_TRANSPORT_NAME_CHARS: usize = 128;
/// `TransportConfig.transport_ref`, in characters.
pub const MAX_TRANSPORT_REF_CHARS: usize = 253;
/// `TransportConfig.mode_reason`, in characters.
pub const MAX_MODE_REASON_CHARS: usize = 512;

/// `StreamEnvelope.stream_id`, in characters.
pub const MAX_STREAM_ID_CHARS: usize = 128;
/// `partition` of an envelope or an acknowledgement, in characters.
pub const MAX_PARTITION_CHARS: usize = 128;
/// `StreamEnvelope.chunk_id`, in characters.
pub const MAX_CHUNK_ID_CHARS: usize = 128;
/// `StreamEnvelope.chunk_count`.
pub const MAX_CHUNK_COUNT: u32 = 256;
/// `StreamEnvelope.chunk_bytes`.
pub const MAX_CHUNK_BYTES: u32 = 10_485_760;
/// `StreamEnvelope.total_bytes`.
pub const MAX_TOTAL_BYTES: u32 = 67_108_864;

/// `FlowControl.partition_acks`.
pub const MAX_PARTITION_ACKS: usize = 256;
/// `custom_action` of a control message, in characters.
pub const MAX_CUSTOM_ACTION_CHARS: usize = 128;
/// `ControlError.message`, in characters.
pub const MAX_ERROR_MESSAGE_CHARS: usize = 2048;

/// `BindingInfo.transport_ref`, `.driver` and `.protocol_version`, in characters.
pub const MAX_BINDING_NAME_CHARS: usize = 128;
/// `BindingInfo.endpoint`, in characters.
pub const MAX_ENDPOINT_CHARS: usize = 2048;
/// `BindingInfo.payload`, in bytes.
pub const MAX_BINDING_PAYLOAD_BYTES: usize = 1_048_576;
/// `BindingInfo.audio_codecs`, `.video_codecs` and `.binary_types`.
pub const MAX_BINDING_FORMATS: usize = 32;
/// One item of `BindingInfo.audio_codecs` and `.video_codecs`, in characters.
pub const MAX_BINDING_CODEC_CHARS: usize = 64;

/// Messages inside one another that a receiver decodes, the outermost counted
/// (entries of a map are not messages of their own here). Structs are the only
/// messages of the contract that can come near it.
pub const MAX_NESTED_MESSAGES: u32 = 10_000;
/// Groups inside one another that a receiver skips in an unknown field.
pub const MAX_NESTED_GROUPS: u32 = 10_001;
