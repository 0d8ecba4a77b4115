//! What stays of a packet: computed once, shared by all its targets.

use std::ops::Range;

use bytes::BytesMut;
use smallvec::SmallVec;

use crate::view::{Dialect, Field, PacketView, Slot};

/// What to take out of a packet before a tail is appended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cut<'a> {
    /// Every entry of these keys.
    pub metadata_keys: &'a [&'a str],
    /// The envelope.
    pub envelope: bool,
    /// The inputs Struct.
    pub inputs: bool,
    /// The payload Struct.
    pub payload: bool,
    /// The frame, whichever of the three it is.
    pub frame: bool,
}

impl Cut<'_> {
    /// Whether `field` goes; for metadata, which of the keys it is.
    #[inline]
    fn takes(&self, field: &Field, packet: &[u8]) -> Option<Option<usize>> {
        let whole = match field.slot {
            Slot::Metadata => {
                return self
                    .metadata_keys
                    .iter()
                    .position(|key| field.is_entry_of(key.as_bytes(), packet))
                    .map(Some);
            }
            Slot::Envelope => self.envelope,
            Slot::Inputs => self.inputs,
            Slot::Payload => self.payload,
            Slot::Audio | Slot::Video | Slot::Binary => self.frame,
            Slot::Transports | Slot::Unknown => false,
        };
        whole.then_some(None)
    }
}

/// Ranges of the original bytes that stay, in order and without gaps between
/// neighbours that both stay. Every field is in or out whole; unknown ones stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    ranges: SmallVec<[Range<u32>; 8]>,
    len: usize,
    cut_pairs: usize,
}

impl Kept {
    /// What stays of `packet` (the bytes that `view` was made of) after `cut`.
    #[must_use]
    pub fn of(packet: &[u8], view: &PacketView, cut: &Cut<'_>) -> Self {
        let mut kept = Self::default();
        let mut keys = Keys::default();
        let mut start = 0;
        for field in view.fields() {
            let Some(key) = cut.takes(field, packet) else {
                continue;
            };
            if let Some(key) = key {
                keys.insert(key);
            }
            kept.push(start..field.start);
            start = field.end;
        }
        kept.push(start..packet.len() as u32);
        kept.cut_pairs = keys.count();
        kept
    }

    #[inline]
    fn push(&mut self, range: Range<u32>) {
        if range.start < range.end {
            self.len += range.len();
            self.ranges.push(range);
        }
    }

    /// Bytes that stay.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing stays.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ranges, ascending.
    #[inline]
    #[must_use]
    pub fn ranges(&self) -> &[Range<u32>] {
        &self.ranges
    }

    /// Distinct metadata keys that were taken out.
    #[inline]
    #[must_use]
    pub fn cut_pairs(&self) -> usize {
        self.cut_pairs
    }

    /// Appends the bytes that stay: [`len`](Self::len) of them.
    #[inline]
    pub fn copy_to(&self, packet: &[u8], out: &mut BytesMut) {
        for range in &self.ranges {
            out.extend_from_slice(slice(packet, range));
        }
    }

    /// Appends the bytes that stay, the tags of known top-level fields renumbered to
    /// the dialect `to`: as many bytes as [`copy_to`](Self::copy_to) writes. Unknown
    /// fields stay as they are, and so does a known number with another wire type,
    /// which is unknown in both dialects.
    pub fn copy_renumbered(
        &self,
        packet: &[u8],
        view: &PacketView,
        to: Dialect,
        out: &mut BytesMut,
    ) {
        if view.dialect() == to {
            return self.copy_to(packet, out);
        }
        let mut fields = view.fields().iter().peekable();
        for range in &self.ranges {
            let base = out.len();
            out.extend_from_slice(slice(packet, range));
            while let Some(field) = fields.next_if(|field| field.start < range.end) {
                if field.start < range.start {
                    continue;
                }
                let at = base + (field.start - range.start) as usize;
                if let Some(tag) = out.get_mut(at) {
                    // A tag that was written longer than needed stays as long.
                    *tag = *tag & 0x80 | to.tag(field.slot);
                }
            }
        }
    }
}

/// A set of indices into [`Cut::metadata_keys`].
#[derive(Default)]
struct Keys {
    first_64: u64,
    others: Vec<usize>,
}

impl Keys {
    #[inline]
    fn insert(&mut self, index: usize) {
        if index < 64 {
            self.first_64 |= 1 << index;
        } else if !self.others.contains(&index) {
            self.others.push(index);
        }
    }

    #[inline]
    fn count(&self) -> usize {
        self.first_64.count_ones() as usize + self.others.len()
    }
}

#[inline]
fn slice<'a>(packet: &'a [u8], range: &Range<u32>) -> &'a [u8] {
    packet
        .get(range.start as usize..range.end as usize)
        .unwrap_or_default()
}
