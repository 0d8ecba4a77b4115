//! The committed vectors of the template dialect, and a case that is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use conformance::expressions;

#[test]
fn every_committed_expression_vector_passes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/expressions.jsonl");
    let report = expressions::check(&[file]).expect("readable vectors");
    assert!(report.failed.is_empty(), "{:#?}", report.failed);
    assert_eq!(report.passed, 3247);
}

#[test]
fn a_wrong_result_and_a_wrong_kind_are_failures() {
    let vars = r#"{"inputs":{},"packet":{"n":1},"steps":{}}"#;
    let lines = [
        format!(
            r#"{{"id":"a","mode":"runtime","expr":"{{{{ packet.n }}}}","vars":{vars},"result":2}}"#
        ),
        format!(
            r#"{{"id":"b","mode":"if","expr":"{{{{ packet.n }}}}","vars":{vars},"error":{{"kind":"scope","text":""}}}}"#
        ),
        format!(r#"{{"id":"c","mode":"with","expr":"x","vars":{vars},"result":"x"}}"#),
    ];
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wrong-expressions.jsonl");
    fs::write(&file, lines.join("\n")).expect("a writable temporary folder");
    let report = expressions::check(&[file]).expect("readable lines");
    let failed: Vec<&str> = report.failed.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((report.passed, failed), (1, vec!["a", "b"]));
}
