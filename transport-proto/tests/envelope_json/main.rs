//! The JSON envelope spliced, with `serde_json` as the judge of what was meant: examples here,
//! envelopes of the SDK in `vectors`, anything at all in `properties`.

mod properties;
mod vectors;

use serde_json::{Map, Value};
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
