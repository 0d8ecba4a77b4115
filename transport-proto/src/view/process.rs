//! `ProcessRequest` and `ProcessResponse`: where the packet is, and the flow beside it.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::Broken;
use crate::limits::{MAX_PARTITION_ACKS, MAX_PARTITION_CHARS};
use crate::malformed::Malformed;
use crate::text;
use crate::violation::{Rule, Violation};
use crate::wire::Cursor;

const PACKET: u32 = 0x0a;
const FLOW: u32 = 0x12;

/// Where the packet of a `ProcessRequest` or `ProcessResponse` is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PacketBytes {
    /// The message has none.
    Absent,
    /// Its bytes, as offsets into the message.
    At(Range<usize>),
    /// The field came several times: the contents in a row, which is what merging means.
    Merged(Bytes),
}

/// One `ProcessRequest` or `ProcessResponse`. The packet is not walked yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// The packet.
    pub packet: PacketBytes,
    /// Receipts, credits and signals; `Some` where the field is present, even empty.
    pub flow: Option<Flow>,
}

/// A merged `FlowControl` (spec 2.4, 2.5).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flow {
    /// Highest contiguous sequence received; 0 where unset.
    pub ack: u64,
    /// Messages granted.
    pub credits_messages: u32,
    /// Bytes granted.
    pub credits_bytes: u32,
    /// (partition, ack) in the order of the wire; a partition may come twice. At most
    /// [`MAX_PARTITION_ACKS`] are kept.
    pub partition_acks: SmallVec<[(Box<str>, u64); 0]>,
    /// `FlowControlSignal`, open: 0 unspecified, 1 pause, 2 resume.
    pub signal: i32,
    /// First broken rule of the contract.
    pub violation: Option<Violation>,
}

/// Reads a `ProcessRequest` or `ProcessResponse` without walking its packet.
///
/// # Errors
/// [`Malformed`] where the message, or its flow, is none of the contract.
#[inline]
pub fn parse_process(message: &[u8]) -> Result<Process, Malformed> {
    match sole_packet(message) {
        Some(range) => Ok(Process {
            packet: PacketBytes::At(range),
            flow: None,
        }),
        None => parse_any(message),
    }
}

/// The packet of a message that is nothing else, as nearly all are: what [`parse_process`] would
/// find, for those who want no [`Process`] made for it. `None` tells nothing.
#[inline]
#[must_use]
pub fn sole_packet(message: &[u8]) -> Option<Range<usize>> {
    let &[tag, low, high, ..] = message else {
        return None;
    };
    let (len, start) = if low < 0x80 {
        (usize::from(low), 2)
    } else if high < 0x80 {
        (usize::from(low & 0x7f) | usize::from(high) << 7, 3)
    } else {
        return None;
    };
    (u32::from(tag) == PACKET && start + len == message.len()).then_some(start..start + len)
}

/// Reads a message of any layout.
#[inline(never)]
fn parse_any(message: &[u8]) -> Result<Process, Malformed> {
    if u32::try_from(message.len()).is_err() {
        return Err(Malformed::Size);
    }
    let mut process = Process {
        packet: PacketBytes::Absent,
        flow: None,
    };
    let mut cursor = Cursor::new(message);
    while !cursor.is_done() {
        match cursor.tag()? {
            PACKET => {
                let range = cursor.len_range()?;
                process.packet = match process.packet {
                    PacketBytes::Absent => PacketBytes::At(range),
                    _ => PacketBytes::Merged(Bytes::new()),
                };
            }
            FLOW => {
                let range = cursor.len_range()?;
                process
                    .flow
                    .get_or_insert_with(Flow::default)
                    .merge(message, Cursor::within(message, range))?;
            }
            unknown => cursor.skip(unknown)?,
        }
    }
    if process.packet == PacketBytes::Merged(Bytes::new()) {
        process.packet = PacketBytes::Merged(merged(message)?);
    }
    Ok(process)
}

/// The contents of all occurrences of `packet` in a row, copied once. Each has to be
/// whole by itself: pieces of a field in two occurrences make no field.
#[cold]
fn merged(message: &[u8]) -> Result<Bytes, Malformed> {
    let mut out = BytesMut::with_capacity(message.len());
    let mut cursor = Cursor::new(message);
    while !cursor.is_done() {
        match cursor.tag()? {
            PACKET => {
                let range = cursor.len_range()?;
                out.extend_from_slice(message.get(range.clone()).unwrap_or_default());
                let mut piece = Cursor::within(message, range);
                while !piece.is_done() {
                    let tag = piece.tag()?;
                    piece.skip(tag)?;
                }
            }
            other => cursor.skip(other)?,
        }
    }
    Ok(out.freeze())
}

impl Flow {
    pub(super) fn merge(
        &mut self,
        message: &[u8],
        mut cursor: Cursor<'_>,
    ) -> Result<(), Malformed> {
        while !cursor.is_done() {
            match cursor.tag()? {
                0x08 => self.ack = cursor.varint()?,
                0x10 => self.credits_messages = cursor.varint32()?,
                0x18 => self.credits_bytes = cursor.varint32()?,
                0x32 => {
                    let range = cursor.len_range()?;
                    self.partition_ack(message, Cursor::within(message, range))?;
                }
                0x38 => self.signal = cursor.varint32()? as i32,
                unknown => cursor.skip(unknown)?,
            }
        }
        Ok(())
    }

    fn partition_ack(&mut self, message: &[u8], mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let (mut partition, mut ack) = (0..0, 0);
        while !cursor.is_done() {
            match cursor.tag()? {
                0x0a => {
                    partition = cursor.len_range()?;
                    let bytes = message.get(partition.clone()).unwrap_or_default();
                    text::check(bytes, partition.start)?;
                }
                0x10 => ack = cursor.varint()?,
                unknown => cursor.skip(unknown)?,
            }
        }
        if self.partition_acks.len() >= MAX_PARTITION_ACKS {
            self.break_rule(Broken::at("flow.partition_acks", Rule::RepeatedMaxItems));
            return Ok(());
        }
        let bytes = message.get(partition).unwrap_or_default();
        if text::longer_than(bytes, MAX_PARTITION_CHARS) {
            self.break_rule(Broken::at(
                "flow.partition_acks.partition",
                Rule::StringMaxLen,
            ));
            return Ok(());
        }
        let partition = std::str::from_utf8(bytes).unwrap_or_default();
        self.partition_acks.push((partition.into(), ack));
        Ok(())
    }

    fn break_rule(&mut self, broken: Broken) {
        self.violation.get_or_insert_with(|| broken.violation());
    }
}
