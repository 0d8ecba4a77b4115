//! The books of one hop: what left one engram and what reached the next.

use super::recording::{FrameNumber, Recording};
use engram::AudioFrame;
use serde::Serialize;
use std::collections::BTreeSet;

/// Between which engrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct HopEnds {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

/// What happened on the way; every list is in the order of arrival, `missing` in that of numbers.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HopAccount {
    #[serde(flatten)]
    pub(super) ends: HopEnds,
    pub(super) sent: usize,
    pub(super) arrived: usize,
    /// Left and never arrived.
    pub(super) missing: Vec<FrameNumber>,
    /// Arrived again.
    pub(super) duplicated: Vec<FrameNumber>,
    /// Arrived for the first time after one that left later.
    pub(super) reordered: Vec<FrameNumber>,
    /// Arrived with other bytes, or another format, than the recording has there.
    pub(super) altered: Vec<FrameNumber>,
    /// Arrived though it never left.
    pub(super) unsent: Vec<FrameNumber>,
}

impl HopAccount {
    /// Compares both ends: the frames as they were sent, and as they arrived.
    pub(super) fn of(
        recording: &Recording,
        ends: HopEnds,
        (sent, arrived): (&[FrameNumber], &[(FrameNumber, AudioFrame)]),
    ) -> Self {
        let left: BTreeSet<FrameNumber> = sent.iter().copied().collect();
        let mut account = Self {
            ends,
            sent: sent.len(),
            arrived: arrived.len(),
            missing: Vec::new(),
            duplicated: Vec::new(),
            reordered: Vec::new(),
            altered: Vec::new(),
            unsent: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        for (number, media) in arrived {
            let overtaken = seen.last().is_some_and(|latest| number < latest);
            if !left.contains(number) {
                account.unsent.push(*number);
            } else if !seen.insert(*number) {
                account.duplicated.push(*number);
            } else if overtaken {
                account.reordered.push(*number);
            }
            if recording.frame(*number).as_ref() != Some(media) {
                account.altered.push(*number);
            }
        }
        account.missing = left.difference(&seen).copied().collect();
        account
    }

    /// Each kind of loss with the words that end the sentence "frame 5 (0.100 s) ...".
    pub(super) fn findings(&self) -> [(&[FrameNumber], String); 5] {
        let HopEnds { from, to } = self.ends;
        [
            (&self.missing, format!("left {from} but never reached {to}")),
            (
                &self.duplicated,
                format!("reached {to} more than once though it left {from} once"),
            ),
            (
                &self.reordered,
                format!("reached {to} after frames that left {from} later"),
            ),
            (
                &self.altered,
                format!("reached {to} with other content than it has in the recording"),
            ),
            (&self.unsent, format!("reached {to} but never left {from}")),
        ]
    }
}
