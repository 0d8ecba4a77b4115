//! The JSON envelope spliced, with `serde_json` as the judge of what was meant.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use transport_proto::envelope_json::{MAX_DEPTH, MalformedJson, Member, member, replace};

use Member::{Inputs, Payload};

fn replaced(json: &str, changes: &[(Member, Option<&[u8]>)]) -> String {
    match replace(json.as_bytes(), changes) {
        Ok(bytes) => String::from_utf8(bytes).expect("text stays text"),
        Err(error) => panic!("{json}: {error}"),
    }
}

fn found<'j>(json: &'j str, name: &str) -> Option<&'j str> {
    member(json.as_bytes(), name).map(|range| &json[range])
}

#[test]
fn a_value_is_found_without_the_spaces_around_it() {
    let json = r#" { "kind" : "data" , "payload" : { "a" : [1, "}"] } , "x":1 } "#;
    assert_eq!(found(json, "payload"), Some(r#"{ "a" : [1, "}"] }"#));
    assert_eq!(found(json, "x"), Some("1"));
    assert_eq!(found(json, "a"), None);
    assert_eq!(found(json, "inputs"), None);
}

#[test]
fn the_last_of_several_counts_however_its_name_is_written() {
    assert_eq!(found(r#"{"payload":1,"payload":2}"#, "payload"), Some("2"));
    assert_eq!(found(r#"{"payload":1,"PAYLOAD":3}"#, "payload"), Some("3"));
    assert_eq!(found(r#"{"pay\u006coad":null}"#, "payload"), Some("null"));
}

#[test]
fn nothing_is_found_in_what_is_no_object() {
    for json in [
        "",
        "null",
        "[]",
        r#"{"payload":1"#,
        r#"{"payload":1}}"#,
        r#"{"payload":1} x"#,
        "\u{FEFF}{}",
    ] {
        assert_eq!(found(json, "payload"), None, "{json}");
    }
}

#[test]
fn only_the_value_changes() {
    let json = "{ \"v\":1.0e2 ,\n\"payload\" :  { } , \"b\" : \"\\u00e4\", \"b\":2 }\n";
    assert_eq!(
        replaced(json, &[(Payload, Some(b"[7]"))]),
        "{ \"v\":1.0e2 ,\n\"payload\" :  [7] , \"b\" : \"\\u00e4\", \"b\":2 }\n"
    );
    assert_eq!(replaced(json, &[]), json);
    assert_eq!(replaced(json, &[(Inputs, None)]), json);
}

#[test]
fn what_is_not_there_is_put_at_the_end() {
    let both: &[(Member, Option<&[u8]>)] = &[(Inputs, Some(b"{}")), (Payload, Some(b"1"))];
    assert_eq!(replaced("{}", both), r#"{"payload":1,"inputs":{}}"#);
    assert_eq!(replaced("{ }", both), r#"{"payload":1,"inputs":{} }"#);
    assert_eq!(
        replaced(r#"{"a":0 }"#, both),
        r#"{"a":0,"payload":1,"inputs":{} }"#
    );
    assert_eq!(
        replaced(r#"{"inputs":0}"#, both),
        r#"{"inputs":{},"payload":1}"#
    );
}

#[test]
fn what_is_taken_out_leaves_no_comma() {
    let out: &[(Member, Option<&[u8]>)] = &[(Payload, None)];
    let table = [
        (r#"{"payload":1}"#, "{}"),
        (r#"{ "payload" : 1 }"#, "{  }"),
        (r#"{"payload":1, "a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2 , "payload":1 }"#, r#"{"a":2  }"#),
        (r#"{"a":1,"payload":2,"b":3}"#, r#"{"a":1,"b":3}"#),
        (
            r#"{"payload":1,"PAYLOAD":2,"b":3,"payload":4}"#,
            r#"{"b":3}"#,
        ),
    ];
    for (json, expected) in table {
        assert_eq!(replaced(json, out), expected);
    }
    let other: &[(Member, Option<&[u8]>)] = &[(Payload, None), (Inputs, Some(b"9"))];
    assert_eq!(replaced(r#"{"payload":1}"#, other), r#"{"inputs":9}"#);
    assert_eq!(
        replaced(r#"{"payload":1,"inputs":2}"#, other),
        r#"{"inputs":9}"#
    );
    assert_eq!(
        replaced(r#"{"inputs":2,"payload":1}"#, other),
        r#"{"inputs":9}"#
    );
    assert_eq!(
        replaced(r#"{"a":1,"payload":1}"#, other),
        r#"{"a":1,"inputs":9}"#
    );
}

#[test]
fn a_member_that_stood_there_twice_stands_there_once() {
    let set: &[(Member, Option<&[u8]>)] = &[(Payload, Some(b"0"))];
    assert_eq!(
        replaced(
            r#"{"payload":1,"a":2,"Payload":3,"b":4,"pay\u006Coad":5}"#,
            set
        ),
        r#"{"a":2,"b":4,"pay\u006Coad":0}"#
    );
    // Written at each place, a value of 64 KiB would become many GiB.
    let many = format!("{{{}\"a\":1}}", r#""payload":1,"#.repeat(100_000));
    let value = format!("\"{}\"", "x".repeat(64 << 10));
    let bytes = replace(many.as_bytes(), &[(Payload, Some(value.as_bytes()))]);
    assert!(bytes.expect("an object").len() < 2 * value.len());
}

#[test]
fn of_two_changes_to_a_member_the_last_counts() {
    let twice: &[(Member, Option<&[u8]>)] = &[(Payload, None), (Payload, Some(b"2"))];
    assert_eq!(replaced(r#"{"payload":1}"#, twice), r#"{"payload":2}"#);
}

#[test]
fn text_that_is_no_utf8_stays_as_it_is() {
    let json = b"{\"a\xFF\":\"\xC3\",\"payload\":1}";
    let bytes = replace(json, &[(Payload, Some(b"2"))]).expect("JSON for a Go decoder");
    assert_eq!(bytes, b"{\"a\xFF\":\"\xC3\",\"payload\":2}");
}

#[test]
fn a_new_value_that_is_no_json_is_refused() {
    for value in [&b""[..], b"{", b"1 2", b"nul", b"\"", b"1}"] {
        let changes = [(Inputs, Some(value))];
        assert_eq!(
            replace(b"{}", &changes),
            Err(MalformedJson::Value { member: Inputs })
        );
    }
}

#[test]
fn errors_name_the_byte() {
    assert_eq!(
        replace(br#"{"a":1,}"#, &[]),
        Err(MalformedJson::Syntax { offset: 7 })
    );
    assert_eq!(replace(b"", &[]), Err(MalformedJson::Syntax { offset: 0 }));
    assert_eq!(replace(b"[1]", &[]), Err(MalformedJson::NoObject));
    assert_eq!(
        replace(b"[1", &[]),
        Err(MalformedJson::Syntax { offset: 2 })
    );
}

#[test]
fn depth_is_bounded_and_takes_no_stack() {
    let deep = |depth: usize| {
        let open = "[{\"a\":".repeat(depth / 2);
        format!("{{\"payload\":{open}1{}}}", "}]".repeat(depth / 2))
    };
    let json = deep(MAX_DEPTH - 2);
    assert!(replace(json.as_bytes(), &[(Payload, None)]).is_ok());
    for depth in [MAX_DEPTH, 3_000_000] {
        let error = replace(deep(depth).as_bytes(), &[(Payload, None)]);
        assert!(
            matches!(error, Err(MalformedJson::Depth { .. })),
            "{error:?}"
        );
    }
    let open = "[".repeat(5_000_000);
    assert!(matches!(
        replace(open.as_bytes(), &[]),
        Err(MalformedJson::Depth { .. })
    ));
}

/// Envelopes as the incumbent's SDK writes and reads them.
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

/// The meaning of an envelope: its members, of which those that the hub writes go by any name that
/// their readers take for them.
fn meaning(text: &str) -> Option<Map<String, Value>> {
    let map: Map<String, Value> = serde_json::from_str(text).ok()?;
    Some(
        map.into_iter()
            .filter(|(name, _)| !is_written(name))
            .collect(),
    )
}

fn is_written(name: &str) -> bool {
    ["payload", "inputs"].contains(&name.to_lowercase().replace('ſ', "s").as_str())
}

/// What is left out of `text` is left out, what is set is set, the rest means what it meant.
fn agrees(text: &str, payload: Option<&str>, inputs: Option<&str>) {
    let changes = [
        (Payload, payload.map(str::as_bytes)),
        (Inputs, inputs.map(str::as_bytes)),
    ];
    let after = replaced(text, &changes);
    let Some(before) = meaning(text) else {
        // Lone surrogates and the like: JSON for a Go decoder, not for ours.
        return;
    };
    assert_eq!(meaning(&after), Some(before), "{text} -> {after}");
    assert_eq!(found(&after, "payload"), payload, "{text} -> {after}");
    assert_eq!(found(&after, "inputs"), inputs, "{text} -> {after}");
    let map: Map<String, Value> = serde_json::from_str(&after).expect("it is JSON");
    let written = map.keys().filter(|name| is_written(name)).count();
    let expected = usize::from(payload.is_some()) + usize::from(inputs.is_some());
    assert_eq!(written, expected, "one of each: {text} -> {after}");
    assert_eq!(replaced(&after, &changes), after, "nothing changes twice");
}

fn spaces() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", " ", "\n\t", " \r "])
}

fn any_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "payload",
        "inputs",
        "PayLoad",
        r"pay\u006coad",
        r"INPUT\u017f",
        "inputſ",
        "kind",
        "version",
        "a",
        "",
        r"\\payload",
        "päyload",
    ])
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f32>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,4}|[\"\\\\/{}\\[\\],: \n]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"\\\\]{0,3}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

/// Envelopes as nobody would write them.
fn any_envelope() -> impl Strategy<Value = String> {
    let value = (any_value(), any::<bool>()).prop_map(|(value, pretty)| {
        if pretty {
            format!("{value:#}")
        } else {
            value.to_string()
        }
    });
    let part = (any_name(), value, prop::collection::vec(spaces(), 4));
    let part = part
        .prop_map(|(name, value, s)| format!("{}\"{name}\"{}:{}{value}{}", s[0], s[1], s[2], s[3]));
    (
        prop::collection::vec(part, 0..6),
        spaces(),
        spaces(),
        spaces(),
    )
        .prop_map(|(parts, a, b, c)| {
            format!(
                "{a}{{{}{}}}{c}",
                parts.join(","),
                if parts.is_empty() { b } else { "" }
            )
        })
}

/// What is nearly JSON: bytes put in, taken out, put elsewhere.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::sample::select(br#"{}[]":,\ue+-.0127atrlsn "#.to_vec());
    let change = (
        any::<prop::sample::Index>(),
        prop::option::of(bytes),
        any::<bool>(),
    );
    (any_envelope(), prop::collection::vec(change, 0..3)).prop_map(|(text, changes)| {
        let mut out = text.into_bytes();
        for (place, byte, over) in changes {
            let at = place.index(out.len() + 1);
            if over && at < out.len() {
                out.remove(at);
            }
            if let Some(byte) = byte {
                out.insert(at, byte);
            }
        }
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_envelope_takes_any_change(
        text in any_envelope(),
        payload in prop::option::of(any_value()),
        inputs in prop::option::of(any_value()),
    ) {
        let [payload, inputs] = [payload, inputs].map(|value| value.map(|value| value.to_string()));
        agrees(&text, payload.as_deref(), inputs.as_deref());
    }

    #[test]
    fn a_value_found_is_the_one_that_counts(text in any_envelope(), name in prop::sample::select(vec!["kind", "version", "a"])) {
        let map: Map<String, Value> = serde_json::from_str(&text).expect("made to be JSON");
        let found = found(&text, name).map(|value| serde_json::from_str(value).expect("one value"));
        prop_assert_eq!(found.as_ref(), map.get(name));
    }

    #[test]
    fn what_is_json_is_told_as_serde_json_tells_it(bytes in nearly_json()) {
        let object = bytes.trim_ascii_start().starts_with(b"{");
        let truth = serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
        match replace(&bytes, &[]) {
            Ok(same) => {
                prop_assert!(truth && object, "{:?}", bytes);
                prop_assert_eq!(same, bytes);
            }
            Err(MalformedJson::NoObject) => prop_assert!(truth && !object),
            Err(_) => prop_assert!(!truth, "{:?}", String::from_utf8_lossy(&bytes)),
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = member(&bytes, "payload");
        let _ = replace(&bytes, &[(Payload, Some(b"1")), (Inputs, None)]);
    }
}
