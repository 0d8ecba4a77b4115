//! Where every frame of the recording went, and what came of it.
//!
//! Owns the books. Pure: it compares what the engrams wrote down with the recording and its
//! labels, and never asks the hub or the progress counters.

use super::hop::{HopAccount, HopEnds};
use super::labels::SegmentNumber;
use super::packet::Segment;
use super::recording::{FrameNumber, Recording};
use super::{recorder, source, vad};
use codecs::wav;
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::Range;

/// What the three engrams and the file say.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) source: &'a source::Journal,
    pub(super) vad: &'a vad::Journal,
    pub(super) recorder: &'a recorder::Journal,
    /// The written file, or why it cannot be read.
    pub(super) file: Result<bytes::Bytes, String>,
}

/// The books of one demo.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    /// Frames in the bundled recording.
    pub(super) recording: usize,
    pub(super) sent: usize,
    pub(super) at_vad: usize,
    pub(super) voiced: usize,
    pub(super) quiet: usize,
    pub(super) forwarded: usize,
    pub(super) recorded: usize,
    /// Reached the detector and came out neither as voiced nor as quiet.
    pub(super) undecided: Vec<FrameNumber>,
    pub(super) hops: [HopAccount; 2],
    pub(super) segments: Vec<SegmentAccount>,
    pub(super) wav: WavAccount,
}

/// One segment, as labelled and as found.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SegmentAccount {
    pub(super) segment: SegmentNumber,
    pub(super) text: String,
    /// Samples of the recording by the label file.
    pub(super) labelled: Option<Range<usize>>,
    /// Samples of the recording by the detector.
    pub(super) found: Option<Range<usize>>,
}

impl SegmentAccount {
    pub(super) fn holds(&self) -> bool {
        self.labelled == self.found
    }
}

/// The written file beside the labelled segments of the recording.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub(super) enum WavAccount {
    /// The same samples, bit for bit.
    #[serde(rename_all = "camelCase")]
    Equal { samples: usize },
    /// Other samples, or another number of them.
    #[serde(rename_all = "camelCase")]
    Differs {
        expected_samples: usize,
        samples: usize,
        /// Where the first difference is, in samples of the written file.
        first_at: usize,
    },
    /// No WAV file, or one of another format.
    Unreadable { reason: String },
}

impl Account {
    pub(super) fn of(recording: &Recording, evidence: Evidence<'_>) -> Self {
        let Evidence {
            source,
            vad,
            recorder,
            file,
        } = evidence;
        let hop = |from, to, sent: &[FrameNumber], arrived| {
            HopAccount::of(recording, HopEnds { from, to }, (sent, arrived))
        };
        let decided: BTreeSet<_> = vad.voiced.iter().chain(&vad.quiet).collect();
        let at_vad: BTreeSet<_> = vad.arrived.iter().map(|(number, _)| number).collect();
        Self {
            recording: recording.frames().count(),
            sent: source.sent.len(),
            at_vad: vad.arrived.len(),
            voiced: vad.voiced.len(),
            quiet: vad.quiet.len(),
            forwarded: vad.forwarded.len(),
            recorded: recorder.arrived.len(),
            undecided: at_vad.difference(&decided).map(|n| **n).collect(),
            hops: [
                hop("source", "vad", &source.sent, &vad.arrived),
                hop("vad", "recorder", &vad.forwarded, &recorder.arrived),
            ],
            segments: segments(recording, &recorder.segments),
            wav: compare_wav(recording, file),
        }
    }
}

/// Labelled and found segments side by side, by number.
fn segments(recording: &Recording, found: &[Segment]) -> Vec<SegmentAccount> {
    let numbers: BTreeSet<SegmentNumber> = recording
        .labels
        .iter()
        .map(|label| label.segment)
        .chain(found.iter().map(|segment| segment.number))
        .collect();
    let samples = |frame: u32| frame as usize * recording.frame_samples;
    let account = |segment| {
        let label = recording.labels.iter().find(|l| l.segment == segment);
        let found = found.iter().find(|f| f.number == segment);
        SegmentAccount {
            segment,
            text: label.map(|l| l.text.clone()).unwrap_or_default(),
            labelled: label.map(|l| l.samples.clone()),
            found: found.map(|f| samples(f.first.0)..samples(f.last.0.saturating_add(1))),
        }
    };
    numbers.into_iter().map(account).collect()
}

fn compare_wav(recording: &Recording, file: Result<bytes::Bytes, String>) -> WavAccount {
    let block = recording.format.block_bytes();
    let written = match file.map(|file| wav::read(&file)) {
        Err(reason) => return WavAccount::Unreadable { reason },
        Ok(Err(error)) => {
            let reason = error.to_string();
            return WavAccount::Unreadable { reason };
        }
        Ok(Ok(wav)) if wav.format != recording.format => {
            let reason = format!("it has another format: {:?}", wav.format);
            return WavAccount::Unreadable { reason };
        }
        Ok(Ok(wav)) => wav.pcm,
    };
    let expected = recording.speech();
    let samples = written.len() / block;
    if written == expected {
        return WavAccount::Equal { samples };
    }
    let same = written.iter().zip(&expected).take_while(|(a, b)| a == b);
    WavAccount::Differs {
        expected_samples: expected.len() / block,
        samples,
        first_at: same.count() / block,
    }
}
