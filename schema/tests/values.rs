//! Values against schemas: what passes, and what is said of what does not.

use schema::Schema;
use serde_json::{Value, json};

fn compiled(schema: &Value) -> Schema {
    match Schema::compile(schema) {
        Ok(compiled) => compiled,
        Err(error) => panic!("{schema}: {error}"),
    }
}

/// The violation as text; empty if the value passes.
fn said(schema: &Value, value: &Value) -> String {
    let verdict = compiled(schema).apply(&mut value.clone());
    verdict
        .err()
        .map(|violation| violation.to_string())
        .unwrap_or_default()
}

/// The schemas of `openai-chat` in `voice-assistant.yaml`.
fn chat_input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "prompt": { "type": "string" },
            "temperature": { "type": "number", "default": 0.7 },
        },
        "required": ["prompt"],
    })
}

#[test]
fn the_voice_assistants_input_gets_its_temperature() {
    let mut value = json!({ "prompt": "hi", "who": "u1" });
    assert_eq!(compiled(&chat_input()).apply(&mut value), Ok(true));
    assert_eq!(
        value,
        json!({ "prompt": "hi", "who": "u1", "temperature": 0.7 })
    );
    assert_eq!(compiled(&chat_input()).apply(&mut value), Ok(false));
}

#[test]
fn what_is_missing_or_of_another_type_is_told_with_its_place() {
    assert_eq!(
        said(&chat_input(), &json!({})),
        r#""prompt" is a required property"#
    );
    assert_eq!(
        said(&chat_input(), &json!({ "prompt": 1.0 })),
        r#"prompt: the value is not of type "string""#
    );
    let nested = json!({ "properties": { "users": { "items": { "properties": { "first name": { "type": "string" } } } } } });
    assert_eq!(
        said(&nested, &json!({ "users": [{}, { "first name": [] }] })),
        r#"users[1]["first name"]: the value is not of type "string""#
    );
}

#[test]
fn verdicts_are_those_of_the_standard() {
    let table = [
        (json!(true), json!(1), true),
        (json!(false), json!(1), false),
        (json!({}), json!(null), true),
        (json!({ "type": "integer" }), json!(1.0), true),
        (json!({ "type": "integer" }), json!(1.5), false),
        (json!({ "type": ["string", "null"] }), json!(null), true),
        (json!({ "enum": ["en", "de"] }), json!("fr"), false),
        (json!({ "const": { "a": 1 } }), json!({ "a": 1.0 }), true),
        (json!({ "maxLength": 2 }), json!("äö"), true),
        (json!({ "pattern": "^\\d+$" }), json!("12"), true),
        (json!({ "pattern": "^\\d+$" }), json!("1a"), false),
        (
            json!({ "format": "date-time" }),
            json!("2026-01-01T00:00:00Z"),
            true,
        ),
        (json!({ "format": "date-time" }), json!("yesterday"), false),
        (json!({ "format": "phone" }), json!("anything"), true),
        (json!({ "format": "regex" }), json!("(("), true),
        (
            json!({ "additionalProperties": false, "properties": { "a": {} } }),
            json!({ "b": 1 }),
            false,
        ),
        (
            json!({ "oneOf": [{ "type": "number" }, { "minimum": 2 }] }),
            json!(3),
            false,
        ),
        (json!({ "not": { "type": "string" } }), json!("a"), false),
        (
            json!({ "if": { "required": ["a"] }, "then": { "required": ["b"] } }),
            json!({ "a": 1 }),
            false,
        ),
        (
            json!({ "propertyNames": { "maxLength": 1 } }),
            json!({ "ab": 1 }),
            false,
        ),
        (
            json!({ "contains": { "type": "string" } }),
            json!([1, 2]),
            false,
        ),
        (
            json!({ "prefixItems": [{ "type": "string" }], "items": false }),
            json!(["a", 1]),
            false,
        ),
        (
            json!({ "allOf": [{ "properties": { "a": {} } }], "unevaluatedProperties": false }),
            json!({ "a": 1 }),
            true,
        ),
        (
            json!({ "allOf": [{ "properties": { "a": {} } }], "unevaluatedProperties": false }),
            json!({ "b": 1 }),
            false,
        ),
        (
            json!({ "patternProperties": { "^x-": { "type": "string" } } }),
            json!({ "x-a": 1 }),
            false,
        ),
        (json!({ "uniqueItems": true }), json!([1, 1.0]), false),
    ];
    for (schema, value, passes) in table {
        let said = said(&schema, &value);
        assert_eq!(said.is_empty(), passes, "{schema} {value}: {said}");
    }
}

#[test]
fn older_spellings_mean_what_they_meant() {
    let table = [
        (
            json!({ "minimum": 5, "exclusiveMinimum": true }),
            json!(5),
            false,
        ),
        (
            json!({ "minimum": 5, "exclusiveMinimum": false }),
            json!(5),
            true,
        ),
        (
            json!({ "maximum": 5, "exclusiveMaximum": true }),
            json!(5),
            false,
        ),
        (
            json!({ "items": [{ "type": "string" }], "additionalItems": false }),
            json!(["a", 1]),
            false,
        ),
        (
            json!({ "items": [{ "type": "string" }] }),
            json!(["a", 1]),
            true,
        ),
        (
            json!({ "dependencies": { "a": ["b"] } }),
            json!({ "a": 1 }),
            false,
        ),
        (
            json!({ "dependencies": { "a": { "required": ["b"] } } }),
            json!({ "a": 1 }),
            false,
        ),
        (
            json!({ "definitions": { "s": { "type": "string" } }, "items": { "$ref": "#/definitions/s" } }),
            json!([1]),
            false,
        ),
        (
            json!({ "$schema": "http://json-schema.org/draft-07/schema#", "const": 1 }),
            json!(2),
            false,
        ),
        (
            json!({ "$schema": "http://json-schema.org/draft-04/schema#", "id": "x", "type": "integer" }),
            json!(1.0),
            true,
        ),
        (
            json!({ "$recursiveAnchor": true, "properties": { "n": { "$recursiveRef": "#" } }, "required": ["v"] }),
            json!({ "v": 1, "n": {} }),
            false,
        ),
    ];
    for (schema, value, passes) in table {
        let said = said(&schema, &value);
        assert_eq!(said.is_empty(), passes, "{schema} {value}: {said}");
    }
}

#[test]
fn a_boolean_required_counts_for_the_object_around_it() {
    let schema = json!({
        "required": true,
        "properties": {
            "a": { "type": "string", "required": true },
            "b": { "required": false },
            "c": { "properties": { "d": { "required": true } } },
            "required": { "type": "boolean" },
        },
        "$defs": { "unused": { "required": true } },
    });
    assert_eq!(
        said(&schema, &json!({ "required": true })),
        r#""a" is a required property"#
    );
    assert_eq!(said(&schema, &json!({ "a": "x" })), "");
    assert_eq!(
        said(&schema, &json!({ "a": "x", "c": {} })),
        r#"c: "d" is a required property"#
    );
}

#[test]
fn a_boolean_required_adds_to_the_list_that_is_there() {
    let schema = json!({ "required": ["a", "b"], "properties": { "b": { "required": true }, "c": { "required": true } } });
    assert_eq!(
        said(&schema, &json!({ "a": 1, "b": 1 })),
        r#""c" is a required property"#
    );
    assert_eq!(
        said(&schema, &json!({ "b": 1, "c": 1 })),
        r#""a" is a required property"#
    );
}

#[test]
fn a_reference_or_a_whole_template_stands_for_any_value() {
    let schema = json!({
        "type": "object",
        "properties": {
            "n": { "type": "integer", "maximum": 3 },
            "list": { "type": "array", "items": { "type": "integer" } },
            "one": { "oneOf": [{ "type": "integer" }, { "type": "boolean" }] },
            "to": { "$ref": "#/$defs/number" },
        },
        "$defs": { "number": { "type": "number" } },
    });
    let stands = [
        json!({ "$bubuStorageRef": "s3/a" }),
        json!({ "$bubuConfigMapRef": { "name": "a" }, "key": 1 }),
        json!({ "$bubuSecretRef": "a" }),
        json!("{{ inputs.n }}"),
        json!(" {{ index inputs \"}}\" }} "),
    ];
    for value in stands {
        assert_eq!(said(&schema, &value), "", "{value}");
        let inside = json!({ "n": value, "list": [1, value], "one": value, "to": value });
        assert_eq!(said(&schema, &inside), "", "{value}");
        assert_eq!(said(&schema, &json!({ "list": value })), "", "{value}");
    }
    for value in [
        json!({ "$ref": 1 }),
        json!("a {{ b }}"),
        json!("{{ a }}{{ b }}"),
    ] {
        assert_ne!(said(&schema, &json!({ "n": value })), "", "{value}");
    }
}

#[test]
fn what_is_not_allowed_stays_so_below_not() {
    let schema = json!({ "properties": { "a": { "not": { "properties": { "b": { "type": "string" } } } } } });
    // A reference is no string: `not` accepts it.
    assert_eq!(
        said(&schema, &json!({ "a": { "b": { "$bubuSecretRef": "x" } } })),
        ""
    );
    assert_ne!(said(&schema, &json!({ "a": { "b": "x" } })), "");
}

#[test]
fn references_find_their_schemas_wherever_they_stand() {
    let text = json!({ "type": "string" });
    let schemas = [
        json!({ "$defs": { "a b/ü~%": text }, "items": { "$ref": "#/$defs/a%20b~1%C3%BC~0%25" } }),
        json!({ "$defs": { "t": { "$anchor": "text", "type": "string" } }, "items": { "$ref": "#text" } }),
        json!({ "$defs": { "t": { "$dynamicAnchor": "text", "type": "string" } }, "items": { "$dynamicRef": "#text" } }),
        json!({ "$id": "https://me/x.json", "$defs": { "t": text }, "items": { "$ref": "https://me/x.json#/$defs/t" } }),
        json!({ "components": { "schemas": { "T": text, "U": { "$ref": "#/components/schemas/T" } } }, "items": { "$ref": "#/components/schemas/U" } }),
        json!({ "prefixItems": [{ "properties": { "a": text } }], "items": { "$ref": "#/prefixItems/0/properties/a" } }),
        json!({ "items": { "$ref": "#/$defs/t", "minLength": 1 }, "$defs": { "t": text } }),
    ];
    for schema in schemas {
        assert_eq!(
            said(&schema, &json!([{}, "a"])).is_empty(),
            schema.get("prefixItems").is_some()
        );
        assert_eq!(said(&schema, &json!(["a", "b"])), "", "{schema}");
        assert_eq!(
            said(&schema, &json!(["a", 1])),
            r#"[1]: the value is not of type "string""#,
            "{schema}"
        );
        assert_eq!(said(&schema, &json!(["a", "{{ x }}"])), "", "{schema}");
    }
}

#[test]
fn a_tree_is_checked_all_the_way_down() {
    let schema = json!({ "properties": { "value": { "type": "integer" }, "children": { "type": "array", "items": { "$ref": "#" } } } });
    let tree = json!({ "value": 1, "children": [{ "value": 2, "children": [{ "value": "x" }] }] });
    assert_eq!(
        said(&schema, &tree),
        r#"children[0].children[0].value: the value is not of type "integer""#
    );
}

#[test]
fn of_alternatives_the_one_that_fits_best_is_told() {
    let schema = json!({ "anyOf": [
        { "type": "string" },
        { "type": "object", "properties": { "user": { "properties": { "age": { "type": "integer" } } } } },
    ]});
    assert_eq!(
        said(&schema, &json!({ "user": { "age": "old" } })),
        r#"user.age: the value is not of type "integer""#
    );
    assert!(said(&schema, &json!(1)).contains("anyOf"));
}

#[test]
fn a_violation_is_one_short_line_whatever_the_value() {
    let long = "x\ny".repeat(100_000);
    let schemas = [
        (json!({ "type": "integer" }), json!(long)),
        (
            json!({ "additionalProperties": false }),
            json!({ (long.as_str()): 1 }),
        ),
        (
            json!({ "additionalProperties": { "type": "integer" } }),
            json!({ (long.as_str()): "a" }),
        ),
        (json!({ "enum": ["y".repeat(10_000)] }), json!(long)),
        (json!({ "uniqueItems": true }), json!([long, long])),
        (
            json!({ "propertyNames": { "maxLength": 3 } }),
            json!({ (long.as_str()): 1 }),
        ),
    ];
    for (schema, value) in schemas {
        let said = said(&schema, &value);
        assert!(!said.is_empty() && said.len() <= 500, "{}", said.len());
        assert!(!said.contains('\n'), "{said}");
    }
}

#[test]
fn a_key_of_digits_is_no_index() {
    let schema =
        json!({ "additionalProperties": { "additionalProperties": { "type": "integer" } } });
    assert_eq!(
        said(&schema, &json!({ "0": { "1": "x" } })),
        r#"0.1: the value is not of type "integer""#
    );
}
