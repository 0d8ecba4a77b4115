//! Why bytes cannot be spliced as an envelope.

use super::{MAX_DEPTH, Member};

/// Bytes that are no envelope. The producer's fault (of [`MalformedJson::Value`]: the caller's);
/// the same bytes fail again. Offsets count from the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedJson {
    /// No JSON from here on, or not only one value.
    #[error("malformed JSON at byte {offset}")]
    Syntax {
        /// Where reading stopped.
        offset: usize,
    },
    /// More than [`MAX_DEPTH`] objects and lists inside each other.
    #[error("JSON nested deeper than {MAX_DEPTH} at byte {offset}")]
    Depth {
        /// Where the one too many opens.
        offset: usize,
    },
    /// JSON, but no object.
    #[error("an envelope must be a JSON object")]
    NoObject,
    /// A value to be put in is not one JSON value.
    #[error("the new value of {:?} is no JSON", member.name())]
    Value {
        /// Of which member.
        member: Member,
    },
}
