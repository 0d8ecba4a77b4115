//! Reading: fields one after the other.

use std::ops::Range;

use smallvec::SmallVec;

use super::{FIXED32, FIXED64, GROUP, GROUP_END, LEN, VARINT};
use crate::limits::MAX_NESTED_GROUPS;
use crate::malformed::Malformed;

/// Highest field number of a message.
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;
/// Highest field number inside an unknown group, where receivers are laxer.
const MAX_GROUP_FIELD_NUMBER: u64 = (1 << 31) - 1;
/// Longest varint, in bytes.
const MAX_VARINT_LEN: usize = 10;

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
            _ => {
                let (tag, after) = long_tag(self.bytes, self.at, MAX_FIELD_NUMBER);
                // A number of 29 bits and a wire type fill 32 bits.
                self.after(after).map(|()| tag as u32)
            }
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
            Some(&low)
                if let Some(&high) = self.bytes.get(self.at + 1)
                    && high < 0x80 =>
            {
                self.at += 2;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => {
                let (value, after) = long_varint(self.bytes, self.at);
                self.after(after).map(|()| value)
            }
        }
    }

    /// A varint cut to its low 32 bits, as receivers read 32-bit fields.
    ///
    /// # Errors
    /// As [`varint`](Self::varint).
    #[inline]
    pub fn varint32(&mut self) -> Result<u32, Malformed> {
        Ok((self.varint()? & u64::from(u32::MAX)) as u32)
    }

    /// Goes to where a read ended; 0 stands for a read that failed.
    #[inline]
    fn after(&mut self, at: usize) -> Result<(), Malformed> {
        if at == 0 {
            return Err(wire_fault(self.at));
        }
        self.at = at;
        Ok(())
    }

    /// A length and as many bytes: those bytes. They end at [`at`](Self::at).
    ///
    /// # Errors
    /// [`Malformed::Wire`] where they reach past the end.
    #[inline]
    pub fn len_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.varint()?;
        let end = usize::try_from(len)
            .ok()
            .and_then(|len| self.at.checked_add(len));
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(bytes) => {
                self.at += bytes.len();
                Ok(bytes)
            }
            None => Err(wire_fault(self.at)),
        }
    }

    /// A length and as many bytes: the range of those bytes.
    ///
    /// # Errors
    /// As [`len_bytes`](Self::len_bytes).
    #[inline]
    pub fn len_range(&mut self) -> Result<Range<usize>, Malformed> {
        let len = self.len_bytes()?.len();
        Ok(self.at - len..self.at)
    }

    /// Skips the value that follows `tag`; a group with all that is in it.
    ///
    /// # Errors
    /// [`Malformed::Wire`] on a value that does not end, an impossible wire type or
    /// an end of a group that was not opened; [`Malformed::Depth`] on groups in
    /// groups beyond [`MAX_NESTED_GROUPS`].
    #[inline]
    pub fn skip(&mut self, tag: u32) -> Result<(), Malformed> {
        self.at = value_end(self.bytes, self.at, tag)?;
        Ok(())
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
            let (tag, after) = long_tag(self.bytes, self.at, MAX_GROUP_FIELD_NUMBER);
            self.after(after)?;
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

// The slow paths take and give plain numbers, so that the cursor of a caller stays in
// registers.

/// Where the value that follows `tag` at `at` ends.
#[inline(never)]
fn value_end(bytes: &[u8], at: usize, tag: u32) -> Result<usize, Malformed> {
    let mut cursor = Cursor { bytes, at };
    match tag & 7 {
        VARINT => cursor.varint().map(drop)?,
        FIXED64 => cursor.advance(8)?,
        LEN => cursor.len_bytes().map(drop)?,
        FIXED32 => cursor.advance(4)?,
        GROUP => cursor.skip_group(tag)?,
        _ => return Err(wire_fault(at)),
    }
    Ok(cursor.at)
}

/// A tag at `at`, its number at most `max_number`: the tag, and the position after it or
/// 0 where there is none.
#[cold]
fn long_tag(bytes: &[u8], at: usize, max_number: u64) -> (u64, usize) {
    let mut cursor = Cursor { bytes, at };
    match cursor.varint() {
        Ok(tag) if (1..=max_number).contains(&(tag >> 3)) => (tag, cursor.at),
        _ => (0, 0),
    }
}

/// A varint at `at` of three bytes or more: its value, and the position after it or 0 where
/// there is none.
#[inline(never)]
fn long_varint(bytes: &[u8], at: usize) -> (u64, usize) {
    /// The bit that is clear in the last byte of a varint.
    const MORE: u64 = 0x8080_8080_8080_8080;
    if let Some(&[a, b, c]) = bytes.get(at..).and_then(<[u8]>::first_chunk)
        && c < 0x80
    {
        let low = u32::from(a & 0x7f) | u32::from(b & 0x7f) << 7;
        return (u64::from(low | u32::from(c) << 14), at + 3);
    }
    let word = word_at(bytes, at);
    let stop = !word & MORE;
    // A byte past the end of the message reads as none that ends a varint.
    if stop == 0 {
        return longest_varint(bytes, at);
    }
    // Everything up to the last byte, 7 bits of each, moved together: pairs, then fours, then all.
    let word = word & (stop ^ (stop - 1)) & !MORE;
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    let word = word & 0x0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4;
    (word, at + stop.trailing_zeros() as usize / 8 + 1)
}

/// Eight bytes from `at`, the first one lowest; ones in place of what is past the end.
#[inline]
fn word_at(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some(word) = rest.first_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    let beyond = 8 * rest.len() as u32;
    let past_the_end = u64::MAX << beyond;
    match bytes.last_chunk::<8>() {
        // The same bytes, read so that they end with the message.
        Some(word) => {
            let word = u64::from_le_bytes(*word);
            word.checked_shr(64 - beyond).unwrap_or(0) | past_the_end
        }
        None => {
            let mut word = [0xff; 8];
            for (to, from) in word.iter_mut().zip(rest) {
                *to = *from;
            }
            u64::from_le_bytes(word)
        }
    }
}

/// A varint of nine or ten bytes, or one that does not end.
#[cold]
fn longest_varint(bytes: &[u8], at: usize) -> (u64, usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    let mut value = 0_u64;
    for (i, &byte) in rest.iter().take(MAX_VARINT_LEN).enumerate() {
        if i == MAX_VARINT_LEN - 1 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            return (value, at + i + 1);
        }
    }
    (0, 0)
}

/// A wire fault at a position.
#[cold]
fn wire_fault(at: usize) -> Malformed {
    Malformed::Wire { offset: offset(at) }
}

/// An offset as views store it. Walks refuse messages whose offsets would not fit.
#[inline]
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain reading that the one by words is held against.
    fn by_bytes(bytes: &[u8]) -> Option<(u64, usize)> {
        let mut value = 0_u128;
        for (i, byte) in bytes.iter().take(MAX_VARINT_LEN).enumerate() {
            value |= u128::from(byte & 0x7f) << (7 * i);
            if *byte < 0x80 {
                return Some((u64::try_from(value).ok()?, i + 1));
            }
        }
        None
    }

    proptest::proptest! {
        #[test]
        fn a_varint_is_the_same_wherever_it_stands_and_whatever_follows(
            before in 0_usize..12,
            continued in proptest::collection::vec(0x80_u8.., 0..12),
            rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..12),
        ) {
            let mut bytes = vec![0xff; before];
            bytes.extend(continued);
            bytes.extend(rest);
            for end in before..=bytes.len() {
                let mut cursor = Cursor::within(&bytes, before..end);
                let read = cursor.varint().ok().map(|value| (value, cursor.at() - before));
                proptest::prop_assert_eq!(read, by_bytes(&bytes[before..end]));
            }
        }
    }

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
