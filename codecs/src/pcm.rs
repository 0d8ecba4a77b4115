//! 16-bit little-endian PCM: its format, cutting it into frames, how loud it is.
//!
//! Owns what a stream of PCM bytes means. Never resamples, mixes or changes a sample.

use bytes::{Buf, Bytes, BytesMut};
use core::num::NonZeroUsize;

/// Bytes of one sample of one channel.
pub const BYTES_PER_SAMPLE: usize = 2;

/// How the bytes of a PCM stream are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Samples of one channel in a second.
    pub rate_hz: u32,
    /// Interleaved channels.
    pub channels: u16,
}

impl Format {
    /// Bytes of one sample of every channel.
    #[must_use]
    pub fn block_bytes(self) -> usize {
        usize::from(self.channels) * BYTES_PER_SAMPLE
    }

    /// Bytes of a frame that lasts `millis`; `None` when that is no whole number of samples, or
    /// none at all (20 ms at 11,025 Hz are 220.5).
    #[must_use]
    pub fn frame_bytes(self, millis: u32) -> Option<NonZeroUsize> {
        let thousandths = u64::from(self.rate_hz) * u64::from(millis);
        if !thousandths.is_multiple_of(1000) {
            return None;
        }
        let blocks = usize::try_from(thousandths / 1000).ok()?;
        NonZeroUsize::new(blocks.checked_mul(self.block_bytes())?)
    }
}

/// The samples in `pcm`, all channels interleaved. Half a sample at the end is left out.
pub fn samples(pcm: &[u8]) -> impl ExactSizeIterator<Item = i16> + '_ {
    let (whole, _half) = pcm.as_chunks::<BYTES_PER_SAMPLE>();
    whole.iter().map(|sample| i16::from_le_bytes(*sample))
}

/// The bytes of `samples`.
pub fn from_samples(samples: impl IntoIterator<Item = i16>) -> Vec<u8> {
    samples.into_iter().flat_map(i16::to_le_bytes).collect()
}

/// Cuts a stream of bytes, arriving in pieces of any size, into frames of one fixed size.
///
/// What does not fill a frame is carried over to the next piece: frames and remainder joined are
/// the pieces joined.
#[derive(Debug)]
pub struct Framer {
    frame: NonZeroUsize,
    /// Arrived and not yet handed out.
    carry: BytesMut,
}

impl Framer {
    /// A framer for frames of `frame` bytes.
    #[must_use]
    pub fn new(frame: NonZeroUsize) -> Self {
        Self {
            frame,
            carry: BytesMut::new(),
        }
    }

    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.carry.extend_from_slice(piece);
    }

    /// The next whole frame, if one has arrived.
    pub fn pop(&mut self) -> Option<Bytes> {
        (self.carry.remaining() >= self.frame.get())
            .then(|| self.carry.split_to(self.frame.get()).freeze())
    }

    /// What is left when no more pieces come: less than a frame once [`Self::pop`] gives `None`.
    #[must_use]
    pub fn finish(self) -> Bytes {
        self.carry.freeze()
    }
}

/// A level in decibels relative to full scale: 0 is a square wave at the limits, silence is minus
/// infinity.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Dbfs(pub f64);

impl Dbfs {
    /// The level of a root mean square in sample units (0 to 32,768).
    #[must_use]
    pub fn from_rms(rms: f64) -> Self {
        const FULL_SCALE: f64 = 32_768.0;
        Self(20.0 * (rms / FULL_SCALE).log10())
    }

    /// How loud `pcm` is. Nothing at all is silence.
    #[must_use]
    pub fn of(pcm: &[u8]) -> Self {
        Self::from_rms(rms(pcm))
    }
}

/// Root mean square of the samples in `pcm`, in sample units.
#[must_use]
pub fn rms(pcm: &[u8]) -> f64 {
    let count = samples(pcm).len();
    if count == 0 {
        return 0.0;
    }
    // Squares are at most 2^30: the sum is exact for 2^33 samples, six days at 16 kHz.
    let sum: u64 = samples(pcm)
        .map(|sample| u64::from(sample.unsigned_abs()).pow(2))
        .sum();
    (sum as f64 / count as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPEECH: Format = Format {
        rate_hz: 16_000,
        channels: 1,
    };

    #[test]
    fn twenty_milliseconds_of_speech_are_640_bytes() {
        assert_eq!(SPEECH.frame_bytes(20), NonZeroUsize::new(640));
    }

    #[test]
    fn half_a_sample_makes_no_frame_size() {
        let odd = Format {
            rate_hz: 11_025,
            channels: 1,
        };
        assert_eq!(odd.frame_bytes(20), None);
        assert_eq!(SPEECH.frame_bytes(0), None);
    }

    #[test]
    fn a_square_wave_at_the_limit_is_full_scale_and_zeros_are_silence() {
        assert_eq!(Dbfs::of(&from_samples([i16::MIN; 320])), Dbfs(0.0));
        assert_eq!(Dbfs::of(&from_samples([0; 320])), Dbfs(f64::NEG_INFINITY));
        assert_eq!(Dbfs::of(&[]), Dbfs(f64::NEG_INFINITY));
    }

    #[test]
    fn a_tenth_of_the_amplitude_is_twenty_decibels_less() {
        let Dbfs(level) = Dbfs::of(&from_samples([3277; 320]));
        assert!((level + 20.0).abs() < 0.01, "{level}");
    }

    proptest! {
        #[test]
        fn framing_loses_nothing_whatever_the_pieces(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 0..20),
            frame in 1usize..900,
        ) {
            let mut framer = Framer::new(NonZeroUsize::new(frame).unwrap());
            let mut joined = Vec::new();
            for piece in &pieces {
                framer.push(piece);
                while let Some(cut) = framer.pop() {
                    prop_assert_eq!(cut.len(), frame);
                    joined.extend_from_slice(&cut);
                }
            }
            let rest = framer.finish();
            prop_assert!(rest.len() < frame);
            joined.extend_from_slice(&rest);
            prop_assert_eq!(joined, pieces.concat());
        }

        #[test]
        fn samples_survive_being_bytes(list in prop::collection::vec(any::<i16>(), 0..500)) {
            let bytes = from_samples(list.iter().copied());
            prop_assert_eq!(samples(&bytes).collect::<Vec<_>>(), list);
        }

        #[test]
        fn no_bytes_have_a_level_above_full_scale(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
            prop_assert!(Dbfs::of(&bytes) <= Dbfs(0.0));
        }
    }
}
