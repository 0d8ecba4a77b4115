//! Lets the three engrams play their parts, each over a connection of its own.
//!
//! Owns their order, the deadline, and the words for what stopped them. Whatever happens, what the
//! engrams wrote down is kept.

use super::cast::{self, Cut};
use super::cue::Cue;
use super::host::Bindings;
use super::part::{Fault, Notes, QUIET_AFTER};
use super::progress::{Hop, Progress};
use super::recorder::{self, Recorded, Recorder};
use super::recording::{FrameNumber, Recording};
use super::source::{self, Pace, Source};
use super::vad::{self, Vad};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What a demo may take beyond the length of its recording.
const GRACE: Duration = Duration::from_secs(30);

/// What is to be played, and to whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage<'a> {
    /// Where the engrams find the hub.
    pub(super) bindings: &'a Bindings,
    pub(super) recording: &'a Arc<Recording>,
    pub(super) progress: &'a Arc<Progress>,
    pub(super) pace: Pace,
    pub(super) lose: Option<FrameNumber>,
    /// The WAV file to write.
    pub(super) file: &'a Path,
}

/// What the engrams wrote down, and what ended the play before its time.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) source: source::Journal,
    pub(super) vad: vad::Journal,
    pub(super) recorder: recorder::Journal,
    pub(super) stopped: Option<Stopped>,
    pub(super) elapsed: Duration,
}

/// Why a play did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    #[error("{step}: {cut}")]
    Engram { step: &'static str, cut: Cut },
    #[error("{0}")]
    Quiet(String),
    #[error("not at its end after {} s", .0.as_secs())]
    Deadline(Duration),
    #[error("interrupted")]
    Interrupted,
    #[error("cannot write {path}: {error}; choose another place with --out FILE")]
    File { path: String, error: io::Error },
    #[error("cannot start a runtime: {0}")]
    Runtime(io::Error),
}

/// Plays to the end, on the thread that calls.
pub(super) fn play(stage: Stage<'_>) -> Played {
    let notebooks = Notebooks::default();
    let began = stage.progress.elapsed();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let stopped = match runtime {
        Ok(runtime) => runtime.block_on(perform(stage, &notebooks)).err(),
        Err(error) => Some(Stopped::Runtime(error)),
    };
    Played {
        source: notebooks.source.take(),
        vad: notebooks.vad.take(),
        recorder: notebooks.recorder.take(),
        stopped,
        elapsed: stage.progress.elapsed().saturating_sub(began),
    }
}

/// Where the engrams write down what happens to them.
#[derive(Default)]
struct Notebooks {
    source: Notes<source::Journal>,
    vad: Notes<vad::Journal>,
    recorder: Notes<recorder::Journal>,
}

async fn perform(stage: Stage<'_>, notebooks: &Notebooks) -> Result<(), Stopped> {
    let progress = stage.progress;
    let refuse = |error| {
        let path = stage.file.display().to_string();
        Stopped::File { path, error }
    };
    let cue = Cue::new();
    let source = Source {
        recording: stage.recording.clone(),
        progress: progress.clone(),
        cue: cue.clone(),
        pace: stage.pace,
        lose: stage.lose,
        journal: notebooks.source.clone(),
    };
    let vad = Vad::new(progress.clone(), cue.clone(), notebooks.vad.clone());
    let recorder = Recorder {
        progress: progress.clone(),
        cue,
        journal: notebooks.recorder.clone(),
        file: Recorded::create(stage.file, stage.recording.format).map_err(refuse)?,
    };
    let bindings = stage.bindings;
    let plays = async {
        tokio::try_join!(
            async { stopped("recorder", cast::run(bindings, "recorder", recorder).await) },
            async { stopped("vad", cast::run(bindings, "vad", vad).await) },
            async { stopped("source", cast::run(bindings, "source", source).await) },
        )
    };
    let limit = stage.recording.duration() + GRACE;
    let result = tokio::select! {
        played = timeout(limit, plays) => {
            played.unwrap_or(Err(Stopped::Deadline(limit))).map(|_| ())
        }
        Ok(()) = tokio::signal::ctrl_c() => Err(Stopped::Interrupted),
    };
    result.map_err(|stopped| name_quiet_hop(stopped, progress))
}

fn stopped(step: &'static str, result: Result<(), Cut>) -> Result<(), Stopped> {
    result.map_err(|cut| Stopped::Engram { step, cut })
}

/// An engram that hears nothing may be the victim of a hop further up: names the hop on which most
/// is under way, or else the one that leads to the engram.
fn name_quiet_hop(stopped: Stopped, progress: &Progress) -> Stopped {
    let Stopped::Engram {
        step,
        cut: Cut::Engram(Fault::Quiet),
    } = stopped
    else {
        return stopped;
    };
    let (first, second) = (&progress.to_vad, &progress.to_recorder);
    let (waiting_first, waiting_second) = (first.under_way(), second.under_way());
    let first_is_to_blame = match waiting_first.cmp(&waiting_second) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => step == "vad",
    };
    let (name, hop): (_, &Hop) = if first_is_to_blame {
        ("source -> vad", first)
    } else {
        ("vad -> recorder", second)
    };
    let last = hop
        .last_arrived()
        .map_or("nothing ever arrived".to_owned(), |frame| {
            format!("{frame} was the last to arrive")
        });
    let seconds = QUIET_AFTER.as_secs();
    Stopped::Quiet(format!(
        "{name} went quiet: no packet for {seconds} s; {last}, {} sent since",
        hop.under_way()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::packet::Audio;
    use engram::AudioFrame;

    fn quiet(step: &'static str, progress: &Progress) -> String {
        let cut = Cut::Engram(Fault::Quiet);
        name_quiet_hop(Stopped::Engram { step, cut }, progress).to_string()
    }

    fn arrive(progress: &Progress, hop: &Hop, number: u32) {
        let audio = Audio {
            number: FrameNumber(number),
            segment: None,
            sent: progress.now(),
            media: AudioFrame::default(),
        };
        progress.arrived(hop, &audio);
    }

    #[test]
    fn the_hop_that_holds_frames_back_is_the_quiet_one_whoever_notices() {
        let progress = Progress::new();
        for number in 0..=40 {
            progress.to_vad.left(FrameNumber(number));
        }
        arrive(&progress, &progress.to_vad, 10);
        let said = quiet("recorder", &progress);
        assert_eq!(
            said,
            "source -> vad went quiet: no packet for 10 s; \
             frame 10 (0.200 s) was the last to arrive, 30 sent since"
        );
    }

    #[test]
    fn with_nothing_under_way_the_hop_before_the_waiting_engram_is_the_quiet_one() {
        let progress = Progress::new();
        assert!(quiet("vad", &progress).starts_with("source -> vad went quiet"));
        let said = quiet("recorder", &progress);
        assert!(said.starts_with("vad -> recorder went quiet"), "{said}");
        assert!(said.contains("nothing ever arrived"), "{said}");
    }
}
