//! The committed vectors, and what the runner makes of files that are wrong.

use std::fs;
use std::path::{Path, PathBuf};

use conformance::{FileError, Report, packets};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/packets.jsonl")
}

/// A file of its own under the build's temporary folder.
fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("a writable temporary folder");
    path
}

fn check(name: &str, text: &str) -> Result<Report, FileError> {
    packets::check(&[file(name, text)])
}

#[test]
fn every_committed_packet_vector_passes() {
    let report = packets::check(&[vectors()]).expect("readable vectors");
    assert!(report.failed.is_empty(), "{:#?}", report.failed);
    assert_eq!(report.passed, 586);
}

#[test]
fn a_wrong_verdict_is_a_failure() {
    let text = r#"{"id":"x","message":"DataPacket","hex":"2a00","valid":true,"violations":[],"decoded":{"audio":{}}}"#;
    let report = check("wrong-verdict.jsonl", text).expect("a readable line");
    assert_eq!((report.passed, report.failed.len()), (0, 1));
    let (id, differences) = &report.failed[0];
    assert_eq!(id, "x");
    assert!(
        differences
            .iter()
            .any(|line| line.contains("audio.channels"))
    );
    assert!(
        differences
            .iter()
            .any(|line| line.contains("the view says"))
    );
}

#[test]
fn a_wrong_summary_is_a_failure() {
    let lines = [
        r#"{"id":"value","message":"DataPacket","hex":"0a060a016b120176","valid":true,"violations":[],"decoded":{"metadata":{"k":"w"}}}"#,
        r#"{"id":"missing","message":"DataPacket","hex":"0a060a016b120176","valid":true,"violations":[],"decoded":{}}"#,
        r#"{"id":"extra","message":"DataPacket","hex":"","valid":true,"violations":[],"decoded":{"payload":{}}}"#,
        r#"{"id":"unknown","message":"DataPacket","hex":"4802","valid":true,"violations":[],"decoded":{"_unknown":"4803"}}"#,
        r#"{"id":"struct","message":"DataPacket","hex":"12090a070a016b12022001","valid":true,"violations":[],"decoded":{"payload":{"k":false}}}"#,
        r#"{"id":"depth","message":"DataPacket","hex":"12090a070a016b12022001","valid":true,"violations":[],"decoded":{"payload":{"k":{"_depth":1}}}}"#,
    ];
    let report = check("wrong-summary.jsonl", &lines.join("\n")).expect("readable lines");
    let failed: Vec<&str> = report.failed.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(
        failed,
        ["value", "missing", "extra", "unknown", "struct", "depth"]
    );
}

#[test]
fn a_wrong_class_of_fault_is_a_failure() {
    let text = r#"{"id":"x","message":"DataPacket","hex":"0a060a016b1201ff","valid":false,"error":"malformed","violations":[]}"#;
    let report = check("wrong-fault.jsonl", text).expect("a readable line");
    assert_eq!(report.failed.len(), 1);
}

#[test]
fn a_line_that_is_no_vector_is_an_error_with_its_place() {
    let good =
        r#"{"id":"x","message":"DataPacket","hex":"","valid":true,"violations":[],"decoded":{}}"#;
    for (name, bad) in [
        ("no-json.jsonl", "{".to_owned()),
        ("no-bytes.jsonl", good.replace(r#""hex":"","#, "")),
        ("no-message.jsonl", good.replace("DataPacket", "Nothing")),
    ] {
        let error = check(name, &format!("{good}\n{bad}\n")).expect_err("an unreadable line");
        assert!(matches!(error, FileError::Line { line: 2, .. }), "{error}");
    }
}

#[test]
fn a_file_that_is_missing_or_empty_is_an_error() {
    let missing = packets::check(&[PathBuf::from("no/such/file.jsonl")]);
    assert!(matches!(missing, Err(FileError::Read { .. })));
    let empty = check("empty.jsonl", "\n");
    assert!(matches!(empty, Err(FileError::Empty { .. })));
}
