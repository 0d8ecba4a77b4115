//! Messages beside the packets: control, flow, bindings.

use super::{Kind, Message, bytes, field, inner, many, map, message_of, text, uint32, uint64};
use crate::limits as max;

const ACTION: Kind = Kind::Enum {
    name: "ControlAction",
};

/// `ControlRequest`.
pub static CONTROL_REQUEST: Message = message_of(
    "ControlRequest",
    &[
        field(1, "action", ACTION),
        map(2, "metadata", max::MAX_METADATA_PAIRS),
        inner(3, "flow", &FLOW_CONTROL),
        text(4, "custom_action", max::MAX_CUSTOM_ACTION_CHARS),
    ],
);

/// `ControlError`.
pub static CONTROL_ERROR: Message = message_of(
    "ControlError",
    &[
        field(
            1,
            "code",
            Kind::Int32 {
                min: Some(0),
                max: None,
            },
        ),
        text(2, "message", max::MAX_ERROR_MESSAGE_CHARS),
        map(3, "details", max::MAX_DETAILS_PAIRS),
    ],
);

/// `ControlResponse`.
pub static CONTROL_RESPONSE: Message = message_of(
    "ControlResponse",
    &[
        field(1, "action", ACTION),
        map(2, "metadata", max::MAX_METADATA_PAIRS),
        inner(3, "flow", &FLOW_CONTROL),
        text(4, "custom_action", max::MAX_CUSTOM_ACTION_CHARS),
        inner(5, "error", &CONTROL_ERROR),
    ],
);

/// `PartitionAck`.
pub static PARTITION_ACK: Message = message_of(
    "PartitionAck",
    &[
        text(1, "partition", max::MAX_PARTITION_CHARS),
        uint64(2, "ack"),
    ],
);

/// `FlowControl`. Numbers 4 and 5 are reserved: what stands there is unknown.
pub static FLOW_CONTROL: Message = message_of(
    "FlowControl",
    &[
        uint64(1, "ack"),
        uint32(2, "credits_messages", None),
        uint32(3, "credits_bytes", None),
        many(
            max::MAX_PARTITION_ACKS,
            inner(6, "partition_acks", &PARTITION_ACK),
        ),
        field(
            7,
            "signal",
            Kind::Enum {
                name: "FlowControlSignal",
            },
        ),
    ],
);

/// `BindingInfo`.
pub static BINDING_INFO: Message = message_of(
    "BindingInfo",
    &[
        text(1, "transport_ref", max::MAX_BINDING_NAME_CHARS),
        text(2, "driver", max::MAX_BINDING_NAME_CHARS),
        text(3, "endpoint", max::MAX_ENDPOINT_CHARS),
        many(
            max::MAX_BINDING_FORMATS,
            text(4, "audio_codecs", max::MAX_BINDING_CODEC_CHARS),
        ),
        many(
            max::MAX_BINDING_FORMATS,
            text(5, "video_codecs", max::MAX_BINDING_CODEC_CHARS),
        ),
        bytes(6, "payload", max::MAX_BINDING_PAYLOAD_BYTES),
        many(
            max::MAX_BINDING_FORMATS,
            text(7, "binary_types", max::MAX_MIME_TYPE_CHARS),
        ),
        text(8, "protocol_version", max::MAX_BINDING_NAME_CHARS),
    ],
);
