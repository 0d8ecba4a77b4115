//! The demo as a whole, against a hub that makes no mistake and against one that makes one.

mod relay;

use super::*;
use relay::{Fault, FaultKind, Running};
use std::path::Path;

/// A frame in the middle of the first segment, and one in the silence before it.
const VOICED: u32 = 60;
const QUIET: u32 = 3;

/// Plays as quickly as possible over `hub`, and gives the books.
fn demo(hub: SocketAddr, drop_frame: Option<u32>, folder: &Path) -> Report {
    let args = args(drop_frame, folder);
    let recording = Arc::new(Recording::bundled().unwrap());
    let stage = Stage {
        bindings: &Host::elsewhere(hub).unwrap().bindings,
        recording: &recording,
        progress: &Arc::new(Progress::new()),
        pace: Pace::Window,
        lose: drop_frame.map(FrameNumber),
        file: &args.out,
    };
    report(&args, stage, (&play(stage), None))
}

fn args(drop_frame: Option<u32>, folder: &Path) -> DemoArgs {
    DemoArgs {
        fast: true,
        output: Output::Json,
        out: folder.join("new/demo.wav"),
        drop_frame,
        hub: None,
    }
}

fn with_fault(to: &'static str, frame: u32, kind: FaultKind) -> Report {
    let relay = Running::start(Some(Fault { to, frame, kind }));
    let folder = tempfile::tempdir().unwrap();
    demo(relay.address, None, folder.path())
}

fn without_fault(drop_frame: Option<u32>) -> Report {
    let relay = Running::start(None);
    let folder = tempfile::tempdir().unwrap();
    demo(relay.address, drop_frame, folder.path())
}

#[track_caller]
fn assert_finds(report: &Report, what: &str) {
    assert!(!report.pass);
    let found = report.findings.iter().any(|finding| finding == what);
    assert!(found, "{what:?} is not in {:#?}", report.findings);
}

#[test]
fn a_demo_in_which_nothing_is_lost_passes() {
    let report = without_fault(None);
    assert!(report.pass, "{:#?}", report.findings);
    assert!(report.findings.is_empty());
    let account = &report.account;
    assert_eq!(account.sent, 909);
    assert_eq!(account.voiced + account.quiet, 909);
    assert_eq!(account.recorded, account.voiced);
}

#[test]
fn a_dropped_voiced_frame_is_named_and_is_missing_in_the_file() {
    let report = without_fault(Some(VOICED));
    assert_finds(
        &report,
        "frame 60 (1.200 s) left source but never reached vad",
    );
    let samples = report.account.voiced * 320;
    let file = &report.account.wav;
    assert!(
        matches!(file, account::WavAccount::Differs { samples: s, .. } if *s == samples),
        "{file:?}"
    );
}

#[test]
fn a_dropped_quiet_frame_is_named_though_the_file_is_as_it_should_be() {
    let report = without_fault(Some(QUIET));
    assert_finds(
        &report,
        "frame 3 (0.060 s) left source but never reached vad",
    );
    assert_eq!(report.findings.len(), 1);
    assert!(matches!(
        report.account.wav,
        account::WavAccount::Equal { .. }
    ));
}

#[test]
fn the_last_frame_is_missed_too() {
    let report = without_fault(Some(908));
    assert_finds(
        &report,
        "frame 908 (18.160 s) left source but never reached vad",
    );
}

#[test]
fn a_frame_that_the_hub_loses_on_the_second_hop_is_named() {
    let report = with_fault("recorder", VOICED, FaultKind::Lose);
    assert_finds(
        &report,
        "frame 60 (1.200 s) left vad but never reached recorder",
    );
}

#[test]
fn a_frame_that_comes_twice_is_named() {
    let report = with_fault("vad", QUIET, FaultKind::Duplicate);
    assert_finds(
        &report,
        "frame 3 (0.060 s) reached vad more than once though it left source once",
    );
}

#[test]
fn a_frame_that_is_overtaken_is_named() {
    let report = with_fault("vad", QUIET, FaultKind::Overtake);
    assert_finds(
        &report,
        "frame 3 (0.060 s) reached vad after frames that left source later",
    );
}

#[test]
fn one_flipped_bit_is_noticed_even_in_silence() {
    let report = with_fault("vad", QUIET, FaultKind::Alter);
    assert_finds(
        &report,
        "frame 3 (0.060 s) reached vad with other content than it has in the recording",
    );
}

#[test]
fn one_flipped_bit_in_speech_makes_the_file_differ() {
    let report = with_fault("recorder", VOICED, FaultKind::Alter);
    let first_at = match &report.account.wav {
        account::WavAccount::Differs { first_at, .. } => *first_at,
        other => panic!("{other:?}"),
    };
    // Segment 1 begins with frame 30; byte 100 of frame 60 belongs to its sample 50.
    assert_eq!(first_at, (60 - 30) * 320 + 50);
}

#[test]
fn a_stream_that_ends_too_early_is_told_with_its_step() {
    let report = with_fault("recorder", VOICED, FaultKind::HangUp);
    assert_finds(&report, "recorder: lost the hub: it ended the connection");
}

#[test]
fn nobody_listening_is_told() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let folder = tempfile::tempdir().unwrap();
    let report = demo(address, None, folder.path());
    assert!(!report.pass);
    let finding = &report.findings[0];
    assert!(
        finding.contains(": lost the hub: Unavailable: "),
        "{finding}"
    );
}

#[test]
fn a_summary_says_what_is_wrong_and_ends_with_the_verdict() {
    let report = without_fault(Some(QUIET));
    let text = Summary {
        report: &report,
        colour: false,
    }
    .to_string();
    assert!(text.contains("frame 3 (0.060 s) left source"), "{text}");
    assert!(text.lines().last().unwrap().starts_with("FAIL"), "{text}");
}

#[test]
fn the_json_has_the_verdict_and_the_books() {
    let json = serde_json::to_value(without_fault(None)).unwrap();
    assert_eq!(json["pass"], true);
    assert_eq!(json["sent"], 909);
    assert_eq!(json["hops"][0]["from"], "source");
    assert_eq!(json["hops"][1]["missing"], serde_json::json!([]));
    assert_eq!(json["wav"]["result"], "equal");
    assert_eq!(json["segments"].as_array().unwrap().len(), 7);
}
