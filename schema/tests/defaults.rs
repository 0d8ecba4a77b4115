//! Where defaults apply and where not.

use schema::Schema;
use serde_json::{Value, json};

/// `value` with its defaults, whether it matches or not.
fn filled(schema: &Value, value: &Value) -> Value {
    let schema = Schema::compile(schema).expect("a schema that is taken");
    let mut filled = value.clone();
    let changed = schema.apply(&mut filled);
    if let Ok(changed) = changed {
        assert_eq!(changed, filled != *value);
    }
    filled
}

#[test]
fn only_what_is_missing_is_filled() {
    let schema = json!({ "properties": { "a": { "default": 1 }, "b": { "default": 2 }, "c": {} } });
    assert_eq!(
        filled(&schema, &json!({ "b": null })),
        json!({ "a": 1, "b": null })
    );
    assert_eq!(filled(&schema, &json!([])), json!([]));
    assert_eq!(filled(&json!({ "default": {} }), &json!(null)), json!(null));
}

#[test]
fn a_value_is_filled_without_being_judged() {
    let schema = json!({ "properties": { "a": { "default": 1 } }, "required": ["b"] });
    let schema = Schema::compile(&schema).expect("a schema that is taken");
    let mut value = json!({});
    assert_eq!(schema.fill(&mut value), Ok(true));
    assert_eq!(value, json!({ "a": 1 }));
    assert_eq!(schema.fill(&mut value), Ok(false));
    assert!(schema.validate(&value).is_err());
}

#[test]
fn objects_that_are_there_are_filled_and_none_is_made() {
    let inner = json!({ "properties": { "x": { "default": 1 } } });
    let schema = json!({ "properties": { "there": inner, "not": inner, "made": { "default": {}, "properties": { "x": { "default": 1 } } } } });
    assert_eq!(
        filled(&schema, &json!({ "there": {} })),
        json!({ "there": { "x": 1 }, "made": { "x": 1 } })
    );
}

#[test]
fn defaults_are_found_through_lists_maps_branches_and_references() {
    let inner = json!({ "properties": { "x": { "default": 1 } } });
    let table = [
        (
            json!({ "items": inner }),
            json!([{}, 1, {}]),
            json!([{ "x": 1 }, 1, { "x": 1 }]),
        ),
        (
            json!({ "prefixItems": [{}, inner] }),
            json!([{}, {}, {}]),
            json!([{}, { "x": 1 }, {}]),
        ),
        (
            json!({ "items": [inner], "additionalItems": inner }),
            json!([{}, {}]),
            json!([{ "x": 1 }, { "x": 1 }]),
        ),
        (
            json!({ "additionalProperties": inner, "properties": { "b": {} } }),
            json!({ "a": {}, "b": {} }),
            json!({ "a": { "x": 1 }, "b": {} }),
        ),
        (
            json!({ "allOf": [{}, inner] }),
            json!({}),
            json!({ "x": 1 }),
        ),
        (
            json!({ "$ref": "#/$defs/d", "$defs": { "d": inner } }),
            json!({}),
            json!({ "x": 1 }),
        ),
        (
            json!({ "properties": { "a": { "$ref": "#/$defs/d", "default": {} } }, "$defs": { "d": inner } }),
            json!({}),
            json!({ "a": { "x": 1 } }),
        ),
    ];
    for (schema, value, expected) in table {
        assert_eq!(filled(&schema, &value), expected, "{schema}");
    }
}

#[test]
fn what_may_or_may_not_apply_fills_nothing() {
    let inner = json!({ "properties": { "x": { "default": 1 } } });
    let schemas = [
        json!({ "anyOf": [inner] }),
        json!({ "oneOf": [inner] }),
        json!({ "if": inner, "then": inner, "else": inner }),
        json!({ "not": { "not": inner } }),
        json!({ "dependentSchemas": { "a": inner } }),
    ];
    for schema in schemas {
        assert_eq!(
            filled(&schema, &json!({ "a": 1 })),
            json!({ "a": 1 }),
            "{schema}"
        );
    }
}

#[test]
fn of_two_defaults_the_nearer_counts_and_parts_come_together() {
    let schema = json!({
        "properties": { "a": { "default": { "own": 1 } } },
        "allOf": [
            { "properties": { "a": { "properties": { "late": { "default": 2 } } } } },
            { "properties": { "a": { "default": { "other": 1 } } } },
        ],
    });
    assert_eq!(
        filled(&schema, &json!({})),
        json!({ "a": { "own": 1, "late": 2 } })
    );
}

#[test]
fn a_reference_is_left_as_it_is() {
    let schema = json!({ "properties": { "a": { "properties": { "x": { "default": 1 } } } } });
    let value = json!({ "a": { "$bubuStorageRef": "s" } });
    assert_eq!(filled(&schema, &value), value);
}

#[test]
fn a_default_that_does_not_match_is_told_like_any_value() {
    let schema = json!({ "properties": { "a": { "type": "string", "default": 1 } } });
    let schema = Schema::compile(&schema).expect("taken");
    let verdict = schema.apply(&mut json!({}));
    assert_eq!(verdict.expect_err("no string").path(), "a");
    assert_eq!(schema.apply(&mut json!({ "a": "x" })), Ok(false));
}

#[test]
fn a_tree_gets_the_defaults_of_each_of_its_nodes() {
    let schema = json!({ "properties": { "n": { "default": 0 }, "children": { "items": { "$ref": "#" } } } });
    assert_eq!(
        filled(&schema, &json!({ "children": [{ "children": [{}] }] })),
        json!({ "n": 0, "children": [{ "n": 0, "children": [{ "n": 0 }] }] })
    );
}
