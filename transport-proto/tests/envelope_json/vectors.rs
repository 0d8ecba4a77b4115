//! Envelopes as the incumbent's SDK writes and reads them.

use serde::de::IgnoredAny;
use serde_json::Value;
use transport_proto::envelope_json::replace;

use super::{agrees, found};

fn vectors() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../conformance/vectors/envelopes.jsonl"
    );
    let lines = std::fs::read_to_string(path).expect("the vectors are in the repository");
    let lines = lines.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("lines of JSON")
}

/// The envelope of a vector, where it is written out as text.
fn text(vector: &Value) -> Option<&str> {
    vector.get("envelope_text")?.as_str()
}

#[test]
fn envelopes_of_the_sdk_take_every_change() {
    let mut spliced = 0;
    let vectors = vectors();
    for text in vectors.iter().filter_map(text) {
        let scanned = replace(text.as_bytes(), &[]).is_ok();
        let meant =
            serde_json::from_str::<IgnoredAny>(text).is_ok() && text.trim_start().starts_with('{');
        assert_eq!(scanned, meant, "{text}");
        if scanned {
            agrees(text, Some("{\"new\":true}"), None);
            agrees(text, None, Some("[1]"));
            agrees(text, Some("null"), Some("2"));
            agrees(text, None, None);
            spliced += 1;
        }
    }
    assert!(spliced > 50, "{spliced}");
}

#[test]
fn what_the_sdk_reads_is_what_is_found() {
    let mut compared = 0;
    for vector in vectors() {
        // The one frame whose media type is that of no envelope.
        let other = vector["id"] == r#"decode/mime/"application/vnd.bubu.packet+json+json""#;
        let (Some(text), Some(read), false) = (text(&vector), vector.get("result"), other) else {
            continue;
        };
        for name in ["payload", "inputs"] {
            let Some(ours) = found(text, name) else {
                continue;
            };
            let theirs = read.get(name).and_then(Value::as_str);
            assert_eq!(Some(ours), theirs, "{name} of {text}");
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn what_the_sdk_cannot_read_as_an_envelope_is_refused() {
    let mut refused = 0;
    for vector in vectors() {
        let (Some(text), Some(error)) = (text(&vector), vector["error"].as_str()) else {
            continue;
        };
        let no_json = error.contains("invalid character");
        let no_object = error.contains("into Go value of type envelope.Envelope");
        assert_eq!(
            replace(text.as_bytes(), &[]).is_err(),
            no_json || no_object,
            "{text}"
        );
        refused += usize::from(no_json || no_object);
    }
    assert!(refused > 8, "{refused}");
}
