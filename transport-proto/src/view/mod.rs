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

mod broken;
mod control;
mod envelope;
mod field;
mod fields;
mod frame;
mod metadata;
mod process;
mod sayable;
mod structs;
mod transports;
mod walk;
mod walker;

use std::ops::Range;

pub(crate) use broken::Broken;
pub use control::{Control, parse_control};
pub use envelope::EnvelopeView;
pub(crate) use envelope::{PARTITION, SEQUENCE, STREAM_ID};
pub use field::Dialect;
pub(crate) use field::{Field, Slot, Span};
use fields::Fields;
pub(crate) use fields::Keys;
pub use frame::{FrameKind, FrameView};
pub use process::{Flow, PacketBytes, Process, parse_process, sole_packet};
pub use sayable::is_sayable;
pub(crate) use structs::walk_struct;
pub use transports::TransportView;
pub(crate) use walk::is_frame_tag;
pub use walker::Walker;

use crate::malformed::Malformed;
use crate::names::metadata::{HEARTBEAT, HEARTBEAT_TRUE};
use crate::violation::Violation;
use crate::wire::Cursor;

/// Result of one pass over a packet. Accessors take the same bytes that were
/// parsed; given others they answer nonsense, but never panic.
#[derive(Clone, Debug)]
pub struct PacketView {
    /// Known fields with their proper wire type, in the order of the wire.
    fields: Fields,
    keys: Keys,
    dialect: Dialect,
    frame: Option<FrameView>,
    envelope: Option<EnvelopeView>,
    broken: Option<Broken>,
}

impl PacketView {
    /// A view of an empty packet, to be walked with [`walk`](Self::walk).
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            fields: Fields::new(),
            keys: Keys::default(),
            dialect,
            frame: None,
            envelope: None,
            broken: None,
        }
    }

    /// Walks a packet that is a message of its own.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes are no message of the contract (spec 2.3).
    #[inline]
    pub fn parse(packet: &[u8], dialect: Dialect) -> Result<Self, Malformed> {
        let mut view = Self::new(dialect);
        view.walk(packet)?;
        Ok(view)
    }

    /// Walks a packet that stands, or will stand, inside a `ProcessRequest` or
    /// `ProcessResponse`: one message less may be nested in it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    #[inline]
    pub fn parse_in_process(packet: &[u8], dialect: Dialect) -> Result<Self, Malformed> {
        let mut view = Self::new(dialect);
        view.walk_in_process(packet)?;
        Ok(view)
    }

    /// [`parse`](Self::parse) into this view, in place of what it saw before: one view
    /// serves all packets of a stream, and is never moved.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); the view is then that of no packet.
    pub fn walk(&mut self, packet: &[u8]) -> Result<(), Malformed> {
        self.clear();
        walk::packet(packet, 1, self)
    }

    /// [`parse_in_process`](Self::parse_in_process) into this view.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); the view is then that of no packet.
    pub fn walk_in_process(&mut self, packet: &[u8]) -> Result<(), Malformed> {
        self.clear();
        walk::packet(packet, 2, self)
    }

    /// Walks a packet that is nothing but one frame whose `tag` stands apart: `rest` is
    /// what follows it. Offsets count in `rest`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and where it is anything else.
    pub fn walk_apart(&mut self, tag: u8, rest: &[u8]) -> Result<(), Malformed> {
        self.clear();
        walk::apart(tag, rest, self)
    }

    /// Takes a packet for the one that was walked, but for its frame's time and its envelope's
    /// sequence, where they are given.
    #[inline]
    fn renumber(&mut self, time: Option<u64>, number: Option<u64>) {
        if let (Some(time), Some(frame)) = (time, &mut self.frame) {
            frame.set_timestamp(time);
        }
        if let (Some(number), Some(envelope)) = (number, &mut self.envelope) {
            envelope.set_sequence(number);
        }
    }

    /// Where the varints of the frame's time and of the envelope's sequence stand.
    fn places_of_numbers(&self, packet: &[u8]) -> (Option<Range<usize>>, Option<Range<usize>>) {
        let last = |is: fn(Slot) -> bool| self.fields().iter().rev().find(|field| is(field.slot));
        let frame = last(|slot| matches!(slot, Slot::Audio | Slot::Video | Slot::Binary));
        let envelope = last(|slot| slot == Slot::Envelope);
        let kind = self.frame();
        (
            frame.and_then(|field| last_value(packet, field.body(), kind?.time_tag())),
            envelope.and_then(|field| last_value(packet, field.body(), SEQUENCE)),
        )
    }

    #[inline]
    fn clear(&mut self) {
        self.fields.clear();
        self.keys = Keys::default();
        self.frame = None;
        self.envelope = None;
        self.broken = None;
    }

    /// First broken rule of the contract; `None` when the packet keeps them all.
    /// The path names a map without its key; [`validate`](crate::validate::validate)
    /// tells everything.
    #[inline]
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.broken.map(Broken::violation)
    }

    /// Whether the packet keeps every rule of the contract: there is no
    /// [`violation`](Self::violation).
    #[inline]
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.broken.is_none()
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
        if !self.keys.may_have_len(key.len()) {
            return None;
        }
        self.fields()
            .iter()
            .rev()
            .find(|field| field.is_entry_of(key.as_bytes(), packet))
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
        self.keys.entries as usize
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

    /// Contents of each transport descriptor, to be read with [`TransportView::of`].
    pub fn transports_ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.bodies(Slot::Transports)
    }

    pub(crate) fn bodies(&self, slot: Slot) -> impl Iterator<Item = Range<usize>> + '_ {
        self.fields()
            .iter()
            .filter(move |field| field.slot == slot)
            .map(Field::body)
    }

    #[inline]
    pub(crate) fn fields(&self) -> &[Field] {
        self.fields.as_slice()
    }

    #[inline]
    pub(crate) fn keys(&self) -> Keys {
        self.keys
    }

    #[inline]
    fn entries(&self) -> impl Iterator<Item = &Field> + '_ {
        self.fields()
            .iter()
            .filter(|field| field.slot == Slot::Metadata)
    }
}

/// Where the value of the last field with `tag` stands in a message that was walked.
fn last_value(packet: &[u8], message: Range<usize>, tag: u32) -> Option<Range<usize>> {
    let mut cursor = Cursor::within(packet, message);
    let mut found = None;
    while !cursor.is_done() {
        let this = cursor.tag().ok()?;
        let start = cursor.at();
        cursor.skip(this).ok()?;
        if this == tag {
            found = Some(start..cursor.at());
        }
    }
    found
}
