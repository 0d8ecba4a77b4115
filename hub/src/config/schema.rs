//! The JSON schema of `hub.toml`, for editors; committed as `hub/schema/hub.schema.json`.

use serde_json::{Map, Value, json};

use super::keys::{KEYS, Key, Kind};

/// The schema, made from the table of keys.
pub fn schema() -> Value {
    let mut sections = Map::new();
    for key in KEYS {
        let Some((section, name)) = key.name.split_once('.') else {
            continue;
        };
        let entry = sections.entry(section).or_insert_with(
            || json!({ "type": "object", "additionalProperties": false, "properties": {} }),
        );
        if let Some(Value::Object(properties)) = entry.get_mut("properties") {
            properties.insert(name.to_owned(), property(key));
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hub.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": sections,
    })
}

fn property(key: &Key) -> Value {
    let mut property = match key.kind {
        Kind::Address | Kind::Path => json!({ "type": "string" }),
        Kind::Duration => json!({
            "type": "string",
            "pattern": r"^\+?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$",
        }),
        Kind::Bytes => json!({
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^[0-9]+( ?(KiB|MiB|GiB))?$" },
            ],
        }),
        Kind::Count => json!({ "type": "integer", "minimum": 0 }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Subscribers => json!({
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type"],
                "additionalProperties": false,
                "properties": {
                    "type": { "enum": ["jsonl", "noop"] },
                    "path": { "type": "string" },
                },
            },
        }),
    };
    if let Value::Object(fields) = &mut property {
        fields.insert("description".to_owned(), json!(key.about));
        if let Some(default) = key.default {
            fields.insert("default".to_owned(), default_json(default));
        }
    }
    property
}

/// The default as JSON; defaults are written in TOML.
fn default_json(default: &str) -> Value {
    toml::de::DeValue::parse(default).map_or(Value::Null, |value| to_json(value.get_ref()))
}

fn to_json(value: &toml::de::DeValue<'_>) -> Value {
    use toml::de::DeValue;
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Boolean(flag) => json!(flag),
        DeValue::Array(entries) => entries.iter().map(|e| to_json(e.get_ref())).collect(),
        DeValue::Table(fields) => fields
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref())))
            .collect::<Map<_, _>>()
            .into(),
        DeValue::Float(_) | DeValue::Datetime(_) => Value::Null,
    }
}
