//! Compares a decoded message with the summary that a vector gives of it.
//!
//! Summaries leave unset fields out and shorten what is long: bytes and texts to
//! `{"_bytes", "_crc32"[, "_chars"]}`, maps to `{"_pairs"}`, lists to `{"_items"}`,
//! deep values to `{"_depth"}`; long keys keep their first 8 characters and their
//! length. Either form is compared with what was decoded, so where exactly a summary
//! starts to shorten does not matter.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use transport_proto::contract::Kind;
use transport_proto::merged::{self, Merged};
use transport_proto::validate::shortened;

use crate::octets::{Piece, octets};
use crate::structs::{self, Json};

/// Adds what differs between the summary `expected` and the message to `differences`.
pub(crate) fn compare(expected: &Value, actual: &Merged<'_>, differences: &mut Vec<String>) {
    message("decoded", expected, actual, differences);
}

fn message(path: &str, expected: &Value, actual: &Merged<'_>, differences: &mut Vec<String>) {
    let Value::Object(expected) = expected else {
        differences.push(format!("{path}: a message, expected {expected}"));
        return;
    };
    for (field, value) in actual.fields() {
        let path = format!("{path}.{}", field.name);
        match (
            expected.get(field.name),
            value.filter(|value| is_set(value)),
        ) {
            (None, None) => {}
            (Some(expected), None) => {
                differences.push(format!("{path}: unset, expected {expected}"))
            }
            (None, Some(_)) => differences.push(format!("{path}: set, expected unset")),
            (Some(expected), Some(value)) => {
                field_value(&path, expected, (&field.kind, value), differences);
            }
        }
    }
    unknown(path, expected.get("_unknown"), actual, differences);
    for name in expected.keys() {
        if name != "_unknown" && actual.fields().all(|(field, _)| field.name != name) {
            differences.push(format!("{path}.{name}: no such field"));
        }
    }
}

/// Whether a summary shows the value: presence where the wire has it, else not zero.
fn is_set(value: &merged::Value<'_>) -> bool {
    match value {
        merged::Value::Text(text) => !text.is_empty(),
        merged::Value::Bytes(bytes) => !bytes.is_empty(),
        merged::Value::Int32(number) => *number != 0,
        merged::Value::Uint32(number) => *number != 0,
        merged::Value::Uint64(number) => *number != 0,
        merged::Value::Bool(value) => *value,
        merged::Value::Map(pairs) => !pairs.is_empty(),
        merged::Value::Many { count, .. } => *count > 0,
        merged::Value::Message(_) | merged::Value::Struct(_) => true,
    }
}

fn field_value(
    path: &str,
    expected: &Value,
    (kind, actual): (&Kind, &merged::Value<'_>),
    differences: &mut Vec<String>,
) {
    let same = match actual {
        merged::Value::Message(inner) => return message(path, expected, inner, differences),
        merged::Value::Many { items, count } => {
            return many(path, expected, (kind, items, *count), differences);
        }
        merged::Value::Text(text) => is_text(expected, text),
        merged::Value::Bytes(bytes) => is_bytes(expected, bytes),
        merged::Value::Int32(number) => expected.as_i64() == Some(i64::from(*number)),
        merged::Value::Uint32(number) => expected.as_u64() == Some(u64::from(*number)),
        merged::Value::Uint64(number) => expected.as_u64() == Some(*number),
        merged::Value::Bool(value) => expected.as_bool() == Some(*value),
        merged::Value::Map(pairs) => is_map(expected, pairs),
        merged::Value::Struct(occurrences) => is_json(expected, &structs::object(occurrences)),
    };
    if !same {
        differences.push(format!("{path}: expected {}", brief(expected)));
    }
}

fn many(
    path: &str,
    expected: &Value,
    (kind, items, count): (&Kind, &[merged::Value<'_>], usize),
    differences: &mut Vec<String>,
) {
    if tells(expected, "_items", count as u64) {
        return;
    }
    match expected {
        Value::Array(list) if list.len() == count && list.len() == items.len() => {
            for (i, (expected, item)) in list.iter().zip(items).enumerate() {
                field_value(&format!("{path}[{i}]"), expected, (kind, item), differences);
            }
        }
        _ => differences.push(format!(
            "{path}: {count} items, expected {}",
            brief(expected)
        )),
    }
}

fn unknown(
    path: &str,
    expected: Option<&Value>,
    actual: &Merged<'_>,
    differences: &mut Vec<String>,
) {
    let mut bytes = Vec::new();
    for (tag, value) in &actual.unknown {
        put_varint(&mut bytes, *tag);
        bytes.extend_from_slice(value);
    }
    let same = match expected {
        None => bytes.is_empty(),
        Some(expected) => is_bytes(expected, &bytes),
    };
    if !same {
        differences.push(format!("{path}: unknown fields {}", hex::encode(bytes)));
    }
}

/// Receivers keep an unknown field's tag in its shortest form.
fn put_varint(out: &mut Vec<u8>, value: u32) {
    let mut buffer = bytes::BytesMut::new();
    transport_proto::wire::put_varint(&mut buffer, u64::from(value));
    out.extend_from_slice(&buffer);
}

/// Whether `expected` is an object of this one member.
fn tells(expected: &Value, name: &str, number: u64) -> bool {
    match expected {
        Value::Object(members) if members.len() == 1 => {
            members.get(name).and_then(Value::as_u64) == Some(number)
        }
        _ => false,
    }
}

fn is_map(expected: &Value, actual: &BTreeMap<&str, &str>) -> bool {
    if tells(expected, "_pairs", actual.len() as u64) {
        return true;
    }
    let Value::Object(expected) = expected else {
        return false;
    };
    expected.len() == actual.len()
        && actual.iter().all(|(key, value)| {
            expected
                .get(&shortened(key))
                .is_some_and(|expected| is_text(expected, value))
        })
}

pub(crate) fn is_text(expected: &Value, actual: &str) -> bool {
    match expected {
        Value::String(expected) => expected == actual,
        Value::Object(members)
            if members.contains_key("hex") || members.contains_key("generate") =>
        {
            written(members).is_some_and(|bytes| bytes == actual.as_bytes())
        }
        Value::Object(members) => {
            let chars = members.get("_chars").and_then(Value::as_u64);
            is_digest(members, actual.as_bytes())
                && chars.is_none_or(|chars| chars == actual.chars().count() as u64)
        }
        _ => false,
    }
}

/// Text written as bytes.
pub(crate) fn written(members: &Map<String, Value>) -> Option<Vec<u8>> {
    let pieces: Option<Vec<Piece>> = match members.get("generate") {
        Some(generate) => Some(serde_json::from_value(generate.clone()).ok()?),
        None => None,
    };
    octets(
        members.get("hex").and_then(Value::as_str),
        pieces.as_deref(),
    )
    .ok()
}

fn is_bytes(expected: &Value, actual: &[u8]) -> bool {
    match expected {
        Value::String(expected) => *expected == hex::encode(actual),
        Value::Object(members) => is_digest(members, actual),
        _ => false,
    }
}

pub(crate) fn is_digest(members: &Map<String, Value>, actual: &[u8]) -> bool {
    let crc = format!("{:08x}", crc32fast::hash(actual));
    members.get("_bytes").and_then(Value::as_u64) == Some(actual.len() as u64)
        && members.get("_crc32").and_then(Value::as_str) == Some(crc.as_str())
}

fn is_json(expected: &Value, actual: &Json) -> bool {
    let plainly = match (expected, actual) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(expected), Json::Bool(actual)) => expected == actual,
        (Value::Number(expected), Json::Number(actual)) => {
            expected.as_f64().map(f64::to_bits) == Some(actual.to_bits())
        }
        (Value::String(expected), Json::Text(actual)) => expected == actual,
        (Value::Array(expected), Json::List(actual)) => {
            expected.len() == actual.len()
                && expected
                    .iter()
                    .zip(actual)
                    .all(|(expected, actual)| is_json(expected, actual))
        }
        (Value::Object(expected), Json::Object(actual)) => {
            expected.len() == actual.len()
                && actual.iter().all(|(key, actual)| {
                    let expected = expected.get(key).or_else(|| expected.get(&shortened(key)));
                    expected.is_some_and(|expected| is_json(expected, actual))
                })
        }
        _ => false,
    };
    plainly || is_json_shortened(expected, actual)
}

/// What JSON cannot say, and what is too long or too deep to list.
fn is_json_shortened(expected: &Value, actual: &Json) -> bool {
    let Value::Object(members) = expected else {
        return false;
    };
    let special = |name| members.get(name).filter(|_| members.len() == 1);
    let by_kind = match actual {
        Json::Unset => special("_unset") == Some(&Value::Bool(true)),
        Json::Number(number) => {
            special("_number").and_then(Value::as_str) == Some(number_name(*number))
        }
        Json::Text(_) if !members.contains_key("_bytes") => false,
        Json::Text(text) => is_text(expected, text),
        Json::List(items) => tells(expected, "_items", items.len() as u64),
        Json::Object(fields) => tells(expected, "_pairs", fields.len() as u64),
        Json::Null | Json::Bool(_) => false,
    };
    by_kind || (members.contains_key("_depth") && tells(expected, "_depth", actual.depth()))
}

/// Numbers that JSON cannot say; empty for all others.
fn number_name(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number == f64::INFINITY {
        "Infinity"
    } else if number == f64::NEG_INFINITY {
        "-Infinity"
    } else if number == 0.0 && number.is_sign_negative() {
        "-0"
    } else {
        ""
    }
}

/// A summary, cut where it is long.
pub(crate) fn brief(expected: &Value) -> String {
    const MOST: usize = 200;
    let text = expected.to_string();
    match text.char_indices().nth(MOST) {
        Some((cut, _)) => format!("{}...", text.get(..cut).unwrap_or_default()),
        None => text,
    }
}
