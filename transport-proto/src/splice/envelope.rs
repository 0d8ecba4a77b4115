//! The envelope of a routed packet: the original one under a new identity.

use bytes::{BufMut, BytesMut};
use smallvec::SmallVec;

use crate::view::{Dialect, PacketView, SEQUENCE, STREAM_ID, Slot};
use crate::wire::{Cursor, len_field_len, put_len_field, put_varint, varint_len};

/// Ranges of the original envelope that stay, and their length.
struct Rest {
    ranges: SmallVec<[std::ops::Range<usize>; 4]>,
    len: usize,
}

/// Everything of the original envelope except `stream_id` and `sequence`, in order.
fn rest(packet: &[u8], view: &PacketView) -> Rest {
    let mut rest = Rest {
        ranges: SmallVec::new(),
        len: 0,
    };
    if !view.envelope_has_more() {
        return rest;
    }
    for body in view.bodies(Slot::Envelope) {
        let mut cursor = Cursor::within(packet, body);
        while !cursor.is_done() {
            let start = cursor.at();
            // The view has walked these bytes: what fails now was never walked.
            let Ok(tag) = cursor.tag() else { break };
            if cursor.skip(tag).is_err() {
                break;
            }
            if tag == STREAM_ID || tag == SEQUENCE {
                continue;
            }
            rest.len += cursor.at() - start;
            match rest.ranges.last_mut() {
                Some(last) if last.end == start => last.end = cursor.at(),
                _ => rest.ranges.push(start..cursor.at()),
            }
        }
    }
    rest
}

#[inline]
fn identity_len(stream_id: &str, sequence: u64) -> usize {
    len_field_len(stream_id.len()) + 1 + varint_len(sequence)
}

/// Bytes that [`put_envelope`] writes.
#[must_use]
pub fn envelope_len(packet: &[u8], view: &PacketView, stream_id: &str, sequence: u64) -> usize {
    len_field_len(rest(packet, view).len + identity_len(stream_id, sequence))
}

/// Appends the envelope of a routed packet: everything of the original one
/// (partition, chunk fields, unknown fields) except `stream_id` and `sequence`, which
/// are written anew, the sequence explicitly also when it is 0 (spec 1). The original
/// envelope should have been cut out; if it was not, the result means the same, but
/// unknown fields are there twice.
#[expect(
    clippy::too_many_arguments,
    reason = "two packets' worth of identity, each argument is one fact"
)]
pub fn put_envelope(
    out: &mut BytesMut,
    dialect: Dialect,
    packet: &[u8],
    view: &PacketView,
    stream_id: &str,
    sequence: u64,
) {
    let rest = rest(packet, view);
    out.put_u8(dialect.tag(Slot::Envelope));
    put_varint(out, (rest.len + identity_len(stream_id, sequence)) as u64);
    for range in rest.ranges {
        out.extend_from_slice(packet.get(range).unwrap_or_default());
    }
    put_len_field(out, STREAM_ID as u8, stream_id.as_bytes());
    out.put_u8(SEQUENCE as u8);
    put_varint(out, sequence);
}
