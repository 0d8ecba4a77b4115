//! The protobuf wire format: varints, tags, lengths, groups.
//!
//! Owns a cursor that reads and skips, and the functions that write what a splice
//! appends. It never allocates for well-formed packets, never recurses and never
//! panics. What it accepts is what the contract's receivers accept: varints of up
//! to ten bytes (not necessarily the shortest), field numbers 1 to 2^29 - 1, and
//! unknown groups.

mod cursor;
mod put;

pub use cursor::Cursor;
pub(crate) use cursor::offset;
pub use put::{len_field_len, put_len_field, put_varint, varint_len};

/// Wire type of a varint.
pub const VARINT: u32 = 0;
/// Wire type of eight bytes.
pub const FIXED64: u32 = 1;
/// Wire type of a length and as many bytes.
pub const LEN: u32 = 2;
/// Wire type that opens a group.
pub const GROUP: u32 = 3;
/// Wire type that closes a group.
pub const GROUP_END: u32 = 4;
/// Wire type of four bytes.
pub const FIXED32: u32 = 5;

/// The tag of field `number` with wire type `wire`.
#[must_use]
pub const fn tag(number: u32, wire: u32) -> u32 {
    number << 3 | wire
}
