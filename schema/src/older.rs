//! Spellings of older drafts and of the incumbent, rewritten as draft 2020-12 spells them.

use serde_json::{Map, Value};

/// Rewrites one schema, not those inside it (but takes boolean `required` out of its properties).
pub(crate) fn rewrite(schema: &mut Map<String, Value>) {
    lift_required(schema);
    exclusive(schema, "exclusiveMinimum", "minimum");
    exclusive(schema, "exclusiveMaximum", "maximum");
    list_of_items(schema);
}

/// `properties: {a: {required: true}}` becomes `required: [a]`.
fn lift_required(schema: &mut Map<String, Value>) {
    if matches!(schema.get("required"), Some(Value::Bool(_))) {
        // Nobody around this one to lift it to: the whole schema, an item, a branch.
        schema.remove("required");
    }
    let mut lifted = Vec::new();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties {
            let Value::Object(property) = property else {
                continue;
            };
            if let Some(Value::Bool(required)) = property.get("required") {
                if *required {
                    lifted.push(Value::from(name.as_str()));
                }
                property.remove("required");
            }
        }
    }
    if lifted.is_empty() {
        return;
    }
    let list = schema
        .entry("required")
        .or_insert_with(|| Value::Array(Vec::new()));
    // If it is no list, the meta-schema says so.
    if let Value::Array(list) = list {
        lifted.retain(|name| !list.contains(name));
        list.append(&mut lifted);
    }
}

/// `minimum: 5, exclusiveMinimum: true` (draft 4) becomes `exclusiveMinimum: 5`.
fn exclusive(schema: &mut Map<String, Value>, word: &str, limit: &str) {
    let Some(Value::Bool(exclusive)) = schema.get(word) else {
        return;
    };
    let exclusive = *exclusive;
    schema.remove(word);
    if exclusive && let Some(value) = schema.remove(limit) {
        schema.insert(word.to_owned(), value);
    }
}

/// A list of `items` (before 2020-12) becomes `prefixItems`, `additionalItems` the `items`.
fn list_of_items(schema: &mut Map<String, Value>) {
    if !matches!(schema.get("items"), Some(Value::Array(_))) || schema.contains_key("prefixItems") {
        return;
    }
    if let Some(list) = schema.remove("items") {
        schema.insert("prefixItems".to_owned(), list);
    }
    if let Some(rest) = schema.remove("additionalItems") {
        schema.insert("items".to_owned(), rest);
    }
}
