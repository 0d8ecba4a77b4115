//! Whether JSON can say what a `google.protobuf.Struct` holds: receivers that turn one into the other
//! refuse numbers that JSON has no words for, and values that are none (spec 3).

use std::ops::Range;

use smallvec::SmallVec;

use crate::malformed::Malformed;
use crate::wire::Cursor;

/// What the look stands in, and whether it has said what it must.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `Struct`, `ListValue`: may be empty.
    Many,
    /// An entry of a map, and whether it has a value.
    Entry(bool),
    /// `Value`, and whether it is one.
    Value(bool),
}

/// Whether the Struct in `body` of `packet`, which has been walked, is an object of JSON.
#[must_use]
pub fn is_sayable(packet: &[u8], body: Range<usize>) -> bool {
    looks_sayable(packet, body).unwrap_or(false)
}

fn looks_sayable(packet: &[u8], body: Range<usize>) -> Result<bool, Malformed> {
    let mut outer: SmallVec<[(Cursor<'_>, Place, bool); 16]> = SmallVec::new();
    // Whether the tag 0x0a of what may be empty is an entry, or else a value of a list.
    let mut is_struct = true;
    let (mut cursor, mut place) = (Cursor::within(packet, body), Place::Many);
    loop {
        if cursor.is_done() {
            if matches!(place, Place::Entry(false) | Place::Value(false)) {
                return Ok(false);
            }
            let Some(around) = outer.pop() else {
                return Ok(true);
            };
            (cursor, place, is_struct) = around;
            continue;
        }
        let tag = cursor.tag()?;
        let inner = match (place, tag) {
            (Place::Many, 0x0a) if is_struct => Place::Entry(false),
            (Place::Many, 0x0a) => Place::Value(false),
            (Place::Entry(_), 0x12) => {
                place = Place::Entry(true);
                Place::Value(false)
            }
            (Place::Value(_), 0x2a | 0x32) => {
                place = Place::Value(true);
                Place::Many
            }
            (Place::Value(_), 0x11) => {
                cursor.skip(tag)?;
                let at = cursor.at();
                let number = packet.get(at - 8..at).and_then(|b| b.try_into().ok());
                if !number.is_some_and(|bytes| f64::from_le_bytes(bytes).is_finite()) {
                    return Ok(false);
                }
                place = Place::Value(true);
                continue;
            }
            (Place::Value(_), 0x08 | 0x1a | 0x20) => {
                cursor.skip(tag)?;
                place = Place::Value(true);
                continue;
            }
            (_, other) => {
                cursor.skip(other)?;
                continue;
            }
        };
        let range = cursor.len_range()?;
        outer.push((cursor, place, is_struct));
        cursor = Cursor::within(packet, range);
        if inner == Place::Many {
            is_struct = tag == 0x2a;
        }
        place = inner;
    }
}
