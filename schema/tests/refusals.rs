//! Schemas that are refused, with the place and the reason.

use schema::{Problem, Schema, SchemaError};
use serde_json::{Value, json};

fn refusal(schema: &Value) -> SchemaError {
    match Schema::compile(schema) {
        Ok(_) => panic!("{schema} is taken"),
        Err(error) => error,
    }
}

#[test]
fn garbage_is_refused_with_its_place() {
    let table = [
        (json!(1), "", ""),
        (json!([]), "", ""),
        (json!({ "type": "text" }), "/type", "type"),
        (
            json!({ "properties": { "a": { "type": 1 } } }),
            "/properties/a/type",
            "properties.a.type",
        ),
        (json!({ "properties": [] }), "/properties", "properties"),
        (
            json!({ "properties": { "a/b": 1 } }),
            "/properties/a~1b",
            "properties.a/b",
        ),
        (json!({ "required": "a" }), "/required", "required"),
        (
            json!({ "required": "a", "properties": { "b": { "required": true } } }),
            "/required",
            "required",
        ),
        (json!({ "minLength": -1 }), "/minLength", "minLength"),
        (json!({ "allOf": [] }), "/allOf", "allOf"),
        (
            json!({ "items": { "pattern": "(" } }),
            "/items/pattern",
            "items.pattern",
        ),
        (json!({ "pattern": "(?=a)b" }), "/pattern", "pattern"),
        (json!({ "pattern": "(a)\\1" }), "/pattern", "pattern"),
        (
            json!({ "pattern": "(a{1000}){1000}" }),
            "/pattern",
            "pattern",
        ),
        (
            json!({ "patternProperties": { "(": {} } }),
            "/patternProperties/(",
            "patternProperties.(",
        ),
        (json!({ "$ref": 1 }), "/$ref", "$ref"),
    ];
    for (schema, pointer, dotted) in table {
        let error = refusal(&schema);
        assert_eq!(
            (error.pointer(), error.dotted().as_str()),
            (pointer, dotted),
            "{schema}: {error}"
        );
        let text = error.to_string();
        assert!(text.len() > dotted.len() + 2 && text.len() < 500, "{text}");
        assert!(matches!(error.problem(), Problem::Invalid(_)), "{error:?}");
    }
}

#[test]
fn what_authors_get_wrong_most_is_told_in_plain_words() {
    let error = refusal(&json!({ "properties": { "a": { "type": "text" } } }));
    assert_eq!(
        error.to_string(),
        r#"properties.a.type: "text" is no type: array, boolean, integer, null, number, object, string are"#
    );
    for pattern in ["(", "(?=a)b", "(a)\\1", "(a{1000}){1000}"] {
        let error = refusal(&json!({ "pattern": pattern }));
        assert!(
            error
                .to_string()
                .starts_with("pattern: the pattern cannot be used"),
            "{error}"
        );
        let error = refusal(&json!({ "patternProperties": { pattern: {} } }));
        assert!(
            error.to_string().contains("the pattern cannot be used"),
            "{error}"
        );
    }
}

#[test]
fn a_reference_that_leaves_the_schema_is_refused() {
    for target in [
        "https://example.com/s.json",
        "other.json",
        "file:///etc/passwd",
        "other.json#/a",
        "https://me/x2#",
    ] {
        let schema = json!({ "$id": "https://me/x", "properties": { "a": { "$ref": target } } });
        let error = refusal(&schema);
        assert_eq!(error.problem(), &Problem::Remote(target.to_owned()));
        assert_eq!(error.dotted(), "properties.a.$ref");
        assert!(error.to_string().contains("nothing is fetched"), "{error}");
    }
}

#[test]
fn a_reference_to_nothing_is_refused() {
    for target in ["#/$defs/a", "#a", "#/%zz", "#/items/0/x"] {
        let error = refusal(&json!({ "$ref": target }));
        assert_eq!(error.problem(), &Problem::Dangling(target.to_owned()));
    }
    for target in [
        "#/default",
        "#/properties",
        "#/enum/0",
        "#/required",
        "#/x/0",
    ] {
        let error = refusal(&json!({
            "properties": { "a": { "$ref": target } }, "default": {}, "enum": [{}], "required": [], "x": [1],
        }));
        assert_eq!(error.problem(), &Problem::NoSchema(target.to_owned()));
    }
}

#[test]
fn data_that_looks_like_a_reference_is_none() {
    let schema = json!({
        "properties": { "$ref": { "type": "string" } },
        "default": { "$ref": "https://example.com" },
        "enum": [{ "$ref": "a" }],
    });
    assert!(Schema::compile(&schema).is_ok());
}

#[test]
fn other_documents_inside_are_refused() {
    let error = refusal(&json!({ "properties": { "a": { "$id": "b" } } }));
    assert_eq!(
        (error.problem(), error.dotted().as_str()),
        (&Problem::Identified, "properties.a")
    );
    let error = refusal(&json!({ "$schema": "http://json-schema.org/draft-03/schema#" }));
    assert!(matches!(error.problem(), Problem::Dialect(_)), "{error}");
    let error = refusal(&json!({ "$ref": "#", "$dynamicRef": "#" }));
    assert_eq!(error.problem(), &Problem::TwoReferences);
    let error = refusal(&json!({ "items": { "$anchor": "a" }, "not": { "$anchor": "a" } }));
    assert_eq!(error.problem(), &Problem::AnchoredTwice("a".to_owned()));
}

#[test]
fn what_would_never_end_is_refused() {
    let schemas = [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "anyOf": [{ "$ref": "#" }] }] }),
        json!({ "not": { "$ref": "#" } }),
        json!({ "if": { "$ref": "#/else" }, "else": { "$ref": "#/if" } }),
        json!({ "properties": { "a": { "$ref": "#/$defs/x" } }, "$defs": { "x": { "dependentSchemas": { "k": { "$ref": "#/$defs/x" } } } } }),
    ];
    for schema in schemas {
        assert_eq!(refusal(&schema).problem(), &Problem::Endless, "{schema}");
    }
}

#[test]
fn a_long_chain_is_refused_and_one_at_the_bound_is_taken() {
    let chain = |length: usize| {
        let links = (1..length).map(|n| {
            (
                format!("d{n}"),
                json!({ "$ref": format!("#/$defs/d{}", n + 1) }),
            )
        });
        let mut links: serde_json::Map<_, _> = links.collect();
        links.insert(format!("d{length}"), json!({ "type": "string" }));
        json!({ "properties": { "a": { "$ref": "#/$defs/d1" } }, "$defs": links })
    };
    let bound = schema::limits::CHAIN;
    assert!(Schema::compile(&chain(bound - 1)).is_ok());
    assert_eq!(refusal(&chain(bound)).problem(), &Problem::Chain);
    assert_eq!(refusal(&chain(3_000)).problem(), &Problem::Chain);
}

#[test]
fn size_and_depth_are_bounded() {
    let mut deep = json!({ "type": "string" });
    for _ in 0..10_000 {
        let mut around = json!({ "items": null });
        around["items"] = deep;
        deep = around;
    }
    assert_eq!(refusal(&deep).problem(), &Problem::TooDeep);
    // Taken apart from the outside: dropping it as it is recurses as deep.
    while let Some(inner) = deep.get_mut("items") {
        deep = inner.take();
    }
    let large = json!({ "description": "x".repeat(schema::limits::SCHEMA_BYTES) });
    assert_eq!(refusal(&large).problem(), &Problem::TooLarge);
    let wide = json!({ "enum": vec![0; schema::limits::SCHEMA_BYTES] });
    assert_eq!(refusal(&wide).problem(), &Problem::TooLarge);
    let pattern = json!({ "properties": { "a": { "pattern": "a".repeat(5_000) } } });
    assert_eq!(refusal(&pattern).dotted(), "properties.a.pattern");
    assert_eq!(refusal(&pattern).problem(), &Problem::LongPattern);
}

#[test]
fn defaults_that_bring_forth_themselves_are_refused() {
    for child in [
        json!({ "default": {}, "$ref": "#" }),
        json!({ "default": {}, "allOf": [{ "$ref": "#" }] }),
    ] {
        let error = refusal(&json!({ "properties": { "a": child, "b": child } }));
        assert!(matches!(error.problem(), Problem::Defaults(_)), "{error}");
    }
}
