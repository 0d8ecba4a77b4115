//! Tables of every message of the contract: field names, numbers, types, limits
//! (spec 1, "Tables").
//!
//! They are data for what must know every field: [`validate`](mod@crate::validate),
//! [`merged`](crate::merged), and checks of the generated types. The hot view has
//! the same rules written out by hand, from the same [`limits`](crate::limits).

mod control;
mod packet;

pub use control::{
    BINDING_INFO, CONTROL_ERROR, CONTROL_REQUEST, CONTROL_RESPONSE, FLOW_CONTROL, PARTITION_ACK,
};
pub use packet::{
    AUDIO_FRAME, BINARY_FRAME, DATA_PACKET, DATA_REQUEST, DATA_RESPONSE, HUB_PUSH_REQUEST,
    HUB_PUSH_RESPONSE, PROCESS_REQUEST, PROCESS_RESPONSE, PUBLISH_REQUEST, STREAM_ENVELOPE,
    TRANSPORT_CONFIG, TRANSPORT_DESCRIPTOR, VIDEO_FRAME,
};

/// Every message of the contract.
pub static MESSAGES: [&Message; 20] = [
    &AUDIO_FRAME,
    &VIDEO_FRAME,
    &BINARY_FRAME,
    &TRANSPORT_DESCRIPTOR,
    &TRANSPORT_CONFIG,
    &PUBLISH_REQUEST,
    &CONTROL_REQUEST,
    &CONTROL_ERROR,
    &CONTROL_RESPONSE,
    &PARTITION_ACK,
    &FLOW_CONTROL,
    &STREAM_ENVELOPE,
    &BINDING_INFO,
    &DATA_REQUEST,
    &DATA_RESPONSE,
    &HUB_PUSH_REQUEST,
    &HUB_PUSH_RESPONSE,
    &DATA_PACKET,
    &PROCESS_REQUEST,
    &PROCESS_RESPONSE,
];

/// The message called `name` (without the package).
#[must_use]
pub fn message(name: &str) -> Option<&'static Message> {
    MESSAGES
        .iter()
        .copied()
        .find(|message| message.name == name)
}

/// One message type.
#[derive(Debug)]
pub struct Message {
    /// Name without the package, such as `DataPacket`.
    pub name: &'static str,
    /// Fields, in the order of their numbers.
    pub fields: &'static [Field],
    /// Whether the rules between chunk fields hold (`StreamEnvelope` alone).
    pub has_chunk_rules: bool,
}

/// One field of a message.
#[derive(Debug)]
pub struct Field {
    /// Field number.
    pub number: u32,
    /// Name in the `.proto` file.
    pub name: &'static str,
    /// Type and limits of the field, or of each item.
    pub kind: Kind,
    /// How often the field is there.
    pub count: Count,
}

/// How often a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Once; the last occurrence of a scalar wins, messages merge.
    One,
    /// Once, and at most one member of the message's oneof (`frame`).
    OneOf,
    /// Any number of items.
    Many {
        /// Most items.
        max_items: usize,
    },
}

/// Type and limits of a field. Limits are inclusive.
#[derive(Debug)]
pub enum Kind {
    /// `string`.
    Text {
        /// Most characters.
        max_chars: usize,
    },
    /// `bytes`.
    Bytes {
        /// Most bytes.
        max_len: usize,
    },
    /// `int32`.
    Int32 {
        /// Least value, judged at 0 too when unset.
        min: Option<i32>,
        /// Greatest value.
        max: Option<i32>,
    },
    /// `uint32`.
    Uint32 {
        /// Greatest value.
        max: Option<u32>,
    },
    /// `uint64`.
    Uint64,
    /// `bool`.
    Bool,
    /// An enum, open: any int32 is legal.
    Enum {
        /// Name without the package.
        name: &'static str,
    },
    /// A message of the contract.
    Message(&'static Message),
    /// `google.protobuf.Struct`.
    Struct,
    /// `map<string, string>`.
    Map(MapLimits),
}

/// Limits of a `map<string, string>`.
#[derive(Clone, Copy, Debug)]
pub struct MapLimits {
    /// Most distinct keys.
    pub max_pairs: usize,
    /// Fewest characters of a key.
    pub min_key: usize,
    /// Most characters of a key.
    pub max_key: usize,
    /// Most characters of a value.
    pub max_value: usize,
}

const fn field(number: u32, name: &'static str, kind: Kind) -> Field {
    Field {
        number,
        name,
        kind,
        count: Count::One,
    }
}

const fn text(number: u32, name: &'static str, max_chars: usize) -> Field {
    field(number, name, Kind::Text { max_chars })
}

const fn bytes(number: u32, name: &'static str, max_len: usize) -> Field {
    field(number, name, Kind::Bytes { max_len })
}

const fn uint32(number: u32, name: &'static str, max: Option<u32>) -> Field {
    field(number, name, Kind::Uint32 { max })
}

const fn uint64(number: u32, name: &'static str) -> Field {
    field(number, name, Kind::Uint64)
}

const fn inner(number: u32, name: &'static str, message: &'static Message) -> Field {
    field(number, name, Kind::Message(message))
}

const fn many(max_items: usize, item: Field) -> Field {
    Field {
        number: item.number,
        name: item.name,
        kind: match item.kind {
            Kind::Text { max_chars } => Kind::Text { max_chars },
            Kind::Message(message) => Kind::Message(message),
            _ => panic!("the contract repeats texts and messages only"),
        },
        count: Count::Many { max_items },
    }
}

const fn map(number: u32, name: &'static str, max_pairs: usize) -> Field {
    field(
        number,
        name,
        Kind::Map(MapLimits {
            max_pairs,
            min_key: crate::limits::MIN_KEY_CHARS,
            max_key: crate::limits::MAX_KEY_CHARS,
            max_value: crate::limits::MAX_VALUE_CHARS,
        }),
    )
}

const fn message_of(name: &'static str, fields: &'static [Field]) -> Message {
    Message {
        name,
        fields,
        has_chunk_rules: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_order_of_their_numbers_and_once() {
        for message in MESSAGES {
            assert!(
                message
                    .fields
                    .is_sorted_by(|before, after| before.number < after.number),
                "{}",
                message.name
            );
        }
    }

    #[test]
    fn every_message_is_found_by_its_own_name() {
        for expected in MESSAGES {
            let found = message(expected.name).expect("a message of the contract");
            assert!(std::ptr::eq(found, expected), "{}", expected.name);
        }
        assert!(message("NoSuchMessage").is_none());
    }
}
