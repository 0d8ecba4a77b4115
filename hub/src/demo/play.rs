//! Lets the three engrams play their parts, each over a connection of its own.
//!
//! Owns their order, the deadline, and the words for what stopped them. Whatever happens, what the
//! engrams wrote down is kept.

use super::link::{Link, LinkError, QUIET_AFTER};
use super::progress::{Hop, Progress};
use super::recorder::{self, Recorder, RecorderError};
use super::recording::{FrameNumber, Recording};
use super::source::{self, Pace, Source};
use super::vad::{self, Vad};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// What a demo may take beyond the length of its recording.
const GRACE: Duration = Duration::from_secs(30);

/// What is to be played, and to whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage<'a> {
    pub(super) hub: SocketAddr,
    pub(super) recording: &'a Recording,
    pub(super) progress: &'a Progress,
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
    #[error("{step}: {error}")]
    Engram {
        step: &'static str,
        error: RecorderError,
    },
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
    let mut played = Played::default();
    let began = stage.progress.elapsed();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    played.stopped = match runtime {
        Ok(runtime) => runtime.block_on(perform(stage, &mut played)).err(),
        Err(error) => Some(Stopped::Runtime(error)),
    };
    played.elapsed = stage.progress.elapsed().saturating_sub(began);
    played
}

async fn perform(stage: Stage<'_>, played: &mut Played) -> Result<(), Stopped> {
    let Stage {
        recording,
        progress,
        ..
    } = stage;
    let refuse = |error| {
        let path = stage.file.display().to_string();
        Stopped::File { path, error }
    };
    let recorder = Recorder::create(stage.file, recording.format, progress);
    let mut cast = Cast {
        source: Source {
            recording,
            progress,
            pace: stage.pace,
            lose: stage.lose,
            journal: source::Journal::default(),
        },
        vad: Vad::new(progress),
        recorder: recorder.map_err(refuse)?,
    };
    let limit = recording.duration() + GRACE;
    let result = tokio::select! {
        result = timeout(limit, cast.perform(stage.hub)) => {
            result.unwrap_or(Err(Stopped::Deadline(limit)))
        }
        Ok(()) = tokio::signal::ctrl_c() => Err(Stopped::Interrupted),
    };
    played.source = cast.source.journal;
    played.vad = cast.vad.journal;
    played.recorder = cast.recorder.journal;
    result.map_err(|stopped| name_quiet_hop(stopped, progress))
}

/// The three engrams.
struct Cast<'a> {
    source: Source<'a>,
    vad: Vad<'a>,
    recorder: Recorder<'a>,
}

impl Cast<'_> {
    /// Registers them, the last one first, and runs them at the same time. Their links are closed
    /// together: what the source has sent is on its way until the recorder has it.
    async fn perform(&mut self, hub: SocketAddr) -> Result<(), Stopped> {
        let recorder = &mut open(hub, "recorder").await?;
        let vad = &mut open(hub, "vad").await?;
        let source = &mut open(hub, "source").await?;
        tokio::try_join!(
            async { stopped("source", self.source.run(source).await) },
            async { stopped("vad", self.vad.run(vad).await) },
            async { stopped("recorder", self.recorder.run(recorder).await) },
        )?;
        Ok(())
    }
}

async fn open(hub: SocketAddr, step: &'static str) -> Result<Link, Stopped> {
    stopped(step, Link::open(hub, step).await)
}

fn stopped<T, E: Into<RecorderError>>(
    step: &'static str,
    result: Result<T, E>,
) -> Result<T, Stopped> {
    result.map_err(|error| {
        let error = error.into();
        Stopped::Engram { step, error }
    })
}

/// An engram that hears nothing may be the victim of a hop further up: names the hop on which most
/// is under way, or else the one that leads to the engram.
fn name_quiet_hop(stopped: Stopped, progress: &Progress) -> Stopped {
    let Stopped::Engram {
        step,
        error: RecorderError::Link(LinkError::Quiet),
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
    use transport_proto::v1::AudioFrame;

    fn quiet(step: &'static str, progress: &Progress) -> String {
        let error = LinkError::Quiet.into();
        name_quiet_hop(Stopped::Engram { step, error }, progress).to_string()
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
