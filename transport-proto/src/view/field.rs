//! Where things are in a packet: field numbering, spans, top-level fields.

use std::ops::Range;

use crate::text;

/// Field numbering: the same content, numbered in two ways.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `DataPacket`: metadata 1, payload 2, inputs 3, transports 4, frame 5 to 7, envelope 8.
    Packet,
    /// `DataRequest` and `DataResponse`: frame 1 to 3, metadata 4, payload 5, inputs 6,
    /// transports 7, envelope 8.
    Connector,
}

/// What a top-level field is, whatever its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)] // so that a Field has no padding, which would be copied with it
pub(crate) enum Slot {
    Unknown,
    Metadata,
    Payload,
    Inputs,
    Transports,
    Audio,
    Video,
    Binary,
    Envelope,
}

impl Dialect {
    /// The tag of a slot's field: one byte for every known slot. 0 for `Unknown`.
    #[inline]
    pub(crate) const fn tag(self, slot: Slot) -> u8 {
        let number = match (self, slot) {
            (_, Slot::Unknown) => return 0,
            (Self::Packet, Slot::Metadata) | (Self::Connector, Slot::Audio) => 1,
            (Self::Packet, Slot::Payload) | (Self::Connector, Slot::Video) => 2,
            (Self::Packet, Slot::Inputs) | (Self::Connector, Slot::Binary) => 3,
            (Self::Packet, Slot::Transports) | (Self::Connector, Slot::Metadata) => 4,
            (Self::Packet, Slot::Audio) | (Self::Connector, Slot::Payload) => 5,
            (Self::Packet, Slot::Video) | (Self::Connector, Slot::Inputs) => 6,
            (Self::Packet, Slot::Binary) | (Self::Connector, Slot::Transports) => 7,
            (_, Slot::Envelope) => 8,
        };
        number << 3 | crate::wire::LEN as u8
    }
}

impl Dialect {
    /// The tag, of one byte, by which the dialect `to` knows the field that `tag` stands
    /// for here; what is not known stays.
    #[must_use]
    pub fn renumbered(self, tag: u8, to: Self) -> u8 {
        match super::walk::slot_of(self, tag) {
            Slot::Unknown => tag,
            slot => to.tag(slot),
        }
    }
}

/// A range of the packet's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    #[inline]
    pub(crate) fn of(range: &Range<usize>) -> Self {
        // A walk starts only on messages whose offsets fit 32 bits.
        Self {
            start: range.start as u32,
            end: range.end as u32,
        }
    }

    #[inline]
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.range().len()
    }

    /// The bytes; none where `packet` is not the packet that was walked.
    #[inline]
    pub(crate) fn bytes(self, packet: &[u8]) -> &[u8] {
        packet.get(self.range()).unwrap_or_default()
    }

    /// The bytes as text (they were checked when the packet was walked).
    #[inline]
    pub(crate) fn text(self, packet: &[u8]) -> &str {
        std::str::from_utf8(self.bytes(packet)).unwrap_or_default()
    }
}

/// One known top-level field, in the order of the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// First byte of the tag.
    pub(crate) start: u32,
    /// Metadata: first byte of the key. Else: first byte after the length.
    pub(crate) body: u32,
    /// One past the last byte.
    pub(crate) end: u32,
    /// Metadata: first byte of the value.
    pub(super) value: u32,
    /// Metadata: bytes of the key. Saturates: such a key breaks a limit.
    pub(crate) key_len: u16,
    /// Metadata: bytes of the value. Saturates: such a value breaks a limit, unless
    /// a later one replaces it, and then nobody asks for it.
    pub(super) value_len: u16,
    pub(crate) slot: Slot,
}

impl Field {
    #[inline]
    pub(super) fn new(start: u32, body: Span, slot: Slot) -> Self {
        Self {
            start,
            body: body.start,
            end: body.end,
            value: body.end,
            key_len: 0,
            value_len: 0,
            slot,
        }
    }

    #[inline]
    pub(crate) fn body(&self) -> Range<usize> {
        self.body as usize..self.end as usize
    }

    #[inline]
    pub(crate) fn key<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        let start = self.body as usize;
        packet
            .get(start..start + usize::from(self.key_len))
            .unwrap_or_default()
    }

    /// Whether this metadata entry is that of `key`. Lengths first: most keys differ in
    /// theirs. (A key whose length saturates breaks a limit and equals none.)
    #[inline]
    pub(crate) fn is_entry_of(&self, key: &[u8], packet: &[u8]) -> bool {
        usize::from(self.key_len) == key.len()
            && self.slot == Slot::Metadata
            && text::same(self.key(packet), key)
    }

    #[inline]
    pub(super) fn value<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        let start = self.value as usize;
        packet
            .get(start..start + usize::from(self.value_len))
            .unwrap_or_default()
    }
}
