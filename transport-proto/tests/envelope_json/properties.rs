//! Any envelope, any bytes.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use transport_proto::envelope_json::Member::{Inputs, Payload};
use transport_proto::envelope_json::{MalformedJson, member, replace};

use super::{agrees, found};

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
