//! `google.protobuf.Struct` as JSON-like values, merged as a receiver merges it:
//! entries of a map replace, a value's kind replaces, Structs and lists of one kind
//! merge inside one value.
//!
//! Built by recursion: callers give it a stack that holds the deepest message.

use std::collections::BTreeMap;

use transport_proto::wire::{Cursor, FIXED64, LEN, VARINT, tag};

/// A value of a Struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Json {
    /// A `Value` without a kind.
    #[default]
    Unset,
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

/// The Struct whose occurrences have these contents. The bytes have been checked:
/// what cannot be read ends the message.
pub(crate) fn object(occurrences: &[&[u8]]) -> Json {
    let mut fields = BTreeMap::new();
    for bytes in occurrences {
        merge_object(bytes, &mut fields);
    }
    Json::Object(fields)
}

/// Calls `take` for every field; it answers false where it does not know the tag.
fn walk(bytes: &[u8], mut take: impl FnMut(u32, &mut Cursor<'_>) -> bool) {
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_done() {
        let Ok(tag) = cursor.tag() else { return };
        if !take(tag, &mut cursor) && cursor.skip(tag).is_err() {
            return;
        }
    }
}

fn body<'a>(bytes: &'a [u8], cursor: &mut Cursor<'_>) -> &'a [u8] {
    let range = cursor.len_range().unwrap_or_default();
    bytes.get(range).unwrap_or_default()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn merge_object(bytes: &[u8], fields: &mut BTreeMap<String, Json>) {
    walk(bytes, |field, cursor| {
        let known = field == tag(1, LEN);
        if known {
            let entry = body(bytes, cursor);
            let (mut key, mut value) = (String::new(), Json::Unset);
            walk(entry, |field, cursor| {
                if field == tag(1, LEN) {
                    key = text(body(entry, cursor));
                } else if field == tag(2, LEN) {
                    merge_value(body(entry, cursor), &mut value);
                } else {
                    return false;
                }
                true
            });
            fields.insert(key, value);
        }
        known
    });
}

fn merge_value(bytes: &[u8], value: &mut Json) {
    walk(bytes, |field, cursor| {
        if field == tag(1, VARINT) {
            *value = cursor.varint().map_or(Json::Unset, |_| Json::Null);
        } else if field == tag(2, FIXED64) {
            let start = cursor.at();
            let _ = cursor.skip(field);
            let number = bytes.get(start..).and_then(|rest| rest.first_chunk());
            *value = number.map_or(Json::Unset, |number| {
                Json::Number(f64::from_le_bytes(*number))
            });
        } else if field == tag(3, LEN) {
            *value = Json::Text(text(body(bytes, cursor)));
        } else if field == tag(4, VARINT) {
            *value = Json::Bool(cursor.varint().unwrap_or_default() != 0);
        } else if field == tag(5, LEN) {
            let inner = body(bytes, cursor);
            if !matches!(value, Json::Object(_)) {
                *value = Json::Object(BTreeMap::new());
            }
            if let Json::Object(fields) = value {
                merge_object(inner, fields);
            }
        } else if field == tag(6, LEN) {
            let inner = body(bytes, cursor);
            if !matches!(value, Json::List(_)) {
                *value = Json::List(Vec::new());
            }
            if let Json::List(items) = value {
                merge_list(inner, items);
            }
        } else {
            return false;
        }
        true
    });
}

fn merge_list(bytes: &[u8], items: &mut Vec<Json>) {
    walk(bytes, |field, cursor| {
        let known = field == tag(1, LEN);
        if known {
            let mut item = Json::Unset;
            merge_value(body(bytes, cursor), &mut item);
            items.push(item);
        }
        known
    });
}

impl Json {
    /// Objects and lists inside one another: 0 for anything else.
    pub(crate) fn depth(&self) -> u64 {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(fields) => 1 + fields.values().map(Self::depth).max().unwrap_or(0),
            _ => 0,
        }
    }
}
