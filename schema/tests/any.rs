//! Any schema and any value: nothing panics, and applying twice adds nothing.

use proptest::prelude::*;
use schema::Schema;
use serde_json::{Value, json};

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "0"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3i32..9).prop_map(Value::from),
        "[a-c{} ]{0,5}".prop_map(Value::from),
        Just(json!("{{ a }}")),
        Just(json!({ "$bubuSecretRef": "s" })),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn types() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["object", "array", "string", "integer", "null"]).prop_map(Value::from)
}

fn target() -> impl Strategy<Value = Value> {
    let targets = vec![
        "#",
        "#/$defs/a",
        "#/$defs/b",
        "#/properties/a",
        "#/items",
        "#/none",
    ];
    prop::sample::select(targets).prop_map(Value::from)
}

/// Schemas that often compile and sometimes do not.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => types().prop_map(|name| json!({ "type": name })),
        1 => Just(json!(true)),
        1 => Just(json!(false)),
        1 => (-2i32..5).prop_map(|limit| json!({ "minimum": limit, "exclusiveMinimum": true })),
        3 => (value(), any::<bool>()).prop_map(|(value, required)| json!({ "default": value, "required": required })),
        1 => value().prop_map(|value| json!({ "const": value })),
        2 => target().prop_map(|target| json!({ "$ref": target })),
        1 => value(),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..3);
        let map = prop::collection::btree_map(name(), inner.clone(), 0..4);
        (
            inner,
            list,
            map,
            prop::sample::subsequence(WORDS.to_vec(), 1..4),
            prop::option::of(value()),
        )
            .prop_map(|(one, list, map, words, default)| {
                let mut out = serde_json::Map::new();
                for word in words {
                    let held = match word {
                        "properties" | "$defs" | "dependentSchemas" => json!(map),
                        "allOf" | "anyOf" | "oneOf" | "prefixItems" => json!(list),
                        _ => one.clone(),
                    };
                    out.insert(word.to_owned(), held);
                }
                out.extend(default.map(|default| ("default".to_owned(), default)));
                Value::Object(out)
            })
    })
}

const WORDS: [&str; 13] = [
    "properties",
    "properties",
    "$defs",
    "dependentSchemas",
    "allOf",
    "anyOf",
    "oneOf",
    "prefixItems",
    "items",
    "additionalProperties",
    "not",
    "if",
    "contains",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn applying_twice_is_applying_once(schema in schema(), value in value()) {
        let Ok(schema) = Schema::compile(&schema) else {
            return Ok(());
        };
        let mut once = value.clone();
        let first = schema.apply(&mut once);
        let mut twice = once.clone();
        let second = schema.apply(&mut twice);
        prop_assert_eq!(&once, &twice, "nothing is added again");
        match first {
            Ok(changed) => {
                prop_assert_eq!(changed, once != value);
                prop_assert_eq!(second, Ok(false));
            }
            Err(violation) => prop_assert_eq!(second, Err(violation)),
        }
    }

    #[test]
    fn what_is_refused_says_where_and_why(schema in schema()) {
        if let Err(error) = Schema::compile(&schema) {
            let text = error.to_string();
            prop_assert!(!text.is_empty() && !text.contains('\n'), "{}", text);
            prop_assert!(error.pointer().is_empty() || error.pointer().starts_with('/'));
        }
    }

    #[test]
    fn without_references_and_templates_gates_change_no_verdict(schema in schema(), value in value()) {
        let text = value.to_string();
        let plain = !text.contains("$bubu") && !text.contains("{{");
        let older = schema.to_string();
        if !plain || older.contains("required") || older.contains("exclusive") {
            return Ok(());
        }
        if let (Ok(ours), Ok(theirs)) = (Schema::compile(&schema), jsonschema::validator_for(&schema)) {
            prop_assert_eq!(ours.validate(&value).is_ok(), theirs.is_valid(&value));
        }
    }
}
