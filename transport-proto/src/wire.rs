//! The protobuf wire format: varints, tags, lengths, groups.
//!
//! Owns a cursor that reads and skips, and the functions that write what a splice
//! appends. It never allocates for well-formed packets, never recurses and never
//! panics. What it accepts is what the contract's receivers accept: varints of up
//! to ten bytes (not necessarily the shortest), field numbers 1 to 2^29 - 1, and
//! unknown groups.

use std::ops::Range;

use bytes::{BufMut, BytesMut};
use smallvec::SmallVec;

use crate::limits::MAX_NESTED_GROUPS;
use crate::malformed::Malformed;

/// Highest field number of a message.
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;
/// Highest field number inside an unknown group, where receivers are laxer.
const MAX_GROUP_FIELD_NUMBER: u64 = (1 << 31) - 1;
/// Longest varint, in bytes.
const MAX_VARINT_LEN: usize = 10;

/// Wire type of a varint.
pub const VARINT: u32 = 0;
/// Wire type of eight bytes.
pub const FIXED64: u32 = 1;
/// Wire type of a length and as many bytes.
pub const LEN: u32 = 2;
/// Wire type that opens a group.
pub const GROUP: u32 = 3;
/// Wire type that closes a group.
pub const GROUP_END: u32 = 4;
/// Wire type of four bytes.
pub const FIXED32: u32 = 5;

/// The tag of field `number` with wire type `wire`.
#[must_use]
pub const fn tag(number: u32, wire: u32) -> u32 {
    number << 3 | wire
}

/// Reads one message (or a part of one) front to back. Positions are offsets into
/// the slice it was made with, so a cursor over a nested message shares the
/// offsets of the message around it.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    /// Ends where the message ends.
    bytes: &'a [u8],
    /// Next byte to read; never beyond `bytes.len()`.
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor over a whole slice.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A cursor over `range` of `bytes`; empty where the range is not in the slice.
    #[inline]
    #[must_use]
    pub fn within(bytes: &'a [u8], range: Range<usize>) -> Self {
        match bytes.get(..range.end) {
            Some(bytes) if range.start <= range.end => Self {
                bytes,
                at: range.start,
            },
            _ => Self { bytes: &[], at: 0 },
        }
    }

    /// Offset of the next byte.
    #[inline]
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether everything has been read.
    #[inline]
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The next field's tag: number and wire type, the number from 1 to 2^29 - 1.
    ///
    /// # Errors
    /// [`Malformed::Wire`] where there is none.
    #[inline]
    pub fn tag(&mut self) -> Result<u32, Malformed> {
        match self.bytes.get(self.at) {
            Some(&byte) if (8..0x80).contains(&byte) => {
                self.at += 1;
                Ok(u32::from(byte))
            }
            // A number of 29 bits and a wire type fill 32 bits.
            _ => self.long_tag(MAX_FIELD_NUMBER).map(|tag| tag as u32),
        }
    }

    #[cold]
    fn long_tag(&mut self, max_number: u64) -> Result<u64, Malformed> {
        let start = self.at;
        let tag = self.varint()?;
        if (1..=max_number).contains(&(tag >> 3)) {
            Ok(tag)
        } else {
            Err(wire_fault(start))
        }
    }

    /// A varint of one to ten bytes, at most 64 bits.
    ///
    /// # Errors
    /// [`Malformed::Wire`] where it does not end, or is larger.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, Malformed> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let mut value = 0_u64;
        for (i, &byte) in rest.iter().take(MAX_VARINT_LEN).enumerate() {
            if i == MAX_VARINT_LEN - 1 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                self.at += i + 1;
                return Ok(value);
            }
        }
        Err(wire_fault(self.at))
    }

    /// A varint cut to its low 32 bits, as receivers read 32-bit fields.
    ///
    /// # Errors
    /// As [`varint`](Self::varint).
    #[inline]
    pub fn varint32(&mut self) -> Result<u32, Malformed> {
        Ok((self.varint()? & u64::from(u32::MAX)) as u32)
    }

    /// A length and as many bytes: the range of those bytes.
    ///
    /// # Errors
    /// [`Malformed::Wire`] where they reach past the end.
    #[inline]
    pub fn len_range(&mut self) -> Result<Range<usize>, Malformed> {
        let len = self.varint()?;
        let start = self.at;
        if len > (self.bytes.len() - start) as u64 {
            return Err(wire_fault(start));
        }
        self.at = start + len as usize;
        Ok(start..self.at)
    }

    /// Skips the value that follows `tag`; a group with all that is in it.
    ///
    /// # Errors
    /// [`Malformed::Wire`] on a value that does not end, an impossible wire type or
    /// an end of a group that was not opened; [`Malformed::Depth`] on groups in
    /// groups beyond [`MAX_NESTED_GROUPS`].
    #[inline]
    pub fn skip(&mut self, tag: u32) -> Result<(), Malformed> {
        match tag & 7 {
            VARINT => self.varint().map(drop),
            FIXED64 => self.advance(8),
            LEN => self.len_range().map(drop),
            FIXED32 => self.advance(4),
            GROUP => self.skip_group(tag),
            _ => Err(wire_fault(self.at)),
        }
    }

    #[inline]
    fn advance(&mut self, count: usize) -> Result<(), Malformed> {
        if self.bytes.len() - self.at < count {
            return Err(wire_fault(self.at));
        }
        self.at += count;
        Ok(())
    }

    #[cold]
    fn skip_group(&mut self, opened: u32) -> Result<(), Malformed> {
        let mut open: SmallVec<[u64; 16]> = SmallVec::new();
        open.push(u64::from(opened >> 3));
        while let Some(&innermost) = open.last() {
            let tag = self.long_tag(MAX_GROUP_FIELD_NUMBER)?;
            match (tag & 7) as u32 {
                GROUP_END if tag >> 3 == innermost => drop(open.pop()),
                GROUP if open.len() >= MAX_NESTED_GROUPS as usize => {
                    return Err(Malformed::Depth {
                        offset: offset(self.at),
                    });
                }
                GROUP => open.push(tag >> 3),
                wire => self.skip(wire)?,
            }
        }
        Ok(())
    }
}

/// A wire fault at a position.
#[cold]
pub(crate) fn wire_fault(at: usize) -> Malformed {
    Malformed::Wire { offset: offset(at) }
}

/// An offset as views store it. Walks refuse messages whose offsets would not fit.
#[inline]
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Bytes that `value` takes as a varint: 1 to 10.
#[inline]
#[must_use]
pub const fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Bytes of a field with a one-byte tag, a length and `len` bytes.
#[inline]
#[must_use]
pub const fn len_field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// Writes a varint in its shortest form.
#[inline]
pub fn put_varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// Writes a field with a one-byte `tag`, its length and its bytes.
#[inline]
pub fn put_len_field(out: &mut BytesMut, tag: u8, body: &[u8]) {
    out.put_u8(tag);
    put_varint(out, body.len() as u64);
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip_all(bytes: &[u8]) -> Result<usize, Malformed> {
        let mut cursor = Cursor::new(bytes);
        let mut fields = 0;
        while !cursor.is_done() {
            let tag = cursor.tag()?;
            cursor.skip(tag)?;
            fields += 1;
        }
        Ok(fields)
    }

    fn groups(depth: usize) -> Vec<u8> {
        let mut bytes = vec![0x4b; depth];
        bytes.resize(2 * depth, 0x4c);
        bytes
    }

    #[test]
    fn a_varint_of_ten_bytes_is_read_and_one_of_65_bits_is_not() {
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Cursor::new(&max).varint(), Ok(u64::MAX));
        let over = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert!(Cursor::new(&over).varint().is_err());
    }

    #[test]
    fn the_length_of_a_varint_is_what_is_written() {
        for bits in 0..64 {
            for value in [(1_u64 << bits) - 1, 1 << bits, u64::MAX] {
                let mut out = BytesMut::new();
                put_varint(&mut out, value);
                assert_eq!(out.len(), varint_len(value), "{value}");
                assert_eq!(Cursor::new(&out).varint(), Ok(value));
            }
        }
    }

    #[test]
    fn groups_are_skipped_to_the_limit_of_nesting_and_no_further() {
        let limit = MAX_NESTED_GROUPS as usize;
        assert_eq!(skip_all(&groups(limit)), Ok(1));
        assert!(matches!(
            skip_all(&groups(limit + 1)),
            Err(Malformed::Depth { .. })
        ));
    }

    #[test]
    fn a_group_that_another_number_closes_is_malformed() {
        assert!(skip_all(&[0x4b, 0x54]).is_err());
    }

    #[test]
    fn a_group_may_hold_field_numbers_that_a_message_may_not() {
        let mut inside = vec![0x4b, 0x80, 0x80, 0x80, 0x80, 0x10, 0x00, 0x4c];
        assert_eq!(skip_all(&inside), Ok(1));
        inside.remove(0);
        assert!(skip_all(&inside).is_err());
    }

    #[test]
    fn field_number_zero_is_malformed() {
        assert!(skip_all(&[0x00, 0x00]).is_err());
        assert!(skip_all(&[0x07, 0x00]).is_err());
    }
}
