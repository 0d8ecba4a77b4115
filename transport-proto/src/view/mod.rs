//! The hot walk: one pass over the bytes of a packet (spec 1, 6).
//!
//! Owns what the data path asks of a packet: is it well formed and UTF-8, does it
//! keep every limit, where are its fields. It holds offsets only and allocates
//! nothing for a packet of up to twelve fields. It never decodes a payload, never
//! looks into a JSON envelope and never decides what to do with a packet.
//!
//! Limits are judged after merging, as every receiver judges them: of a scalar the
//! last occurrence counts, of a map the last value of each key, of the frame the
//! last kind (occurrences of one kind in a row merge). A known field with another
//! wire type is an unknown field.

mod envelope;
mod frame;
mod metadata;
mod process;
mod structs;
mod transports;
mod walk;

use std::ops::Range;

use smallvec::SmallVec;

pub use envelope::EnvelopeView;
pub(crate) use envelope::{SEQUENCE, STREAM_ID};
pub use frame::{FrameKind, FrameView};
pub use process::{Flow, PacketBytes, Process, parse_process};
pub(crate) use structs::walk_struct;

use crate::malformed::Malformed;
use crate::names::metadata::{HEARTBEAT, HEARTBEAT_TRUE};
use crate::violation::{Rule, Violation};

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
    value: u32,
    /// Metadata: bytes of the key. Saturates: such a key breaks a limit.
    key_len: u16,
    /// Metadata: bytes of the value. Saturates: such a value breaks a limit, unless
    /// a later one replaces it, and then nobody asks for it.
    value_len: u16,
    pub(crate) slot: Slot,
}

impl Field {
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

    #[inline]
    fn value<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        let start = self.value as usize;
        packet
            .get(start..start + usize::from(self.value_len))
            .unwrap_or_default()
    }
}

/// Where a rule is broken; becomes a path only when somebody asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Broken {
    field: &'static str,
    /// Index into `transports`, of which `field` is then a part.
    transport: Option<u32>,
    rule: Rule,
    key: bool,
}

impl Broken {
    #[cold]
    pub(crate) fn at(field: &'static str, rule: Rule) -> Self {
        Self {
            field,
            transport: None,
            rule,
            key: false,
        }
    }

    #[cold]
    fn key(field: &'static str, rule: Rule) -> Self {
        Self {
            key: true,
            ..Self::at(field, rule)
        }
    }

    #[cold]
    fn transport(index: u32, field: &'static str, rule: Rule) -> Self {
        Self {
            transport: Some(index),
            ..Self::at(field, rule)
        }
    }

    #[cold]
    fn violation(self) -> Violation {
        let field = match self.transport {
            Some(index) => format!("transports[{index}].{}", self.field).into(),
            None => self.field.into(),
        };
        Violation {
            field,
            rule: self.rule,
            key: self.key,
        }
    }
}

/// Result of one pass over a packet. Accessors take the same bytes that were
/// parsed; given others they answer nonsense, but never panic.
#[derive(Clone, Debug)]
pub struct PacketView {
    /// Known fields with their proper wire type, in the order of the wire.
    fields: SmallVec<[Field; 12]>,
    dialect: Dialect,
    /// Metadata entries among `fields`.
    metadata_entries: u32,
    frame: Option<FrameView>,
    envelope: Option<EnvelopeView>,
    broken: Option<Broken>,
}

impl PacketView {
    /// Walks a packet that is a message of its own.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes are no message of the contract (spec 2.3).
    pub fn parse(packet: &[u8], dialect: Dialect) -> Result<Self, Malformed> {
        walk::packet(packet, dialect, 1)
    }

    /// Walks a packet that stands, or will stand, inside a `ProcessRequest` or
    /// `ProcessResponse`: one message less may be nested in it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_in_process(packet: &[u8], dialect: Dialect) -> Result<Self, Malformed> {
        walk::packet(packet, dialect, 2)
    }

    /// First broken rule of the contract; `None` when the packet keeps them all.
    /// The path names a map without its key; [`validate`](crate::validate::validate)
    /// tells everything.
    #[inline]
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.broken.map(Broken::violation)
    }

    /// How the packet numbers its fields.
    #[inline]
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Kind of the frame; `None` where the packet has none.
    #[inline]
    #[must_use]
    pub fn frame(&self) -> Option<FrameKind> {
        self.frame.as_ref().map(FrameView::kind)
    }

    /// The frame's merged fields.
    #[inline]
    #[must_use]
    pub fn frame_view(&self) -> Option<&FrameView> {
        self.frame.as_ref()
    }

    /// The merged envelope; `Some` where the packet has one, even an empty one.
    #[inline]
    #[must_use]
    pub fn envelope(&self) -> Option<&EnvelopeView> {
        self.envelope.as_ref()
    }

    /// Whether the envelope has anything beyond `stream_id` and `sequence`, unknown
    /// fields included.
    #[inline]
    #[must_use]
    pub fn envelope_has_more(&self) -> bool {
        self.envelope.as_ref().is_some_and(EnvelopeView::has_more)
    }

    /// Codec of an audio or video frame; `None` where it has none.
    #[must_use]
    pub fn codec<'a>(&self, packet: &'a [u8]) -> Option<&'a str> {
        self.frame.as_ref()?.codec(packet)
    }

    /// MIME type of a binary frame; `None` where it has none.
    #[must_use]
    pub fn mime_type<'a>(&self, packet: &'a [u8]) -> Option<&'a str> {
        self.frame.as_ref()?.mime_type(packet)
    }

    /// Media time of the frame in milliseconds; `None` where it is not set (or 0,
    /// which the wire cannot tell apart).
    #[inline]
    #[must_use]
    pub fn timestamp_ms(&self) -> Option<u64> {
        self.frame.as_ref()?.timestamp_ms()
    }

    /// Bytes of the frame's `pcm` or `payload`; 0 without a frame.
    #[inline]
    #[must_use]
    pub fn media_len(&self) -> usize {
        self.frame.as_ref().map_or(0, |frame| frame.media().len())
    }

    /// Metadata as its bytes (UTF-8); the last entry of a key wins.
    #[inline]
    #[must_use]
    pub fn metadata_bytes<'a>(&self, packet: &'a [u8], key: &str) -> Option<&'a [u8]> {
        self.entries()
            .rev()
            .find(|entry| entry.key(packet) == key.as_bytes())
            .map(|entry| entry.value(packet))
    }

    /// Metadata as text; the last entry of a key wins.
    #[inline]
    #[must_use]
    pub fn metadata<'a>(&self, packet: &'a [u8], key: &str) -> Option<&'a str> {
        std::str::from_utf8(self.metadata_bytes(packet, key)?).ok()
    }

    /// Every entry in the order of the wire, duplicates included (the last wins).
    pub fn metadata_pairs<'a>(
        &'a self,
        packet: &'a [u8],
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        self.entries().map(|entry| {
            (
                std::str::from_utf8(entry.key(packet)).unwrap_or_default(),
                std::str::from_utf8(entry.value(packet)).unwrap_or_default(),
            )
        })
    }

    /// Metadata entries on the wire, duplicates counted.
    #[inline]
    #[must_use]
    pub fn metadata_entries(&self) -> usize {
        self.metadata_entries as usize
    }

    /// Distinct metadata keys.
    #[must_use]
    pub fn distinct_metadata(&self, packet: &[u8]) -> usize {
        metadata::distinct(self.entries(), packet)
    }

    /// Whether metadata says that this is a heartbeat (spec 2.6).
    #[inline]
    #[must_use]
    pub fn is_heartbeat(&self, packet: &[u8]) -> bool {
        self.metadata_bytes(packet, HEARTBEAT) == Some(HEARTBEAT_TRUE.as_bytes())
    }

    /// Contents of each occurrence of `payload`; their concatenation is the merged
    /// Struct.
    pub fn payload_ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.bodies(Slot::Payload)
    }

    /// Contents of each occurrence of `inputs`; their concatenation is the merged
    /// Struct.
    pub fn inputs_ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.bodies(Slot::Inputs)
    }

    pub(crate) fn bodies(&self, slot: Slot) -> impl Iterator<Item = Range<usize>> + '_ {
        self.fields
            .iter()
            .filter(move |field| field.slot == slot)
            .map(Field::body)
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    #[inline]
    fn entries(&self) -> impl DoubleEndedIterator<Item = &Field> + '_ {
        self.fields
            .iter()
            .filter(|field| field.slot == Slot::Metadata)
    }
}
