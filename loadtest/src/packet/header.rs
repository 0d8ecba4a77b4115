//! Owns the generator's header: 40 bytes at the start of every frame's payload.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0..10 | preamble; reads as the start of a VP8 frame (bit 0 of byte 0: 0 key frame, 1 delta) |
//! | 10..12 | version, 1 |
//! | 12..16 | nonce of the run |
//! | 16..20 | producer |
//! | 20..28 | sequence, from 0 |
//! | 28..36 | intended send time, nanoseconds on the run's clock |
//! | 36..40 | CRC-32 of (the rest of the payload, then bytes 0..36) |
//!
//! Numbers are big-endian. A JSON payload carries the 40 bytes as hexadecimal text in its member
//! `load`; the rest is then everything before and after that text. The rest never changes, so its
//! CRC is computed once per template and only 36 bytes are summed per message.

use thiserror::Error;

use crate::units::{Nanos, Nonce, ProducerId, Sequence};

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 40;

/// How a JSON payload begins; the header's hexadecimal text follows.
pub(super) const JSON_OPENING: &[u8] = br#"{"kind":"data","payload":{"load":""#;

/// Where the header's text begins in a JSON payload.
pub const JSON_HEADER_AT: usize = JSON_OPENING.len();

const PREAMBLE: [u8; 10] = [b'L', b'O', b'A', 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01];
const VERSION: u16 = 1;
const SUMMED: usize = 36;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What one message says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which run it belongs to.
    pub nonce: Nonce,
    /// Who sent it.
    pub producer: ProducerId,
    /// Which of the producer's messages it is.
    pub sequence: Sequence,
    /// When it was meant to be sent.
    pub intended: Nanos,
    /// True for a video frame that depends on earlier ones.
    pub delta: bool,
}

/// Why a payload is not one that this generator sent.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// The payload ends before the header does.
    #[error("payload of {0} bytes is too short for a header")]
    Short(usize),
    /// The bytes where the header belongs do not begin like one.
    #[error("no header where one belongs")]
    Foreign,
    /// The checksum does not match: header or content were changed on the way.
    #[error("checksum {found:08x}, expected {expected:08x}")]
    Checksum {
        /// What the header says.
        expected: u32,
        /// What the bytes give.
        found: u32,
    },
}

impl Header {
    /// The 40 bytes of this header, for a payload whose other bytes sum to `rest`.
    pub fn to_bytes(self, rest: u32) -> [u8; HEADER_LEN] {
        let mut bytes = [0u8; HEADER_LEN];
        bytes[..10].copy_from_slice(&PREAMBLE);
        bytes[0] |= u8::from(self.delta);
        bytes[10..12].copy_from_slice(&VERSION.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.nonce.0.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.producer.0.to_be_bytes());
        bytes[20..28].copy_from_slice(&self.sequence.0.to_be_bytes());
        bytes[28..36].copy_from_slice(&self.intended.0.to_be_bytes());
        let crc = checksum(rest, &bytes);
        bytes[36..].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// Reads and checks the header of a frame's payload.
    ///
    /// # Errors
    /// [`HeaderError`] when the payload is shorter than a header, begins like something else, or
    /// fails its checksum.
    pub fn verify(payload: &[u8]) -> Result<Header, HeaderError> {
        if payload.first() == Some(&b'{') {
            return verify_json(payload);
        }
        let (head, rest) = payload
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(HeaderError::Short(payload.len()))?;
        check(head, crc32fast::hash(rest))
    }
}

/// The header as it stands in JSON text.
pub(super) fn to_hex(bytes: &[u8; HEADER_LEN]) -> [u8; HEADER_LEN * 2] {
    let mut text = [0u8; HEADER_LEN * 2];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}

/// CRC-32 of a payload without its header text: what stands before it, then what stands after it.
pub(super) fn rest_checksum(before: &[u8], after: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before);
    hasher.update(after);
    hasher.finalize()
}

fn verify_json(payload: &[u8]) -> Result<Header, HeaderError> {
    let after_opening = payload
        .strip_prefix(JSON_OPENING)
        .ok_or(HeaderError::Foreign)?;
    let (text, after) = after_opening
        .split_first_chunk::<{ HEADER_LEN * 2 }>()
        .ok_or(HeaderError::Short(payload.len()))?;
    let mut head = [0u8; HEADER_LEN];
    for (byte, pair) in head.iter_mut().zip(text.chunks_exact(2)) {
        *byte = nibble(pair[0]).ok_or(HeaderError::Foreign)? << 4
            | nibble(pair[1]).ok_or(HeaderError::Foreign)?;
    }
    check(&head, rest_checksum(JSON_OPENING, after))
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn check(head: &[u8; HEADER_LEN], rest: u32) -> Result<Header, HeaderError> {
    let expected = u32::from_be_bytes(field(head, 36));
    let found = checksum(rest, head);
    // A broken first byte must show as damage, so the checksum is judged before the preamble,
    // unless nothing at all looks like ours.
    if found != expected {
        let ours = head[1..10] == PREAMBLE[1..] || head[0] & !1 == PREAMBLE[0];
        return Err(if ours {
            HeaderError::Checksum { expected, found }
        } else {
            HeaderError::Foreign
        });
    }
    if head[1..10] != PREAMBLE[1..] || u16::from_be_bytes(field(head, 10)) != VERSION {
        return Err(HeaderError::Foreign);
    }
    Ok(Header {
        nonce: Nonce(u32::from_be_bytes(field(head, 12))),
        producer: ProducerId(u32::from_be_bytes(field(head, 16))),
        sequence: Sequence(u64::from_be_bytes(field(head, 20))),
        intended: Nanos(u64::from_be_bytes(field(head, 28))),
        delta: head[0] & 1 == 1,
    })
}

/// `N` bytes of the header from `at`; both are constants within its length.
fn field<const N: usize>(head: &[u8; HEADER_LEN], at: usize) -> [u8; N] {
    let mut bytes = [0u8; N];
    bytes.copy_from_slice(&head[at..at + N]);
    bytes
}

fn checksum(rest: u32, head: &[u8; HEADER_LEN]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(rest);
    hasher.update(&head[..SUMMED]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            nonce: Nonce(7),
            producer: ProducerId(3),
            sequence: Sequence(99),
            intended: Nanos(123_456_789),
            delta: true,
        }
    }

    fn payload() -> Vec<u8> {
        let content = b"twenty milliseconds of speech";
        let mut bytes = header().to_bytes(crc32fast::hash(content)).to_vec();
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn a_header_reads_back_as_it_was_written() {
        assert_eq!(Header::verify(&payload()), Ok(header()));
    }

    #[test]
    fn every_flipped_bit_of_header_or_content_is_noticed() {
        let clean = payload();
        for bit in 0..clean.len() * 8 {
            let mut broken = clean.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::verify(&broken).is_err(), "bit {bit} went unnoticed");
        }
    }

    #[test]
    fn a_payload_cut_short_is_noticed() {
        let clean = payload();
        for len in 0..clean.len() {
            assert!(Header::verify(&clean[..len]).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn the_checksum_is_the_crc_of_rest_then_header() {
        let bytes = payload();
        let mut joined = bytes[HEADER_LEN..].to_vec();
        joined.extend_from_slice(&bytes[..36]);
        let expected = crc32fast::hash(&joined).to_be_bytes();
        assert_eq!(bytes[36..40], expected);
    }

    #[test]
    fn json_text_with_an_upper_case_digit_is_foreign() {
        let mut text = JSON_OPENING.to_vec();
        text.extend_from_slice(&to_hex(&header().to_bytes(0)));
        let at = text.len() - 1;
        text[at] = b'F';
        assert_eq!(Header::verify(&text), Err(HeaderError::Foreign));
    }
}
