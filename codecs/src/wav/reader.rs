//! Finding the samples in a WAV file.
//!
//! Tolerant where files in the wild are sloppy (unknown chunks, a missing pad byte at the end,
//! lengths that a streaming writer never filled in, a file cut short), strict where guessing would
//! change what is heard.

use super::{LENGTH_UNKNOWN, TAG_EXTENSIBLE, TAG_PCM};
use crate::pcm::{BYTES_PER_SAMPLE, Format};
use bytes::Bytes;

/// Bytes in front of every chunk: a name of four and a length.
const CHUNK_HEAD: usize = 8;
/// Shortest `fmt ` chunk: the fields of plain PCM.
const FORMAT_BYTES: usize = 16;
/// Where an extensible `fmt ` chunk keeps the tag of its sub-format.
const SUB_FORMAT_AT: usize = 24;

/// A WAV file's samples and how to read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wav {
    /// Rate and channels.
    pub format: Format,
    /// The samples: a slice of the file, whole blocks only.
    pub pcm: Bytes,
}

/// Why a file cannot be read; always the file's fault, and reading it again does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It does not start with `RIFF`, a length and `WAVE`.
    #[error("not a WAV file: it does not start with RIFF and WAVE")]
    NotWav,
    /// No `fmt ` chunk.
    #[error("no `fmt ` chunk: the file does not say how to read its samples")]
    NoFormat,
    /// The `fmt ` chunk ends before its fields do.
    #[error("`fmt ` chunk of {0} bytes: too short for its fields")]
    ShortFormat(usize),
    /// Compressed or floating-point audio.
    #[error("format tag {0:#06x}: only PCM (0x0001) is read")]
    Codec(u16),
    /// PCM of another width.
    #[error("{0} bits a sample: only 16 are read")]
    Bits(u16),
    /// Zero channels, a rate of zero, or a block size that does not follow from the channels.
    #[error("contradictory format: {channels} channels at {rate_hz} Hz in blocks of {block} bytes")]
    Contradiction {
        /// Channels given.
        channels: u16,
        /// Rate given.
        rate_hz: u32,
        /// Bytes a block given.
        block: u16,
    },
    /// No `data` chunk.
    #[error("no `data` chunk: the file holds no samples")]
    NoData,
}

/// Reads a whole file.
///
/// The first `fmt ` and the first `data` chunk count, in either order. A `data` chunk that claims
/// more than the file has is what the file has; a length that was never filled in likewise.
///
/// # Errors
/// [`ReadError`] when this is no WAV file of 16-bit PCM.
pub fn read(file: &Bytes) -> Result<Wav, ReadError> {
    if file.get(..4) != Some(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Err(ReadError::NotWav);
    }
    let mut format = None;
    let mut data = None;
    let mut rest = file.slice(12..);
    while let Some((name, body, after)) = next_chunk(&rest) {
        match &name {
            b"fmt " if format.is_none() => format = Some(parse_format(&body)?),
            b"data" if data.is_none() => data = Some(body),
            _ => {}
        }
        rest = after;
    }
    let format = format.ok_or(ReadError::NoFormat)?;
    let data = data.ok_or(ReadError::NoData)?;
    let whole = data.len() - data.len() % format.block_bytes();
    Ok(Wav {
        format,
        pcm: data.slice(..whole),
    })
}

/// The first chunk of `rest`, its body clamped to what is there, and what comes after it.
fn next_chunk(rest: &Bytes) -> Option<([u8; 4], Bytes, Bytes)> {
    let (name, after_name) = rest.split_first_chunk::<4>()?;
    let (length, _) = after_name.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    let content = rest.slice(CHUNK_HEAD..);
    let length = match usize::try_from(length) {
        Ok(known) if length != LENGTH_UNKNOWN => known.min(content.len()),
        _ => content.len(),
    };
    // Bodies of odd length are followed by a pad byte; the last one's is often missing.
    let next = (length + length % 2).min(content.len());
    Some((*name, content.slice(..length), content.slice(next..)))
}

/// The fields of a `fmt ` chunk, checked.
fn parse_format(body: &[u8]) -> Result<Format, ReadError> {
    let short = ReadError::ShortFormat(body.len());
    if body.len() < FORMAT_BYTES {
        return Err(short);
    }
    let u16_at = |at: usize| {
        let field = body.get(at..).and_then(|tail| tail.first_chunk::<2>());
        field.map(|bytes| u16::from_le_bytes(*bytes)).ok_or(short)
    };
    let tag = match u16_at(0)? {
        TAG_EXTENSIBLE => u16_at(SUB_FORMAT_AT)?,
        tag => tag,
    };
    if tag != TAG_PCM {
        return Err(ReadError::Codec(tag));
    }
    let bits = u16_at(14)?;
    if bits != 16 {
        return Err(ReadError::Bits(bits));
    }
    let channels = u16_at(2)?;
    let rate_hz = u32::from(u16_at(4)?) | u32::from(u16_at(6)?) << 16;
    let block = u16_at(12)?;
    let fits = usize::from(block) == usize::from(channels) * BYTES_PER_SAMPLE;
    if channels == 0 || rate_hz == 0 || !fits {
        return Err(ReadError::Contradiction {
            channels,
            rate_hz,
            block,
        });
    }
    Ok(Format { rate_hz, channels })
}
