//! What hostile values and unlucky schemas may cost.

use schema::{Schema, limits};
use serde_json::{Value, json};

fn compiled(schema: &Value) -> Schema {
    Schema::compile(schema).expect("a schema that is taken")
}

fn said(schema: &Value, mut value: Value) -> String {
    let verdict = compiled(schema).apply(&mut value);
    verdict
        .err()
        .map(|violation| violation.to_string())
        .unwrap_or_default()
}

fn nested(depth: usize, wrap: impl Fn(Value) -> Value) -> Value {
    (1..depth).fold(json!({}), |inner, _| wrap(inner))
}

#[test]
fn recursion_that_branches_comes_to_an_end() {
    // Every way through the value: 2 to the power of the depth.
    let branch = json!({ "properties": { "c": { "$ref": "#" } } });
    let must = |key| json!({ "properties": { "c": { "$ref": "#" } }, "required": [key] });
    let schemas = [
        json!({ "allOf": [branch, branch] }),
        json!({ "anyOf": [must("x"), must("y")] }),
        json!({ "oneOf": [branch, must("y")] }),
        json!({ "properties": { "c": { "allOf": [{ "not": { "$ref": "#" } }, { "not": { "$ref": "#" } }] } } }),
    ];
    for schema in schemas {
        let value = nested(limits::VALUE_DEPTH, |inner| json!({ "c": inner }));
        // Whatever it says: it does.
        let _ = said(&schema, value);
    }
}

#[test]
fn a_value_that_takes_too_many_steps_is_refused() {
    let branches = vec![json!({ "type": "integer" }); 64];
    let schema = json!({ "items": { "allOf": branches } });
    assert_eq!(said(&schema, json!(vec![1; 100])), "");
    assert!(said(&schema, json!(vec![1; 10_000])).contains("steps"));
}

#[test]
fn branches_that_share_their_branches_are_compiled_once() {
    // Without sharing: 2 to the power of 40 schemas.
    let link = |n: usize| {
        let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
        (
            format!("d{n}"),
            json!({ "properties": { "a": next, "b": next } }),
        )
    };
    let mut links: serde_json::Map<_, _> = (0..40).map(link).collect();
    links.insert("d40".to_owned(), json!({ "type": "string" }));
    let schema = json!({ "$ref": "#/$defs/d0", "$defs": links });
    assert_eq!(said(&schema, json!({ "a": { "b": {} } })), "");
}

/// Root, links, end, and the property that begins anew: as long as chains may be.
fn longest_chain(word: &str, inward: &str) -> Value {
    let links = (limits::CHAIN - 3) / 2;
    let link = |n: usize| {
        let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
        let held = match word {
            "else" => json!({ "if": false, "else": next }),
            "dependentSchemas" => json!({ "dependentSchemas": { "c": next } }),
            _ => json!({ word: [next] }),
        };
        (format!("d{n}"), held)
    };
    let mut defs: serde_json::Map<_, _> = (0..links).map(link).collect();
    let again = json!({ "$ref": "#" });
    let end = match inward {
        "properties" => json!({ "properties": { "c": again }, "type": "object" }),
        _ => json!({ inward: again, "type": "object" }),
    };
    defs.insert(format!("d{links}"), end);
    json!({ "$ref": "#/$defs/d0", "type": "object", "$defs": defs })
}

#[test]
fn the_longest_chains_at_the_greatest_depth_fit_the_stack_of_a_thread() {
    let deep = |end: Value| (1..limits::VALUE_DEPTH).fold(end, |inner, _| json!({ "c": inner }));
    let inwards = [
        "properties",
        "additionalProperties",
        "unevaluatedProperties",
    ];
    let words = ["allOf", "anyOf", "oneOf", "else", "dependentSchemas"];
    for (word, inward) in words
        .iter()
        .flat_map(|word| inwards.map(|inward| (word, inward)))
    {
        let schema = compiled(&longest_chain(word, inward));
        // Less than the 2 MiB that a thread has, so that its own frames have room.
        let check = move || {
            let passes = schema.apply(&mut deep(json!({})));
            (passes, schema.apply(&mut deep(json!({ "c": 1 }))))
        };
        let thread = std::thread::Builder::new().stack_size(3 << 19).spawn(check);
        let (passes, fails) = thread.expect("a thread").join().expect("no panic");
        assert_eq!(passes, Ok(false), "{word} {inward}");
        assert!(fails.is_err(), "{word} {inward}");
    }
}

#[test]
fn a_value_that_is_too_deep_is_refused() {
    let schema = json!({ "items": { "$ref": "#" }, "properties": { "d": { "default": 1 } } });
    let value = |depth| nested(depth, |inner| json!([inner]));
    assert_eq!(said(&schema, value(limits::VALUE_DEPTH)), "");
    assert!(said(&schema, value(limits::VALUE_DEPTH + 1)).contains("deeper than 128"));
    assert!(said(&json!({}), value(limits::VALUE_DEPTH + 1)).contains("deeper than 128"));
}

#[test]
fn a_large_value_that_is_honest_passes() {
    let schema = json!({ "properties": { "rows": { "items": { "anyOf": [{ "type": "string" }, { "type": "integer" }] } } } });
    let rows: Vec<Value> = (0..100_000).map(Value::from).collect();
    assert_eq!(said(&schema, json!({ "rows": rows })), "");
}

#[test]
fn the_place_in_a_large_value_is_told_while_that_is_cheap() {
    let schema = json!({ "items": { "type": "integer" } });
    let mut rows: Vec<Value> = (0..200_000).map(Value::from).collect();
    rows[10] = json!("x");
    assert!(said(&schema, json!(rows)).starts_with("[10]: "));
    // Every row is an error of its own in a branch that failed.
    let schema = json!({ "anyOf": [{ "type": "string" }, { "items": { "type": "string" } }] });
    let rows: Vec<Value> = (0..200_000).map(Value::from).collect();
    assert!(said(&schema, json!(rows)).contains("too large to say where"));
}

#[test]
fn defaults_do_not_add_up_without_end() {
    let schema = json!({ "items": { "properties": { "a": { "default": "x".repeat(10_000) } } } });
    assert_eq!(said(&schema, json!(vec![json!({}); 10])), "");
    assert!(said(&schema, json!(vec![json!({}); 1_000])).contains("defaults add more than"));
}

#[test]
fn a_pattern_takes_linear_time() {
    // With backtracking: 2 to the power of the length.
    let schema = json!({ "pattern": "^(a+)+$" });
    let text = format!("{}b", "a".repeat(100_000));
    assert!(!said(&schema, json!(text)).is_empty());
}

#[test]
fn one_thread_after_the_other_has_its_own_budget() {
    let schema = compiled(&json!({ "items": { "type": "integer" } }));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(schema.apply(&mut json!([1, 2, 3])), Ok(false));
                }
            });
        }
    });
}
