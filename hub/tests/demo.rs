//! `hub demo` as a user runs it: the real binary, a real hub, real sockets.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn demo(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hub"))
        .args(["demo", "--fast", "--out"])
        .arg(folder.join("speech.wav"))
        .args(arguments)
        .output()
        .expect("the binary under test runs")
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("standard output is one JSON object")
}

#[test]
fn a_demo_passes_with_every_frame_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path(), &["--output", "json"]);
    let report = report(&output);
    assert_eq!(report["findings"], serde_json::json!([]));
    assert_eq!(report["hubDropped"], serde_json::json!([]));
    assert_eq!(output.status.code(), Some(0));
    let file = std::fs::metadata(folder.path().join("speech.wav")).unwrap();
    let samples = report["wav"]["samples"].as_u64().unwrap();
    assert_eq!(file.len(), 44 + 2 * samples);
}

#[test]
fn a_dropped_voiced_frame_fails_the_demo_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path(), &["--drop-frame", "123"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.contains("frame 123 (2.460 s) left source but never reached vad"),
        "{text}"
    );
}

#[test]
fn a_dropped_quiet_frame_fails_the_demo_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path(), &["--drop-frame", "3", "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let named = "frame 3 (0.060 s) left source but never reached vad";
    assert_eq!(report(&output)["findings"], serde_json::json!([named]));
}

#[test]
fn a_frame_that_the_recording_does_not_have_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path(), &["--drop-frame", "909"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("0 to 908"), "{text}");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("speech.wav")).unwrap();
    let output = demo(folder.path(), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.contains("speech.wav") && text.contains("--out"),
        "{text}"
    );
}
