//! Text on the wire: is it UTF-8, and how many characters does it have.

use crate::malformed::Malformed;
use crate::wire::offset;

/// Whether every byte is below 0x80. Made for the short texts of metadata: words of 32 or
/// sixteen bytes at a time, the rest as one overlapping read.
#[inline]
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let seen = if let Some(last) = bytes.last_chunk::<32>() {
        let (chunks, _) = bytes.as_chunks::<32>();
        let mut seen = words(last);
        for chunk in chunks {
            for (seen, word) in seen.iter_mut().zip(words(chunk)) {
                *seen |= word;
            }
        }
        seen[0] | seen[1] | seen[2] | seen[3]
    } else if let Some(last) = bytes.last_chunk::<16>() {
        let (chunks, _) = bytes.as_chunks::<16>();
        let seen = chunks
            .iter()
            .fold(u128::from_ne_bytes(*last), |seen, chunk| {
                seen | u128::from_ne_bytes(*chunk)
            });
        (seen | seen >> 64) as u64
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        u64::from_ne_bytes(*first) | u64::from_ne_bytes(*last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        u64::from(u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last))
    } else {
        bytes.iter().fold(0, |seen, byte| seen | u64::from(*byte))
    };
    seen & HIGH_BITS == 0
}

#[inline]
fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|i| words.get(i).map_or(0, |word| u64::from_ne_bytes(*word)))
}

/// Whether two texts are the same, lengths compared before. Made for keys of eight to sixteen
/// bytes, which are two words each: no call.
#[inline]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let words = |bytes: &[u8]| Some((*bytes.first_chunk::<8>()?, *bytes.last_chunk::<8>()?));
    match (words(one), words(other)) {
        (Some(one_words), Some(other_words)) if one.len() <= 16 => one_words == other_words,
        _ => one == other,
    }
}

/// Checks that `bytes`, which begin at offset `at` of the message, are UTF-8.
#[inline]
pub(crate) fn check(bytes: &[u8], at: usize) -> Result<(), Malformed> {
    if is_ascii(bytes) {
        return Ok(());
    }
    check_slowly(bytes, at)
}

#[inline(never)]
fn check_slowly(bytes: &[u8], at: usize) -> Result<(), Malformed> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(Malformed::Utf8 { offset: offset(at) }),
    }
}

/// Whether UTF-8 `bytes` hold more than `max` characters (code points).
#[inline]
pub(crate) fn longer_than(bytes: &[u8], max: usize) -> bool {
    bytes.len() > max && (bytes.len() > 4 * max || chars(bytes) > max)
}

/// Characters (code points) of UTF-8 `bytes`.
pub(crate) fn chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_above_ascii_is_seen_at_every_place() {
        for len in 0..100 {
            let mut bytes = vec![b'a'; len];
            assert!(is_ascii(&bytes));
            for at in 0..len {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes), "{len} {at}");
                bytes[at] = b'a';
            }
        }
    }

    #[test]
    fn texts_are_the_same_when_every_byte_is() {
        for len in 0..40 {
            let mut bytes = vec![b'a'; len];
            let text = bytes.clone();
            assert!(same(&bytes, &text));
            for at in 0..len {
                bytes[at] = b'b';
                assert!(!same(&bytes, &text), "{len} {at}");
                bytes[at] = b'a';
            }
            bytes.push(b'a');
            assert!(!same(&bytes, &text));
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(!longer_than("éééé".as_bytes(), 4));
        assert!(longer_than("ééééé".as_bytes(), 4));
        assert!(!longer_than("🎧🎧🎧🎧".as_bytes(), 4));
        assert!(longer_than("e\u{301}e\u{301}e".as_bytes(), 4));
    }
}
