//! JSON-like values (`google.protobuf.Struct`): checked, never built.
//!
//! They nest without a limit of the contract's own, so the walk keeps its own
//! stack, bounded by what a receiver decodes
//! ([`MAX_NESTED_MESSAGES`](crate::limits::MAX_NESTED_MESSAGES)).

use std::ops::Range;

use smallvec::SmallVec;

use crate::limits::MAX_NESTED_MESSAGES;
use crate::malformed::Malformed;
use crate::text;
use crate::wire::{Cursor, offset};

/// What the walk stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `Struct`: entries 1.
    Struct,
    /// An entry of its map: key 1, value 2. Counts as no message of its own.
    Entry,
    /// `Value`: text 3, Struct 5, list 6; the rest are numbers.
    Value,
    /// `ListValue`: values 1.
    List,
}

/// Checks the Struct in `body` of `packet`, which is the `level`-th message counted
/// from the outermost: wire format, UTF-8 of every text, depth.
#[inline(never)]
pub(crate) fn walk_struct(packet: &[u8], body: Range<usize>, level: u32) -> Result<(), Malformed> {
    let mut outer: SmallVec<[(Cursor<'_>, Place); 16]> = SmallVec::new();
    let mut level = level;
    let mut place = Place::Struct;
    let mut cursor = Cursor::within(packet, body);
    loop {
        if cursor.is_done() {
            let Some(around) = outer.pop() else {
                return Ok(());
            };
            level -= u32::from(place != Place::Entry);
            (cursor, place) = around;
            continue;
        }
        let tag = cursor.tag()?;
        let inner = match (place, tag) {
            (Place::Entry, 0x0a) | (Place::Value, 0x1a) => {
                let bytes = cursor.len_bytes()?;
                text::check(bytes, cursor.at() - bytes.len())?;
                continue;
            }
            (Place::Struct, 0x0a) => Place::Entry,
            (Place::Entry, 0x12) | (Place::List, 0x0a) => Place::Value,
            (Place::Value, 0x2a) => Place::Struct,
            (Place::Value, 0x32) => Place::List,
            (_, other) => {
                cursor.skip(other)?;
                continue;
            }
        };
        let range = cursor.len_range()?;
        level += u32::from(inner != Place::Entry);
        if level > MAX_NESTED_MESSAGES {
            return Err(Malformed::Depth {
                offset: offset(range.start),
            });
        }
        outer.push((cursor, place));
        cursor = Cursor::within(packet, range);
        place = inner;
    }
}
