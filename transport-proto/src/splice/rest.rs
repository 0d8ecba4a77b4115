//! What stays of a message inside a packet when some of its fields are written anew.

use std::ops::Range;

use bytes::BytesMut;
use smallvec::SmallVec;

use crate::wire::Cursor;

/// Ranges of the original fields that stay, in order.
#[derive(Debug, Default)]
pub(super) struct Rest {
    ranges: SmallVec<[Range<usize>; 4]>,
    len: usize,
}

impl Rest {
    /// Everything in `bodies`, the occurrences of one message in `packet`, except fields whose tag
    /// is one of `written`.
    pub(super) fn of(
        packet: &[u8],
        bodies: impl Iterator<Item = Range<usize>>,
        written: &[u32],
    ) -> Self {
        let mut rest = Self::default();
        for body in bodies {
            let mut cursor = Cursor::within(packet, body);
            while !cursor.is_done() {
                let start = cursor.at();
                // The view has walked these bytes: what fails now was never walked.
                let Ok(tag) = cursor.tag() else { break };
                if cursor.skip(tag).is_err() {
                    break;
                }
                if written.contains(&tag) {
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

    /// Bytes that stay.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Appends the bytes that stay.
    pub(super) fn copy_to(&self, packet: &[u8], out: &mut BytesMut) {
        for range in &self.ranges {
            out.extend_from_slice(packet.get(range.clone()).unwrap_or_default());
        }
    }
}
