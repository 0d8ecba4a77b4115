//! One broken rule of the contract: which field, which rule. A message with
//! violations is well formed; a receiver ends its session over it, so a hub
//! drops it whole (spec 2.3).

use std::borrow::Cow;
use std::fmt;

/// The rules of the contract, named as validators of the contract name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Text with too few characters.
    StringMinLen,
    /// Text with too many characters.
    StringMaxLen,
    /// Too many bytes.
    BytesMaxLen,
    /// Too many distinct keys.
    MapMaxPairs,
    /// Too many items.
    RepeatedMaxItems,
    /// An int32 below its only bound.
    Int32Gte,
    /// An int32 above its only bound.
    Int32Lte,
    /// An int32 outside a closed range.
    Int32GteLte,
    /// A uint32 above its bound.
    Uint32Lte,
    /// Chunk fields set while `chunk_count` is 0.
    ChunkFieldsWithoutCount,
    /// `chunk_count` > 0 without `chunk_id`.
    ChunkIdRequired,
    /// `chunk_count` > 0 without `stream_id`.
    StreamIdRequired,
    /// `chunk_index` not below `chunk_count`.
    ChunkIndexLessThanCount,
}

impl Rule {
    /// The rule's id, such as `string.max_len`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::StringMinLen => "string.min_len",
            Self::StringMaxLen => "string.max_len",
            Self::BytesMaxLen => "bytes.max_len",
            Self::MapMaxPairs => "map.max_pairs",
            Self::RepeatedMaxItems => "repeated.max_items",
            Self::Int32Gte => "int32.gte",
            Self::Int32Lte => "int32.lte",
            Self::Int32GteLte => "int32.gte_lte",
            Self::Uint32Lte => "uint32.lte",
            Self::ChunkFieldsWithoutCount => "stream_envelope.no_chunk_fields_without_count",
            Self::ChunkIdRequired => "stream_envelope.chunk_id_required",
            Self::StreamIdRequired => "stream_envelope.stream_id_required",
            Self::ChunkIndexLessThanCount => "stream_envelope.chunk_index_less_than_count",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Violation {
    /// Path from the judged message, such as `audio.channels`,
    /// `transports[0].name` or `metadata["k"]`; empty for the message itself.
    /// [`validate`](crate::validate) gives the whole path; the hot view names a map
    /// without its key.
    pub field: Cow<'static, str>,
    /// The rule that is broken.
    pub rule: Rule,
    /// Whether a map's key broke it (rather than the value).
    pub key: bool,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field: &str = if self.field.is_empty() {
            "message"
        } else {
            &self.field
        };
        let of_key = if self.key { " (key)" } else { "" };
        write!(f, "{field}{of_key}: {}", self.rule)
    }
}
