//! Owns pre-built messages: a `ProcessRequest` with one frame, copied and patched per send.
//!
//! Layout: `ProcessRequest{packet: DataPacket{metadata, [payload], audio|video|binary}}`, in field
//! order, as any encoder writes it. Patched in place: the [`Header`] (twice for JSON: in the frame
//! and in the Struct) and the frame's timestamp, which is a varint of a fixed six bytes (Unix
//! milliseconds need exactly six until the year 2109). A producer that numbers its packets has
//! `envelope.sequence` after the frame; its varint grows with the number, so there is a template for
//! every length of it ([`number_len`]), and nothing is padded.

use std::fmt;

use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::encode::{put_bytes, put_entry, put_number, put_struct_text, put_varint, varint_len};
use super::header::{HEADER_LEN, Header, JSON_OPENING, rest_checksum, to_hex};
use crate::units::{Nanos, Nonce, ProducerId, Sequence};

/// Largest encoded message the contract lets a receiver take (spec 1: 10 MiB).
const MAX_MESSAGE_BYTES: usize = 10 * 1024 * 1024;
const JSON_MIDDLE: &[u8] = br#"","text":""#;
const JSON_CLOSING: &[u8] = br#""}}"#;
const JSON_MIME: &str = "application/vnd.bubu.packet+json";
/// A timestamp whose varint has six bytes, like every real one; overwritten before sending.
const SOME_UNIX_MS: u64 = 1 << 40;
const TIMESTAMP_BYTES: usize = 6;

/// What a flow's frames carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 16 kHz mono 16-bit PCM in an AudioFrame.
    Audio,
    /// VP8 in a VideoFrame.
    Video,
    /// `application/octet-stream` in a BinaryFrame.
    Binary,
    /// A structured packet: the same object as JSON envelope in a BinaryFrame and as a Struct.
    Json,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Audio => "audio",
            Kind::Video => "video",
            Kind::Binary => "binary",
            Kind::Json => "json",
        })
    }
}

impl Kind {
    /// Fewest payload bytes that hold the header and what must stand around it.
    pub fn min_size(self) -> usize {
        match self {
            Kind::Json => {
                JSON_OPENING.len() + HEADER_LEN * 2 + JSON_MIDDLE.len() + JSON_CLOSING.len()
            }
            _ => HEADER_LEN,
        }
    }

    fn stream_type(self) -> &'static str {
        match self {
            Kind::Audio => "speech.audio.v1",
            Kind::Video => "video.frame",
            Kind::Binary => "binary.blob",
            Kind::Json => "chat.message.v1",
        }
    }
}

/// Why a template cannot be built.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// The asked-for payload has no room for the header.
    #[error("{size} bytes of {kind} have no room for the checks of a message: at least {least}")]
    TooSmall {
        /// What was asked for.
        kind: Kind,
        /// Payload bytes asked for.
        size: usize,
        /// Fewest payload bytes of this kind.
        least: usize,
    },
    /// The encoded message would break the contract's limit.
    #[error(
        "a payload of {size} bytes makes a message of {message} bytes; the contract allows {MAX_MESSAGE_BYTES}"
    )]
    TooLarge {
        /// Payload bytes asked for.
        size: usize,
        /// Encoded bytes of the message.
        message: usize,
    },
}

/// What differs from one send to the next.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Which of the producer's messages this is.
    pub sequence: Sequence,
    /// When it was meant to be sent.
    pub intended: Nanos,
    /// The same moment as Unix milliseconds, for the frame's timestamp.
    pub unix_ms: u64,
}

/// One producer's message of one size, ready to be copied and patched.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    media_bytes: usize,
    header_at: usize,
    struct_header_at: Option<usize>,
    timestamp_at: usize,
    /// Where the producer's own number stands, and in how many bytes.
    number: Option<(usize, usize)>,
    rest: u32,
    producer: ProducerId,
    nonce: Nonce,
    delta: bool,
    json: bool,
}

/// Bytes that the number of the packet with this sequence takes; numbers count from 1.
pub fn number_len(sequence: Sequence) -> usize {
    varint_len(sequence.0.saturating_add(1))
}

impl Template {
    /// A message of `kind` with `size` payload bytes, filled with noise of this producer's own.
    ///
    /// # Errors
    /// [`TemplateError`] when the size leaves no room for the header or breaks the contract.
    pub fn new(
        kind: Kind,
        size: usize,
        producer: ProducerId,
        nonce: Nonce,
    ) -> Result<Template, TemplateError> {
        Template::numbered(kind, size, (producer, nonce), None)
    }

    /// The same message with a number of its producer's own, which takes `number_len` bytes.
    ///
    /// # Errors
    /// As for [`Template::new`].
    pub fn numbered(
        kind: Kind,
        size: usize,
        (producer, nonce): (ProducerId, Nonce),
        number_len: Option<usize>,
    ) -> Result<Template, TemplateError> {
        let least = kind.min_size();
        if size < least {
            return Err(TemplateError::TooSmall { kind, size, least });
        }
        if size > MAX_MESSAGE_BYTES {
            let message = size;
            return Err(TemplateError::TooLarge { size, message });
        }
        let payload = Payload::of(kind, size, producer);
        let mut packet = Vec::with_capacity(size + 256);
        put_entry(&mut packet, 1, "type", kind.stream_type());
        if kind == Kind::Json {
            put_bytes(&mut packet, 2, &payload.structured());
        }
        let frame = frame(kind, &payload.bytes);
        put_bytes(&mut packet, frame.field, &frame.bytes);
        let envelope = number_len.map_or_else(Vec::new, envelope);
        packet.extend_from_slice(&envelope);
        let mut bytes = Vec::with_capacity(packet.len() + 8);
        put_bytes(&mut bytes, 1, &packet);
        if bytes.len() > MAX_MESSAGE_BYTES {
            let message = bytes.len();
            return Err(TemplateError::TooLarge { size, message });
        }
        // The frame is followed by nothing but the envelope, which ends with the number.
        let frame_at = bytes.len() - envelope.len() - frame.bytes.len();
        let header_at = frame_at + frame.payload_at + payload.header_at;
        let struct_header_at = (kind == Kind::Json)
            .then(|| memchr::memmem::find(&bytes, &[MARK; HEADER_LEN * 2]))
            .flatten();
        Ok(Template {
            media_bytes: size,
            header_at,
            struct_header_at,
            timestamp_at: frame_at + frame.timestamp_at,
            number: number_len.map(|len| (bytes.len() - len, len)),
            rest: payload.rest,
            producer,
            nonce,
            delta: false,
            json: kind == Kind::Json,
            bytes,
        })
    }

    /// The same message marked as a video frame that depends on earlier ones.
    #[must_use]
    pub fn delta(mut self) -> Template {
        self.delta = true;
        self
    }

    /// The same message between what a transport puts around each one.
    #[must_use]
    pub fn framed(mut self, prefix: &[u8], suffix: &[u8]) -> Template {
        let mut bytes = Vec::with_capacity(prefix.len() + self.bytes.len() + suffix.len());
        bytes.extend_from_slice(prefix);
        bytes.extend_from_slice(&self.bytes);
        bytes.extend_from_slice(suffix);
        self.bytes = bytes;
        self.header_at += prefix.len();
        self.timestamp_at += prefix.len();
        self.number = self.number.map(|(at, len)| (at + prefix.len(), len));
        self.struct_header_at = self.struct_header_at.map(|at| at + prefix.len());
        self
    }

    /// Appends one message to `out`.
    pub fn append(&self, stamp: Stamp, out: &mut BytesMut) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let message = &mut out[start..];
        let header = Header {
            nonce: self.nonce,
            producer: self.producer,
            sequence: stamp.sequence,
            intended: stamp.intended,
            delta: self.delta,
        }
        .to_bytes(self.rest);
        if self.json {
            let text = to_hex(&header);
            patch(message, self.header_at, &text);
            if let Some(at) = self.struct_header_at {
                patch(message, at, &text);
            }
        } else {
            patch(message, self.header_at, &header);
        }
        patch(message, self.timestamp_at, &six_bytes(stamp.unix_ms));
        if let Some((at, len)) = self.number {
            let number = stamp.sequence.0.saturating_add(1);
            debug_assert_eq!(varint_len(number), len, "the template of another length");
            for (place, byte) in message[at..at + len].iter_mut().enumerate() {
                let more = if place + 1 < len { 0x80 } else { 0 };
                *byte = (number >> (7 * place)) as u8 & 0x7F | more;
            }
        }
    }

    /// Bytes on the wire, transport framing included.
    pub fn wire_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of the frame's payload.
    pub fn media_bytes(&self) -> usize {
        self.media_bytes
    }
}

/// Stands where the header's text goes until the first patch; no other byte of a payload is this.
const MARK: u8 = b'#';

struct Payload {
    bytes: Vec<u8>,
    header_at: usize,
    rest: u32,
}

impl Payload {
    fn of(kind: Kind, size: usize, producer: ProducerId) -> Payload {
        let filler = filler(kind, size - kind.min_size(), producer);
        if kind != Kind::Json {
            let mut bytes = vec![MARK; HEADER_LEN];
            bytes.extend_from_slice(&filler);
            let rest = crc32fast::hash(&filler);
            return Payload {
                bytes,
                header_at: 0,
                rest,
            };
        }
        let mut bytes = JSON_OPENING.to_vec();
        bytes.extend_from_slice(&[MARK; HEADER_LEN * 2]);
        bytes.extend_from_slice(JSON_MIDDLE);
        bytes.extend_from_slice(&filler);
        bytes.extend_from_slice(JSON_CLOSING);
        let after = &bytes[JSON_OPENING.len() + HEADER_LEN * 2..];
        let rest = rest_checksum(JSON_OPENING, after);
        Payload {
            header_at: JSON_OPENING.len(),
            rest,
            bytes,
        }
    }

    /// The JSON payload's object as a `google.protobuf.Struct`.
    fn structured(&self) -> Vec<u8> {
        let text_at = JSON_OPENING.len() + HEADER_LEN * 2 + JSON_MIDDLE.len();
        let text = &self.bytes[text_at..self.bytes.len() - JSON_CLOSING.len()];
        let mut content = Vec::with_capacity(self.bytes.len() + 64);
        let mark = String::from_utf8_lossy(&[MARK; HEADER_LEN * 2]).into_owned();
        put_struct_text(&mut content, "load", &mark);
        put_struct_text(&mut content, "text", &String::from_utf8_lossy(text));
        content
    }
}

/// `DataPacket.envelope` with a sequence of so many bytes, to be patched.
fn envelope(number_len: usize) -> Vec<u8> {
    let mut content = Vec::with_capacity(number_len + 1);
    put_number(&mut content, 2, 1 << (7 * (number_len - 1)));
    let mut bytes = Vec::with_capacity(number_len + 3);
    put_bytes(&mut bytes, 8, &content);
    bytes
}

struct EncodedFrame {
    /// Field number of the frame in DataPacket.
    field: u32,
    bytes: Vec<u8>,
    payload_at: usize,
    timestamp_at: usize,
}

fn frame(kind: Kind, payload: &[u8]) -> EncodedFrame {
    let mut bytes = Vec::with_capacity(payload.len() + 64);
    put_bytes(&mut bytes, 1, payload);
    let payload_at = bytes.len() - payload.len();
    let field = match kind {
        Kind::Audio => {
            put_number(&mut bytes, 2, 16_000);
            put_number(&mut bytes, 3, 1);
            put_bytes(&mut bytes, 4, b"pcm16");
            put_number(&mut bytes, 5, SOME_UNIX_MS);
            5
        }
        Kind::Video => {
            put_bytes(&mut bytes, 2, b"vp8");
            put_number(&mut bytes, 3, 640);
            put_number(&mut bytes, 4, 480);
            put_number(&mut bytes, 5, SOME_UNIX_MS);
            6
        }
        Kind::Binary | Kind::Json => {
            let mime = if kind == Kind::Json {
                JSON_MIME
            } else {
                "application/octet-stream"
            };
            put_bytes(&mut bytes, 2, mime.as_bytes());
            put_number(&mut bytes, 3, SOME_UNIX_MS);
            7
        }
    };
    let timestamp_at = bytes.len() - TIMESTAMP_BYTES;
    EncodedFrame {
        field,
        bytes,
        payload_at,
        timestamp_at,
    }
}

/// Noise that differs from producer to producer; letters only where it must be JSON text.
fn filler(kind: Kind, len: usize, producer: ProducerId) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15 ^ (u64::from(producer.0) << 17 | 1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len)
        .map(|_| match kind {
            Kind::Json => b'a' + next() % 26,
            _ => next(),
        })
        .collect()
}

/// A varint of exactly six bytes: Unix milliseconds of the years 2004 to 2109.
fn six_bytes(unix_ms: u64) -> [u8; TIMESTAMP_BYTES] {
    let mut text = Vec::with_capacity(10);
    put_varint(&mut text, unix_ms.clamp(1 << 40, (1 << 42) - 1));
    let mut bytes = [0u8; TIMESTAMP_BYTES];
    bytes.copy_from_slice(&text[..TIMESTAMP_BYTES]);
    bytes
}

fn patch(message: &mut [u8], at: usize, with: &[u8]) {
    message[at..at + with.len()].copy_from_slice(with);
}
