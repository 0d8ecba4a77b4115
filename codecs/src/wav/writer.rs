//! The bytes around samples that are being written.

use super::{LENGTH_UNKNOWN, TAG_PCM};
use crate::pcm::{BYTES_PER_SAMPLE, Format};

/// Bytes before the first sample.
pub const HEADER_BYTES: usize = 44;
/// What the RIFF length counts beside the samples: the header without its first eight bytes.
const RIFF_EXTRA: u32 = HEADER_BYTES as u32 - 8;

/// Why samples cannot be taken; always the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The file would pass 4 GiB, which a WAV file cannot say.
    #[error("a WAV file holds no more than 4 GiB")]
    TooLong,
    /// Not a whole number of samples of every channel.
    #[error("{bytes} bytes are no whole number of blocks of {block}")]
    PartOfBlock {
        /// Bytes given.
        bytes: usize,
        /// Bytes of a block.
        block: usize,
    },
}

/// Writes a WAV file as its samples arrive.
///
/// The caller puts down the header of [`Writer::start`], then every piece that
/// [`Writer::push`] has counted, as it is, and at the end writes the header of
/// [`Writer::header`] over the first. A file that was never finished can still be read.
#[derive(Debug)]
pub struct Writer {
    format: Format,
    /// Bytes of samples so far; header included they never pass `u32::MAX`.
    data: u32,
}

impl Writer {
    /// A writer, and the header to put down first: its lengths say "up to the end of the file".
    #[must_use]
    pub fn start(format: Format) -> (Self, [u8; HEADER_BYTES]) {
        let header = header(format, LENGTH_UNKNOWN, LENGTH_UNKNOWN);
        (Self { format, data: 0 }, header)
    }

    /// Counts the next samples, which the caller then writes as they are.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is counted then.
    pub fn push(&mut self, pcm: &[u8]) -> Result<(), WriteError> {
        let block = self.format.block_bytes();
        if pcm.len().checked_rem(block) != Some(0) {
            let bytes = pcm.len();
            return Err(WriteError::PartOfBlock { bytes, block });
        }
        let more = u32::try_from(pcm.len()).map_err(|_| WriteError::TooLong)?;
        let data = self.data.checked_add(more);
        self.data = data
            .filter(|data| data.checked_add(RIFF_EXTRA).is_some())
            .ok_or(WriteError::TooLong)?;
        Ok(())
    }

    /// The header for the samples so far.
    #[must_use]
    pub fn header(&self) -> [u8; HEADER_BYTES] {
        header(self.format, self.data + RIFF_EXTRA, self.data)
    }
}

/// A whole file at once.
///
/// # Errors
/// As [`Writer::push`].
pub fn encode(format: Format, pcm: &[u8]) -> Result<Vec<u8>, WriteError> {
    let (mut writer, _) = Writer::start(format);
    writer.push(pcm)?;
    Ok([writer.header().as_slice(), pcm].concat())
}

fn header(format: Format, riff: u32, data: u32) -> [u8; HEADER_BYTES] {
    let block = format.channels.saturating_mul(BYTES_PER_SAMPLE as u16);
    let mut out = [0; HEADER_BYTES];
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &riff.to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16u32.to_le_bytes(),
        &TAG_PCM.to_le_bytes(),
        &format.channels.to_le_bytes(),
        &format.rate_hz.to_le_bytes(),
        &format
            .rate_hz
            .saturating_mul(u32::from(block))
            .to_le_bytes(),
        &block.to_le_bytes(),
        &16u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    for (place, byte) in out.iter_mut().zip(fields.into_iter().flatten()) {
        *place = *byte;
    }
    out
}
