//! The stream envelope: identity and chunk fields.

use std::ops::Range;

use super::frame::text_span;
use super::{Broken, Span};
use crate::limits::{
    MAX_CHUNK_BYTES, MAX_CHUNK_COUNT, MAX_CHUNK_ID_CHARS, MAX_PARTITION_CHARS, MAX_STREAM_ID_CHARS,
    MAX_TOTAL_BYTES,
};
use crate::malformed::Malformed;
use crate::text;
use crate::violation::Rule;
use crate::wire::Cursor;

/// Tag of `stream_id` inside an envelope.
pub(crate) const STREAM_ID: u32 = 0x0a;
/// Tag of `sequence` inside an envelope.
pub(crate) const SEQUENCE: u32 = 0x10;
/// Tag of `partition` inside an envelope.
pub(crate) const PARTITION: u32 = 0x1a;

/// The merged fields of a packet's envelope.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvelopeView {
    stream_id: Span,
    partition: Span,
    chunk_id: Span,
    sequence: u64,
    chunk_index: u32,
    chunk_count: u32,
    chunk_bytes: u32,
    total_bytes: u32,
    /// Something beyond `stream_id` and `sequence` is on the wire.
    more: bool,
}

impl EnvelopeView {
    /// Merges an occurrence into what came before.
    #[inline(never)]
    pub(super) fn merge(
        packet: &[u8],
        body: Range<usize>,
        envelope: &mut Option<Self>,
    ) -> Result<(), Malformed> {
        let merged = envelope.get_or_insert_with(Self::default);
        let mut cursor = Cursor::within(packet, body);
        while !cursor.is_done() {
            match cursor.tag()? {
                STREAM_ID => merged.stream_id = text_span(&mut cursor)?,
                SEQUENCE => merged.sequence = cursor.varint()?,
                other => {
                    merged.more = true;
                    cursor = merged.merge_more(cursor, other)?;
                }
            }
        }
        Ok(())
    }

    /// Merges a field that a routed packet seldom has; gives the cursor after it.
    #[inline(never)]
    fn merge_more<'a>(
        &mut self,
        mut cursor: Cursor<'a>,
        tag: u32,
    ) -> Result<Cursor<'a>, Malformed> {
        match tag {
            PARTITION => self.partition = text_span(&mut cursor)?,
            0x22 => self.chunk_id = text_span(&mut cursor)?,
            0x28 => self.chunk_index = cursor.varint32()?,
            0x30 => self.chunk_count = cursor.varint32()?,
            0x38 => self.chunk_bytes = cursor.varint32()?,
            0x40 => self.total_bytes = cursor.varint32()?,
            unknown => cursor.skip(unknown)?,
        }
        Ok(cursor)
    }

    /// Whether there is nothing to judge: no fields but a stream of few bytes and a
    /// sequence.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        !self.more && self.stream_id.len() <= MAX_STREAM_ID_CHARS
    }

    /// First broken rule of the merged envelope.
    pub(super) fn judge(&self, packet: &[u8]) -> Option<Broken> {
        let long = |span: Span, max| text::longer_than(span.bytes(packet), max);
        let texts = [
            (self.stream_id, MAX_STREAM_ID_CHARS, "envelope.stream_id"),
            (self.partition, MAX_PARTITION_CHARS, "envelope.partition"),
            (self.chunk_id, MAX_CHUNK_ID_CHARS, "envelope.chunk_id"),
        ];
        let numbers = [
            (self.chunk_count, MAX_CHUNK_COUNT, "envelope.chunk_count"),
            (self.chunk_bytes, MAX_CHUNK_BYTES, "envelope.chunk_bytes"),
            (self.total_bytes, MAX_TOTAL_BYTES, "envelope.total_bytes"),
        ];
        let of_text = texts
            .into_iter()
            .find(|(span, max, _)| long(*span, *max))
            .map(|(_, _, field)| Broken::at(field, Rule::StringMaxLen));
        let of_number = numbers
            .into_iter()
            .find(|(value, max, _)| value > max)
            .map(|(_, _, field)| Broken::at(field, Rule::Uint32Lte));
        of_text.or(of_number).or_else(|| self.judge_chunk())
    }

    /// The rules between the chunk fields.
    fn judge_chunk(&self) -> Option<Broken> {
        let rule = if self.chunk_count == 0 {
            if !self.has_chunk_fields() {
                return None;
            }
            Rule::ChunkFieldsWithoutCount
        } else if self.chunk_id.len() == 0 {
            Rule::ChunkIdRequired
        } else if self.stream_id.len() == 0 {
            Rule::StreamIdRequired
        } else if self.chunk_index >= self.chunk_count {
            Rule::ChunkIndexLessThanCount
        } else {
            return None;
        };
        Some(Broken::at("envelope", rule))
    }

    fn has_chunk_fields(&self) -> bool {
        self.chunk_id.len() > 0
            || self.chunk_index > 0
            || self.chunk_bytes > 0
            || self.total_bytes > 0
    }

    /// The stream; empty where unset.
    #[must_use]
    pub fn stream_id<'a>(&self, packet: &'a [u8]) -> &'a str {
        self.stream_id.text(packet)
    }

    /// The sequence; 0 where unset.
    #[inline]
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    #[inline]
    pub(super) fn set_sequence(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    /// The partition; empty where unset.
    #[must_use]
    pub fn partition<'a>(&self, packet: &'a [u8]) -> &'a str {
        self.partition.text(packet)
    }

    /// The payload that a chunk is part of; empty where unset.
    #[must_use]
    pub fn chunk_id<'a>(&self, packet: &'a [u8]) -> &'a str {
        self.chunk_id.text(packet)
    }

    /// Place of the chunk, from 0.
    #[inline]
    #[must_use]
    pub fn chunk_index(&self) -> u32 {
        self.chunk_index
    }

    /// Chunks of the payload; 0 where the packet is no chunk.
    #[inline]
    #[must_use]
    pub fn chunk_count(&self) -> u32 {
        self.chunk_count
    }

    /// Declared bytes of this chunk; 0 where undeclared.
    #[inline]
    #[must_use]
    pub fn chunk_bytes(&self) -> u32 {
        self.chunk_bytes
    }

    /// Declared bytes of the whole payload; 0 where undeclared.
    #[inline]
    #[must_use]
    pub fn total_bytes(&self) -> u32 {
        self.total_bytes
    }

    /// Whether the packet is one chunk of a payload.
    #[inline]
    #[must_use]
    pub fn is_chunk(&self) -> bool {
        self.chunk_count > 0
    }

    /// Whether anything beyond `stream_id` and `sequence` is on the wire, unknown
    /// fields included.
    #[inline]
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.more
    }
}
