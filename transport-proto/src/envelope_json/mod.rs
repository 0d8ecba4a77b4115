//! The JSON envelope inside a binary frame (spec 1): finding a member's value, and putting another
//! one in its place while every other byte stays what it was.
//!
//! Owns the judgement whether bytes are one JSON object: strictly as RFC 8259 has it, except that
//! text may be no UTF-8 (receivers read U+FFFD there). Builds no tree, does not recurse, looks at
//! each byte once. Never says what a value means.
//!
//! Names are read as receivers read them: escapes undone, in any letter case. Where a name stands
//! more than once, the last one counts.

mod malformed;
mod name;
mod receive;
mod replace;
mod scan;

use std::ops::Range;

pub use malformed::MalformedJson;
pub use receive::{Outline, outline};
pub use replace::replace;

/// Nesting of objects and lists that is read: as deep as Go's JSON decoder reads.
pub const MAX_DEPTH: usize = 10_000;

/// A member of the envelope that the hub writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// What the packet says: any JSON.
    Payload,
    /// What its receiver is given for this packet: any JSON.
    Inputs,
}

impl Member {
    /// Its name in the envelope.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Payload => "payload",
            Self::Inputs => "inputs",
        }
    }
}

/// Where the value of the member `name` (lower-case ASCII) stands in `json`, without the spaces
/// around it. None if there is no such member, or if `json` is no JSON object.
#[must_use]
pub fn member(json: &[u8], name: &str) -> Option<Range<usize>> {
    let mut last = None;
    for found in scan::Members::of(json).ok()? {
        let found = found.ok()?;
        if name::is(found.name(json), name) {
            last = Some(found.value);
        }
    }
    last
}
