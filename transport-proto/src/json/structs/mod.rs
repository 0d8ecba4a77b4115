//! JSON objects to `google.protobuf.Struct` and back, on bytes.

mod read;
mod write;

use super::scan::JsonError;
use super::value::Kind;

pub use read::from_struct;
pub use write::to_struct;

/// Why a value cannot be turned into the other form: a fault of whoever wrote it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StructError {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// JSON, but no object.
    #[error("json: cannot unmarshal {} into an object", .0.name())]
    NoObject(Kind),
    /// A number that a double cannot hold.
    #[error("json: cannot unmarshal number {0} into a double")]
    Number(String),
    /// A number in a Struct that JSON cannot say.
    #[error("proto: google.protobuf.Value.number_value: invalid {0} value")]
    NotFinite(f64),
    /// A value in a Struct without a kind.
    #[error("proto: google.protobuf.Value: none of the oneof fields is set")]
    Unset,
    /// Nested too deep to be read.
    #[error("proto: nested too deep")]
    Depth,
    /// Bytes that are no Struct.
    #[error("proto: malformed Struct")]
    Malformed,
}
