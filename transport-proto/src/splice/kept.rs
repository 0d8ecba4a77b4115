//! What stays of a packet: computed once, shared by all its targets.

use std::ops::Range;

use bytes::BytesMut;
use smallvec::SmallVec;

use crate::view::{Dialect, Field, Keys, PacketView, Slot};

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
    /// Whether fields of `slot`, which is not metadata, go.
    #[inline]
    fn takes(&self, slot: Slot) -> bool {
        match slot {
            Slot::Envelope => self.envelope,
            Slot::Inputs => self.inputs,
            Slot::Payload => self.payload,
            Slot::Audio | Slot::Video | Slot::Binary => self.frame,
            Slot::Metadata | Slot::Transports | Slot::Unknown => false,
        }
    }

    /// Distinct metadata keys of `packet` that are taken out.
    #[must_use]
    pub fn pairs_in(&self, packet: &[u8], view: &PacketView) -> usize {
        let is_there = |key: &&&str| view.metadata_bytes(packet, key).is_some();
        let mut keys: Vec<_> = self.metadata_keys.iter().filter(is_there).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    }

    /// Whether an entry goes.
    #[inline]
    fn takes_entry(&self, entry: &Field, packet: &[u8]) -> bool {
        self.metadata_keys
            .iter()
            .any(|key| entry.is_entry_of(key.as_bytes(), packet))
    }
}

/// Ranges of the original bytes that stay, in order and without gaps between
/// neighbours that both stay. Every field is in or out whole; unknown ones stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    ranges: SmallVec<[Range<u32>; 8]>,
    len: usize,
}

impl Kept {
    /// What stays of `packet` (the bytes that `view` was made of) after `cut`. Inlined where it is
    /// called, so that a constant cut costs nothing to look at: call it from one place.
    #[inline]
    #[must_use]
    pub fn of(packet: &[u8], view: &PacketView, cut: &Cut<'_>) -> Self {
        let mut kept = Self::default();
        let mut wanted = Keys::default();
        for key in cut.metadata_keys {
            wanted.add(u16::try_from(key.len()).unwrap_or(u16::MAX));
        }
        let has_keys = view.keys().may_share(wanted);
        let mut start = 0;
        for field in view.fields() {
            if field.slot == Slot::Metadata {
                if !has_keys || !wanted.may_have_len(usize::from(field.key_len)) {
                    continue;
                }
                if !cut.takes_entry(field, packet) {
                    continue;
                }
            } else if !cut.takes(field.slot) {
                continue;
            }
            kept.push(start..field.start);
            start = field.end;
        }
        kept.push(start..packet.len() as u32);
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

    /// Hands the bytes that stay to `each` in order, renumbered as by
    /// [`copy_renumbered`](Self::copy_renumbered), for those who share large fields
    /// instead of copying them: a tag to write, where there is one, and the range of
    /// `packet` that follows it as it is.
    pub fn each_renumbered(
        &self,
        packet: &[u8],
        view: &PacketView,
        to: Dialect,
        mut each: impl FnMut(Option<u8>, Range<usize>),
    ) {
        let mut fields = view.fields().iter().peekable();
        for range in &self.ranges {
            let mut at = range.start;
            while let Some(field) = fields.next_if(|field| field.start < range.end) {
                if field.start < at {
                    continue;
                }
                if at < field.start {
                    each(None, at as usize..field.start as usize);
                }
                let tag = packet
                    .get(field.start as usize)
                    .copied()
                    .unwrap_or_default();
                let rest = field.start as usize + 1..field.end as usize;
                each(Some(tag & 0x80 | to.tag(field.slot)), rest);
                at = field.end;
            }
            if at < range.end {
                each(None, at as usize..range.end as usize);
            }
        }
    }
}

#[inline]
fn slice<'a>(packet: &'a [u8], range: &Range<u32>) -> &'a [u8] {
    packet
        .get(range.start as usize..range.end as usize)
        .unwrap_or_default()
}
