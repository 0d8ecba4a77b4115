//! Defaults of a JSON schema filled into inputs (spec 2.1).

use serde_json::{Map, Value};

/// Gives every property that is missing its `default`, inside objects that are there too.
pub(super) fn fill(schema: &Value, inputs: Map<String, Value>) -> Map<String, Value> {
    match filled(schema, Value::Object(inputs)) {
        Value::Object(inputs) => inputs,
        _ => Map::new(),
    }
}

fn filled(schema: &Value, mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                let given = fields.remove(name);
                let given = given.or_else(|| property.get("default").cloned());
                if let Some(given) = given {
                    fields.insert(name.clone(), filled(property, given));
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items").filter(|schema| schema.is_object()) {
                for item in items {
                    *item = filled(schema, item.take());
                }
            }
        }
        _ => {}
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled_with(schema: &Value, inputs: Value) -> Value {
        filled(schema, inputs)
    }

    #[test]
    fn a_missing_property_takes_its_default_and_a_given_one_keeps_its_value() {
        let schema = json!({ "properties": {
            "a": { "default": 1 }, "b": { "default": 2 }, "c": { "type": "string" },
        }});
        assert_eq!(
            filled_with(&schema, json!({ "b": null })),
            json!({ "a": 1, "b": null })
        );
    }

    #[test]
    fn defaults_reach_into_objects_and_lists_that_are_there() {
        let inner = json!({ "properties": { "x": { "default": 1 } } });
        let schema = json!({ "properties": {
            "o": inner, "absent": inner,
            "l": { "items": inner },
            "d": { "default": {}, "properties": { "y": { "default": 2 } } },
        }});
        assert_eq!(
            filled_with(&schema, json!({ "o": {}, "l": [{}, { "x": 5 }, 3] })),
            json!({ "o": { "x": 1 }, "l": [{ "x": 1 }, { "x": 5 }, 3], "d": { "y": 2 } })
        );
    }

    #[test]
    fn a_schema_of_another_shape_fills_nothing() {
        for schema in [
            json!(null),
            json!(true),
            json!({ "properties": [] }),
            json!([1]),
        ] {
            assert_eq!(fill(&schema, Map::new()), Map::new());
        }
    }
}
