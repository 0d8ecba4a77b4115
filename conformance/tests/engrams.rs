//! The committed vectors about engrams, and that a wrong line is found.

use std::fs;
use std::path::{Path, PathBuf};

use conformance::{FileError, Report, envelopes, sdk_misc, validate};

fn vectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(name)
}

/// A file of its own under the build's temporary folder.
fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("a writable temporary folder");
    path
}

fn all_pass(report: Result<Report, FileError>, lines: usize) {
    let report = report.expect("readable vectors");
    assert!(report.failed.is_empty(), "{:#?}", report.failed);
    assert_eq!(report.passed, lines);
}

#[test]
fn every_committed_envelope_vector_passes() {
    all_pass(envelopes::check(&[vectors("envelopes.jsonl")]), 209);
}

#[test]
fn every_committed_validate_vector_passes() {
    all_pass(validate::check(&[vectors("validate.jsonl")]), 175);
}

#[test]
fn every_committed_sdk_misc_vector_passes() {
    all_pass(sdk_misc::check(&[vectors("sdk-misc.jsonl")]), 309);
}

/// Ids of the lines that fail.
fn failed(report: Result<Report, FileError>) -> Vec<String> {
    let report = report.expect("readable lines");
    report.failed.into_iter().map(|(id, _)| id).collect()
}

#[test]
fn a_wrong_message_is_a_failure() {
    let lines = [
        r#"{"id":"right","op":"decode","hex":"1a0f0a0178120a746578742f706c61696e","ok":true,"result":{"binary":{"mime_type":"text/plain","payload":"x","timestamp_ns":0},"payload":"x"}}"#,
        r#"{"id":"payload","op":"decode","hex":"1a0f0a0178120a746578742f706c61696e","ok":true,"result":{"binary":{"mime_type":"text/plain","payload":"x","timestamp_ns":0},"payload":"y"}}"#,
        r#"{"id":"drop","op":"decode","hex":"","ok":true,"drop":"noop"}"#,
        r#"{"id":"key","op":"decode","hex":"","ok":true,"drop":"frameless","dedupe_key":"msg|m"}"#,
        r#"{"id":"error","op":"decode","hex":"","ok":false,"error":"no"}"#,
        r#"{"id":"bytes","op":"encode","ok":true,"message":{"kind":"data"},"data_request":{"binary":{"mime_type":"application/vnd.bubu.packet+json","payload":"7b2276657273696f6e223a227631222c226b696e64223a2264617461227d"},"metadata":{"bubu.envelope.kind":"data"}},"encoded_bytes":97,"envelope_text":"{\"version\":\"v1\",\"kind\":\"data\"}"}"#,
        r#"{"id":"request","op":"encode","ok":true,"message":{"kind":"data"},"data_request":{},"encoded_bytes":96,"envelope_text":"{\"version\":\"v1\",\"kind\":\"data\"}"}"#,
    ];
    let file = file("wrong-envelopes.jsonl", &lines.join("\n"));
    let expected = ["payload", "drop", "key", "error", "bytes", "request"];
    assert_eq!(failed(envelopes::check(&[file])), expected);
}

#[test]
fn a_wrong_verdict_about_a_message_is_a_failure() {
    let lines = [
        r#"{"id":"ok","message":{"kind":" x"},"ok":true}"#,
        r#"{"id":"text","message":{"kind":" x"},"ok":false,"error":"invalid stream message: no"}"#,
        r#"{"id":"send","message":{"metadata":{"k":"v"}},"ok":true,"testkit_error":"stream message missing payload, inputs, transports, or media"}"#,
        r#"{"id":"kit","message":{"kind":"data"},"ok":true}"#,
    ];
    let file = file("wrong-validate.jsonl", &lines.join("\n"));
    assert_eq!(
        failed(validate::check(&[file])),
        ["ok", "text", "send", "kit"]
    );
}

#[test]
fn a_wrong_answer_is_a_failure() {
    let lines = [
        r#"{"id":"out","topic":"duration","in":"1s","ok":true,"out":{"ns":1,"text":"1s"}}"#,
        r#"{"id":"error","topic":"duration","in":"1s","ok":false,"error":"time: no"}"#,
        r#"{"id":"name","topic":"stream_type","in":1,"ok":true,"out":{"known":true,"name":"x"}}"#,
        r#"{"id":"reply","topic":"control_reply","in":{"action":14},"ok":true,"out":{"reply":{},"type":"ack"}}"#,
    ];
    let file = file("wrong-misc.jsonl", &lines.join("\n"));
    assert_eq!(
        failed(sdk_misc::check(&[file])),
        ["out", "error", "name", "reply"]
    );
}

#[test]
fn a_line_of_no_topic_is_an_error() {
    let file = file(
        "no-topic.jsonl",
        r#"{"id":"x","topic":"no","in":1,"ok":true}"#,
    );
    let error = sdk_misc::check(&[file]).expect_err("no such topic");
    assert!(matches!(error, FileError::Line { line: 1, .. }), "{error}");
}
