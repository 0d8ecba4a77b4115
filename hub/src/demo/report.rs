//! What a demo tells at its end: the verdict, what it rests on, and what is wrong by name.
//!
//! Owns the verdict, its words and the JSON: a demo passes when nothing can be said against its
//! books ([`super::account`]).

use super::account::{Account, SegmentAccount, WavAccount};
use super::hub_side::Dropped;
use super::progress::HopState;
use super::recording::FrameNumber;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Findings of one kind that are written out.
const FINDINGS_SHOWN: usize = 10;

/// The end of a demo.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) pass: bool,
    /// What is wrong, in words; empty when it passes.
    pub(super) findings: Vec<String>,
    /// Whether it ran as quickly as possible rather than in real time.
    pub(super) fast: bool,
    pub(super) elapsed_seconds: f64,
    pub(super) recording_seconds: f64,
    /// The written WAV file.
    pub(super) file: PathBuf,
    #[serde(flatten)]
    pub(super) account: Account,
    /// In the order of the hops.
    pub(super) latency: [Latency; 2],
    /// What the hub says it dropped, if it could be asked.
    pub(super) hub_dropped: Option<Vec<Dropped>>,
}

/// From the call that sends to the call that receives, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Latency {
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    pub(super) max_us: u64,
}

impl From<HopState> for Latency {
    fn from(hop: HopState) -> Self {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self {
            p50_us: micros(hop.p50),
            p99_us: micros(hop.p99),
            max_us: micros(hop.max),
        }
    }
}

/// Everything that is wrong with an account, one sentence each; none if every frame is accounted
/// for and everything is bit for bit as it should be.
pub(super) fn findings(account: &Account) -> Vec<String> {
    let mut out = Vec::new();
    if account.sent != account.recording {
        let (sent, all) = (account.sent, account.recording);
        out.push(format!("source sent {sent} of {all} frames"));
    }
    for hop in &account.hops {
        for (frames, what) in hop.findings() {
            name(&mut out, frames, &what);
        }
    }
    let undecided = "reached vad and came out neither as voiced nor as quiet";
    name(&mut out, &account.undecided, undecided);
    let (at_vad, decided) = (account.at_vad, account.voiced + account.quiet);
    if at_vad != decided && account.undecided.is_empty() {
        out.push(format!("vad decided {decided} times about {at_vad} frames"));
    }
    if account.forwarded != account.voiced {
        let (forwarded, voiced) = (account.forwarded, account.voiced);
        out.push(format!(
            "vad forwarded {forwarded} of {voiced} voiced frames"
        ));
    }
    out.extend(account.segments.iter().filter_map(segment_finding));
    out.extend(wav_finding(&account.wav));
    out
}

fn name(out: &mut Vec<String>, frames: &[FrameNumber], what: &str) {
    let shown = frames.iter().take(FINDINGS_SHOWN);
    out.extend(shown.map(|frame| format!("{frame} {what}")));
    match frames.len().saturating_sub(FINDINGS_SHOWN) {
        0 => {}
        more => out.push(format!("and {more} more frames {what}")),
    }
}

fn segment_finding(segment: &SegmentAccount) -> Option<String> {
    let number = segment.segment;
    match (&segment.labelled, &segment.found) {
        (labelled, found) if labelled == found => None,
        (Some(labelled), None) => Some(format!(
            "segment {number} (samples {labelled:?}) was not found"
        )),
        (None, Some(found)) => Some(format!(
            "segment {number} (samples {found:?}) was found where nothing is labelled"
        )),
        (labelled, found) => {
            let [labelled, found] = [labelled, found].map(|r| r.clone().unwrap_or_default());
            Some(format!(
                "segment {number} is labelled as samples {labelled:?} and was found as {found:?}"
            ))
        }
    }
}

fn wav_finding(wav: &WavAccount) -> Option<String> {
    match wav {
        WavAccount::Equal { .. } => None,
        WavAccount::Differs {
            expected_samples,
            samples,
            first_at,
        } => Some(format!(
            "the written WAV is not the labelled segments: {samples} samples where \
             {expected_samples} are expected, different from sample {first_at} on"
        )),
        WavAccount::Unreadable { reason } => {
            Some(format!("the written WAV cannot be read: {reason}"))
        }
    }
}
