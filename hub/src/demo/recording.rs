//! The bundled recording: its frames, and which of its samples are speech.
//!
//! Owns the two files of `hub/assets/demo` in memory. Never decides what is speech: the labels were
//! written by whoever put the recording together (`scripts/make-demo-recording.py`).

use super::labels::{self, Label, LabelError};
use bytes::Bytes;
use codecs::pcm::{BYTES_PER_SAMPLE, Format, Framer};
use codecs::wav::{self, ReadError};
use engram::AudioFrame;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How long one frame lasts.
pub(super) const FRAME_MILLIS: u32 = 20;

static WAV: &[u8] = include_bytes!("../../assets/demo/speech.wav");
static LABELS: &str = include_str!("../../assets/demo/speech.labels");

/// The place of a frame in the recording, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct FrameNumber(pub(super) u32);

impl FrameNumber {
    /// When the frame begins, counted from the beginning of the recording.
    pub(super) fn at(self) -> Duration {
        Duration::from_millis(u64::from(self.0) * u64::from(FRAME_MILLIS))
    }
}

impl fmt::Display for FrameNumber {
    /// `frame 123 (2.460 s)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "frame {} ({:.3} s)", self.0, self.at().as_secs_f64())
    }
}

/// A recording that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordingError {
    #[error("speech.wav: {0}")]
    Wav(#[from] ReadError),
    #[error("speech.labels: {0}")]
    Labels(#[from] LabelError),
    #[error("speech.wav: {rate_hz} Hz gives no whole frames of {FRAME_MILLIS} ms")]
    Rate { rate_hz: u32 },
    #[error("speech.wav: {0} bytes are left over after the last whole frame")]
    PartOfFrame(usize),
    #[error("speech.labels: segment {0} lies outside speech.wav or off its frames")]
    Outside(u32),
}

/// Speech to send, and what is to come out of it.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) format: Format,
    pub(super) labels: Vec<Label>,
    /// Samples of one channel in a frame.
    pub(super) frame_samples: usize,
    frames: Vec<Bytes>,
    pcm: Bytes,
}

impl Recording {
    /// The one that is part of the program.
    pub(super) fn bundled() -> Result<Self, RecordingError> {
        let wav = wav::read(&Bytes::from_static(WAV))?;
        let rate_hz = wav.format.rate_hz;
        let frame = wav.format.frame_bytes(FRAME_MILLIS);
        let frame = frame.ok_or(RecordingError::Rate { rate_hz })?;
        let mut framer = Framer::new(frame);
        framer.push(&wav.pcm);
        let frames: Vec<Bytes> = std::iter::from_fn(|| framer.pop()).collect();
        match framer.finish().len() {
            0 => {}
            rest => return Err(RecordingError::PartOfFrame(rest)),
        }
        let recording = Self {
            format: wav.format,
            labels: labels::parse(LABELS)?,
            frame_samples: frame.get() / wav.format.block_bytes(),
            frames,
            pcm: wav.pcm,
        };
        for label in &recording.labels {
            let edges = [label.samples.start, label.samples.end];
            let on_frames = edges.map(|at| at.is_multiple_of(recording.frame_samples));
            if on_frames != [true; 2] || recording.segment(label).is_empty() {
                return Err(RecordingError::Outside(label.segment.0));
            }
        }
        Ok(recording)
    }

    /// How many frames it has.
    pub(super) fn frame_count(&self) -> u32 {
        u32::try_from(self.frames.len()).unwrap_or(u32::MAX)
    }

    /// How long it is.
    pub(super) fn duration(&self) -> Duration {
        FrameNumber(self.frame_count()).at()
    }

    /// Every frame as it is sent, in order.
    pub(super) fn frames(&self) -> impl Iterator<Item = (FrameNumber, AudioFrame)> + '_ {
        (0..self.frame_count())
            .map(FrameNumber)
            .filter_map(|number| Some((number, self.frame(number)?)))
    }

    /// One frame as it is sent.
    pub(super) fn frame(&self, number: FrameNumber) -> Option<AudioFrame> {
        let pcm = self.frames.get(usize::try_from(number.0).ok()?)?;
        let rate_hz = i32::try_from(self.format.rate_hz).ok()?;
        let channels = i32::from(self.format.channels);
        Some(AudioFrame::pcm16(pcm.clone(), rate_hz, channels).at(number.at()))
    }

    /// The samples of all labelled segments, one after the other, as bytes.
    pub(super) fn speech(&self) -> Vec<u8> {
        let segments: Vec<&[u8]> = self.labels.iter().map(|l| self.segment(l)).collect();
        segments.concat()
    }

    /// The samples of one segment as bytes; nothing if it lies outside the recording.
    fn segment(&self, label: &Label) -> &[u8] {
        let bytes = |samples: usize| samples.checked_mul(BYTES_PER_SAMPLE);
        let range = bytes(label.samples.start).zip(bytes(label.samples.end));
        range
            .and_then(|(start, end)| self.pcm.get(start..end))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::vad;
    use codecs::pcm::Dbfs;
    use codecs::vad::{Detector, Event};

    #[test]
    fn the_detector_finds_exactly_the_labelled_segments() {
        let recording = Recording::bundled().unwrap();
        let mut detector = Detector::new(vad::SETTINGS);
        for (number, frame) in recording.frames() {
            detector.push(number, Dbfs::of(&frame.pcm));
        }
        detector.finish();
        let mut found: Vec<Vec<FrameNumber>> = Vec::new();
        while let Some(event) = detector.poll() {
            match event {
                Event::Start => found.push(Vec::new()),
                Event::Speech(number) => found.last_mut().unwrap().push(number),
                Event::End | Event::Silence(_) => {}
            }
        }
        let samples = |number: FrameNumber| number.0 as usize * recording.frame_samples;
        let found: Vec<_> = found
            .iter()
            .map(|s| samples(s[0])..samples(*s.last().unwrap()) + recording.frame_samples)
            .collect();
        let labelled: Vec<_> = recording.labels.iter().map(|l| l.samples.clone()).collect();
        assert_eq!(found, labelled);
    }

    #[test]
    fn the_bundled_recording_has_several_segments_and_silences_of_different_lengths() {
        let recording = Recording::bundled().unwrap();
        assert!(recording.labels.len() >= 5);
        let silences: std::collections::BTreeSet<usize> = recording
            .labels
            .windows(2)
            .map(|pair| pair[1].samples.start - pair[0].samples.end)
            .collect();
        assert!(silences.len() >= 4, "{silences:?}");
        assert!(WAV.len() < 1_000_000);
    }

    #[test]
    fn one_segment_has_a_pause_that_does_not_split_it() {
        let recording = Recording::bundled().unwrap();
        let longest_pause = |label: &Label| {
            let frames = recording.segment(label).chunks(recording.frame_samples * 2);
            let quiet = frames.map(|frame| Dbfs::of(frame) < vad::SETTINGS.threshold);
            let runs = quiet.scan(0, |run, quiet| {
                *run = if quiet { *run + 1 } else { 0 };
                Some(*run)
            });
            runs.max().unwrap_or(0)
        };
        let longest = recording.labels.iter().map(longest_pause).max();
        assert!(longest >= Some(9), "{longest:?} frames");
    }
}
