//! A `google.protobuf.Struct` as JSON, merged as a receiver merges it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::StructError;
use crate::json::escape::put_text;
use crate::wire::{Cursor, FIXED64, LEN, VARINT, tag};

/// Most messages inside each other that [`from_struct`] follows: it goes by recursion.
const MAX_NESTED: u32 = 600;

/// A value of a Struct, merged as a receiver merges it.
#[derive(Default)]
enum Tree {
    #[default]
    Unset,
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

/// The JSON of a Struct whose occurrences have these bodies, names in order.
///
/// # Errors
/// [`StructError`] where JSON cannot say it: NaN, infinite, a value without a kind; or
/// where it is nested too deep.
pub fn from_struct<'a>(bodies: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>, StructError> {
    let mut fields = BTreeMap::new();
    for body in bodies {
        merge_object(body, &mut fields, 0)?;
    }
    let mut out = Vec::new();
    put_tree(&mut out, &Tree::Object(fields))?;
    Ok(out)
}

/// Calls `take` for every field of a message; it answers false where it does not know
/// the tag.
fn walk(
    bytes: &[u8],
    mut take: impl FnMut(u32, &mut Cursor<'_>) -> Result<bool, StructError>,
) -> Result<(), StructError> {
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_done() {
        let tag = cursor.tag().map_err(|_| StructError::Malformed)?;
        if !take(tag, &mut cursor)? {
            cursor.skip(tag).map_err(|_| StructError::Malformed)?;
        }
    }
    Ok(())
}

fn body<'a>(bytes: &'a [u8], cursor: &mut Cursor<'_>) -> Result<&'a [u8], StructError> {
    let range: Range<usize> = cursor.len_range().map_err(|_| StructError::Malformed)?;
    bytes.get(range).ok_or(StructError::Malformed)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn merge_object(
    bytes: &[u8],
    fields: &mut BTreeMap<String, Tree>,
    depth: u32,
) -> Result<(), StructError> {
    walk(bytes, |field, cursor| {
        if field != tag(1, LEN) {
            return Ok(false);
        }
        let entry = body(bytes, cursor)?;
        let (mut name, mut value) = (String::new(), Tree::Unset);
        walk(entry, |field, cursor| {
            if field == tag(1, LEN) {
                name = text(body(entry, cursor)?);
            } else if field == tag(2, LEN) {
                merge_value(body(entry, cursor)?, &mut value, depth + 1)?;
            } else {
                return Ok(false);
            }
            Ok(true)
        })?;
        fields.insert(name, value);
        Ok(true)
    })
}

fn merge_value(bytes: &[u8], value: &mut Tree, depth: u32) -> Result<(), StructError> {
    if depth > MAX_NESTED {
        return Err(StructError::Depth);
    }
    walk(bytes, |field, cursor| {
        if field == tag(1, VARINT) || field == tag(4, VARINT) {
            let number = cursor.varint().map_err(|_| StructError::Malformed)?;
            *value = if field == tag(1, VARINT) {
                Tree::Null
            } else {
                Tree::Bool(number != 0)
            };
        } else if field == tag(2, FIXED64) {
            let start = cursor.at();
            cursor.skip(field).map_err(|_| StructError::Malformed)?;
            let number = bytes.get(start..).and_then(|rest| rest.first_chunk());
            *value = Tree::Number(f64::from_le_bytes(*number.ok_or(StructError::Malformed)?));
        } else if field == tag(3, LEN) {
            *value = Tree::Text(text(body(bytes, cursor)?));
        } else if field == tag(5, LEN) {
            if !matches!(value, Tree::Object(_)) {
                *value = Tree::Object(BTreeMap::new());
            }
            if let Tree::Object(fields) = value {
                merge_object(body(bytes, cursor)?, fields, depth + 1)?;
            }
        } else if field == tag(6, LEN) {
            if !matches!(value, Tree::List(_)) {
                *value = Tree::List(Vec::new());
            }
            if let Tree::List(items) = value {
                merge_list(body(bytes, cursor)?, items, depth + 1)?;
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    })
}

fn merge_list(bytes: &[u8], items: &mut Vec<Tree>, depth: u32) -> Result<(), StructError> {
    walk(bytes, |field, cursor| {
        let known = field == tag(1, LEN);
        if known {
            let mut item = Tree::Unset;
            merge_value(body(bytes, cursor)?, &mut item, depth + 1)?;
            items.push(item);
        }
        Ok(known)
    })
}

fn put_tree(out: &mut Vec<u8>, tree: &Tree) -> Result<(), StructError> {
    match tree {
        Tree::Unset => return Err(StructError::Unset),
        Tree::Null => out.extend_from_slice(b"null"),
        Tree::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Tree::Number(number) if !number.is_finite() => return Err(StructError::NotFinite(*number)),
        Tree::Number(number) => put_number(out, *number),
        Tree::Text(text) => put_text(out, text),
        Tree::List(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                put_tree(out, item)?;
            }
            out.push(b']');
        }
        Tree::Object(fields) => {
            out.push(b'{');
            for (i, (name, value)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                put_text(out, name);
                out.push(b':');
                put_tree(out, value)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// The shortest digits that give the number back; an exponent below 1e-6 and from 1e21.
fn put_number(out: &mut Vec<u8>, number: f64) {
    let size = number.abs();
    let text = if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        if size >= 1.0 {
            text.replace('e', "e+")
        } else {
            text
        }
    } else {
        format!("{number}")
    };
    out.extend_from_slice(text.as_bytes());
}
