use super::*;
use proptest::prelude::*;
use serde::de::IgnoredAny;

fn text_of(json: &str) -> Option<String> {
    Value::parse(json.as_bytes()).ok()?.text()
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":}",
        "{\"a\":1,}",
        "01",
        "1.",
        "-",
        "1e",
        "nul",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "{} x",
        "[1}",
        "{'a':1}",
        "\"a",
        "[",
        ",",
        "NaN",
        "+1",
        ".5",
    ] {
        assert!(Value::parse(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn a_text_nested_to_the_limit_is_read_and_one_more_is_not() {
    let nested = |depth| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert!(Value::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(Value::parse(&nested(MAX_DEPTH + 1)), Err(JsonError::Depth));
}

#[test]
fn members_come_as_they_were_written() {
    let value = Value::parse(br#" {"a" : [1, {"x":","}] ,"b\u0062": "}\"" , "a":null} "#);
    let members: Vec<(String, String)> = value
        .expect("an object")
        .members()
        .map(|(name, value)| (name, String::from_utf8_lossy(value.raw()).into_owned()))
        .collect();
    let expected = [
        ("a", r#"[1, {"x":","}]"#),
        ("bb", r#""}\"""#),
        ("a", "null"),
    ];
    assert_eq!(members, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
}

#[test]
fn surrogates_pair_and_lone_ones_are_replaced() {
    assert_eq!(text_of(r#""\ud83c\udfa7""#).as_deref(), Some("🎧"));
    assert_eq!(text_of(r#""\ud800x""#).as_deref(), Some("\u{fffd}x"));
    assert_eq!(text_of(r#""\udc00""#).as_deref(), Some("\u{fffd}"));
    assert_eq!(text_of(r#""\ud800\u0041""#).as_deref(), Some("\u{fffd}A"));
}

#[test]
fn bytes_that_are_no_utf8_are_replaced_one_by_one() {
    let value = Value::parse(b"\"a\xe2\x82b\"").expect("a string");
    assert_eq!(value.text().as_deref(), Some("a\u{fffd}\u{fffd}b"));
}

#[test]
fn a_compacted_text_keeps_what_stands_in_strings() {
    let mut out = Vec::new();
    compact(
        &mut out,
        "{ \"a b\\\" \" : [ 1 , \"<\u{2028}\\\\\" ] }".as_bytes(),
    );
    let expected = br#"{"a b\" ":[1,"\u003c\u2028\\"]}"#;
    assert_eq!(
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(expected)
    );
}

#[test]
fn an_object_survives_the_way_to_a_struct_and_back() {
    let text = r#"{"a":[1,2.5,null,true,{"b":"x"},[]],"c":{},"d":"","e":-0.5}"#;
    let body = to_struct(text.as_bytes()).expect("an object");
    let back = from_struct([&body[..]].into_iter()).expect("plain values");
    assert_eq!(String::from_utf8_lossy(&back), text);
}

#[test]
fn an_object_nested_to_the_limit_becomes_a_struct() {
    let text = [
        b"{\"a\":".to_vec(),
        vec![b'['; 9999],
        vec![b']'; 9999],
        b"}".to_vec(),
    ]
    .concat();
    let body = to_struct(&text).expect("an object");
    assert!(body.len() > 9999 * 2);
    assert_eq!(
        from_struct([&body[..]].into_iter()),
        Err(StructError::Depth)
    );
}

#[test]
fn occurrences_of_a_struct_merge() {
    let one = to_struct(br#"{"a":1,"b":2}"#).expect("an object");
    let two = to_struct(br#"{"b":3}"#).expect("an object");
    let back = from_struct([&one[..], &two[..]].into_iter()).expect("plain values");
    assert_eq!(back, br#"{"a":1,"b":3}"#);
}

/// Texts that are nearly JSON: its pieces in any order.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just(" "),
        Just("\n"),
        Just("\"a\""),
        Just("\"\\u00e9\""),
        Just("\"\\n\""),
        Just("\"\\x\""),
        Just("\""),
        Just("0"),
        Just("-1"),
        Just("1.5"),
        Just("1e9"),
        Just("01"),
        Just("."),
        Just("true"),
        Just("false"),
        Just("null"),
        Just("nul"),
        Just("é"),
        Just("\\"),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Any JSON value.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        // The library reads other fractions with an error of its own.
        any::<i32>().prop_map(|eighths| (f64::from(eighths) / 8.0).into()),
        ".*".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(".{0,4}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_text_is_json_exactly_where_a_library_says_so(text in nearly_json()) {
        let expected = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(Value::parse(text.as_bytes()).is_ok(), expected, "{}", text);
    }

    #[test]
    fn compacting_changes_no_value(value in json()) {
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        let mut compacted = Vec::new();
        compact(&mut compacted, pretty.as_bytes());
        let back: serde_json::Value = serde_json::from_slice(&compacted).expect("JSON");
        prop_assert_eq!(back, value);
        prop_assert!(!compacted.contains(&b'<'));
    }

    #[test]
    fn a_string_survives_the_way_out_and_in(text in ".*") {
        let mut out = Vec::new();
        put_text(&mut out, &text);
        let parsed = Value::parse(&out).expect("a string");
        prop_assert_eq!(parsed.text(), Some(text.clone()));
        prop_assert_eq!(serde_json::from_slice::<String>(&out).expect("a string"), text);
    }

    #[test]
    fn an_object_survives_the_way_to_a_struct_and_back_whatever_is_in_it(value in json()) {
        let text = serde_json::json!({ "value": value }).to_string();
        let body = to_struct(text.as_bytes()).expect("an object");
        let back = from_struct([&body[..]].into_iter()).expect("plain values");
        let numbers_as_doubles = |text: &[u8]| {
            let body = to_struct(text).expect("an object");
            <prost_types::Struct as prost::Message>::decode(&body[..]).expect("a Struct")
        };
        prop_assert_eq!(numbers_as_doubles(&back), numbers_as_doubles(text.as_bytes()));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = Value::parse(&bytes) {
            let _ = (value.text(), value.number(), value.members().count(), value.items().count());
        }
        let _ = to_struct(&bytes);
        let _ = from_struct([&bytes[..]].into_iter());
    }
}
