//! `hub demo`: speech from a file through three engrams and the hub, and proof that nothing of it
//! was lost (spec 9).
//!
//! | file | what |
//! | --- | --- |
//! | `source`, `vad`, `recorder` | the engrams: read these to see how one is written |
//! | `part`, `packet`, `cue` | what they have in common, what they say to each other, when they begin |
//! | `cast` | their connections to the hub, by the SDK |
//! | `recording`, `labels` | what is played and what has to come out |
//! | `play`, `host` | lets them play, with a hub |
//! | `progress`, `view`, `hub_side` | what is shown meanwhile |
//! | `account`, `hop`, `report`, `summary` | the books, the verdict, the words |
//!
//! The engrams share counters for the view and the moment to begin, and nothing else: every frame
//! crosses loopback sockets and the hub, and the verdict comes from what each of them saw.

mod account;
mod cast;
mod cue;
mod hop;
mod host;
mod hub_side;
mod labels;
mod packet;
mod part;
mod play;
mod progress;
mod recorder;
mod recording;
mod report;
mod source;
mod summary;
#[cfg(test)]
mod tests;
mod vad;
mod view;

use crate::cli::{EXIT_FAILED, EXIT_OK, EXIT_USAGE};
use account::{Account, Evidence};
use host::Host;
use hub_side::HubSide;
use play::{Played, Stage, play};
use progress::Progress;
use recording::{FrameNumber, Recording};
use report::Report;
use source::Pace;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use summary::Summary;

/// How the summary is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Human,
    /// One JSON object on standard output.
    Json,
}

/// The command line of `hub demo`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  hub demo --fast --out speech.wav")]
pub struct DemoArgs {
    /// As quickly as possible instead of in real time (about 18 s)
    #[arg(long)]
    pub fast: bool,
    /// How the summary is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Output,
    /// Where to write the speech that was found
    #[arg(long, value_name = "FILE", default_value = "out/demo.wav")]
    pub out: PathBuf,
    /// Lose this frame on its way to the hub: the demo must notice
    #[arg(long, value_name = "N", hide = true)]
    pub drop_frame: Option<u32>,
    /// Use a hub that already runs and serves the demo's Story
    #[arg(long, value_name = "ADDR", hide = true)]
    pub hub: Option<SocketAddr>,
}

/// Runs the demo and prints its summary on standard output. The exit code is 0 if every frame is
/// accounted for and the written file is bit for bit what it should be, 1 if not, 2 for a frame
/// to drop that the recording does not have.
pub fn run(args: &DemoArgs) -> u8 {
    let recording = match Recording::bundled() {
        Ok(recording) => Arc::new(recording),
        Err(error) => return complain(EXIT_FAILED, &error),
    };
    let frames = recording.frame_count();
    if let Some(lost) = args.drop_frame.filter(|lost| *lost >= frames) {
        let text = format!(
            "--drop-frame {lost}: the recording's frames are 0 to {}",
            frames - 1
        );
        return complain(EXIT_USAGE, &text);
    }
    let host = match args.hub.map_or_else(Host::start, Host::elsewhere) {
        Ok(host) => host,
        Err(error) => return complain(EXIT_FAILED, &error),
    };
    let report = perform(args, &recording, &host);
    host.end();
    match print(args, &report) {
        Ok(()) if report.pass => EXIT_OK,
        Ok(()) => EXIT_FAILED,
        Err(error) => complain(EXIT_FAILED, &error),
    }
}

/// Plays while the view is shown, then does the books.
fn perform(args: &DemoArgs, recording: &Arc<Recording>, host: &Host) -> Report {
    let progress = Arc::new(Progress::new());
    let stage = Stage {
        bindings: &host.bindings,
        recording,
        progress: &progress,
        pace: if args.fast {
            Pace::Window
        } else {
            Pace::RealTime
        },
        lose: args.drop_frame.map(FrameNumber),
        file: &args.out,
    };
    let subject = view::Subject {
        recording,
        progress: &progress,
        admin: host.admin,
        human: args.output == Output::Human,
    };
    let played = std::thread::scope(|scope| {
        let (playing, over) = mpsc::channel::<()>();
        let player = scope.spawn(move || {
            let _playing = playing;
            play(stage)
        });
        view::watch(subject, &over);
        player.join()
    });
    // A panic in the player is a defect of the demo: show it as it is.
    let played = played.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let hub = host.admin.and_then(HubSide::ask);
    report(args, stage, (&played, hub))
}

fn report(args: &DemoArgs, stage: Stage<'_>, (played, hub): (&Played, Option<HubSide>)) -> Report {
    let file = std::fs::read(stage.file);
    let account = Account::of(
        stage.recording,
        Evidence {
            source: &played.source,
            vad: &played.vad,
            recorder: &played.recorder,
            file: file.map(Into::into).map_err(|error| error.to_string()),
        },
    );
    let mut findings: Vec<String> = played.stopped.iter().map(ToString::to_string).collect();
    findings.extend(report::findings(&account));
    let Progress {
        to_vad,
        to_recorder,
        ..
    } = &**stage.progress;
    Report {
        pass: findings.is_empty(),
        findings,
        fast: args.fast,
        elapsed_seconds: played.elapsed.as_secs_f64(),
        recording_seconds: stage.recording.duration().as_secs_f64(),
        file: args.out.clone(),
        account,
        latency: [to_vad, to_recorder].map(|hop| hop.state().into()),
        hub_dropped: hub.map(|hub| hub.dropped),
    }
}

fn print(args: &DemoArgs, report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match args.output {
        Output::Human => {
            let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let colour = out.is_terminal() && !no_colour;
            write!(out, "{}", Summary { report, colour })?;
        }
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, report)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

fn complain(code: u8, error: &dyn std::fmt::Display) -> u8 {
    let _ = writeln!(io::stderr(), "error: {error}");
    code
}
