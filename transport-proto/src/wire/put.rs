//! Writing: varints and fields, and how long they will be.

use bytes::{BufMut, BytesMut};

/// Bytes that `value` takes as a varint: 1 to 10.
#[inline]
#[must_use]
pub const fn varint_len(value: u64) -> usize {
    // 9/64 is close enough to 1/7 for up to 64 bits.
    let highest = 63 - (value | 1).leading_zeros() as usize;
    (highest * 9 + 73) / 64
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
    use super::super::Cursor;
    use super::*;

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
}
