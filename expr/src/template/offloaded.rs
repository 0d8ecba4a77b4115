//! Offloaded data: objects that stand for data kept elsewhere (spec 4.1).
//!
//! Owns how such a reference looks and how one names a part of what it stands for. Never
//! fetches anything.

use crate::characters::trim_space;
use crate::fault::Fault;
use crate::limits::Meter;
use crate::value::{Map, Text, Value};

/// The key that makes an object a reference.
const REFERENCE: &[u8] = b"$bubuStorageRef";
/// The part of the data that is meant: names joined by dots.
const PATH: &[u8] = b"$bubuStoragePath";

/// Whether an object is a reference: a text that is not blank stands under its key.
pub(super) fn is_reference(map: &Map<'_>) -> bool {
    let key = map.get(REFERENCE);
    let text = key.as_ref().and_then(Value::as_text);
    text.is_some_and(|text| !trim_space(text).is_empty())
}

/// The reference to the part of a reference's data that `names` lead to.
pub(super) fn part_of<'v>(reference: &Map<'v>, names: &[Box<[u8]>]) -> Value<'v> {
    let mut tree = reference.tree().as_ref().clone();
    let mut path = match tree.get(PATH).and_then(Value::as_text) {
        Some(before) => trim_space(before).to_vec(),
        None => Vec::new(),
    };
    for name in names {
        if !path.is_empty() {
            path.push(b'.');
        }
        path.extend_from_slice(name);
    }
    tree.insert(Text::Borrowed(PATH), Value::owned(path));
    Value::map(tree)
}

/// Whether a value is a reference or holds one at any depth.
///
/// # Errors
/// [`Fault::Limit`]: looking at it takes more steps than are left.
pub(super) fn holds_reference(value: &Value<'_>, meter: &Meter) -> Result<bool, Fault> {
    let mut waiting = vec![value.clone()];
    while let Some(value) = waiting.pop() {
        match &value {
            // Bytes that name no reference need no decoding.
            Value::Map(map) if map.bytes_hold(REFERENCE) == Some(false) => {
                meter.look(map.weight())?;
            }
            Value::Map(map) => {
                meter.look(map.weight())?;
                if is_reference(map) {
                    return Ok(true);
                }
                let tree = map.tree();
                meter.burn(tree.len() as u64)?;
                waiting.extend(tree.values().filter(|value| may_hold(value)).cloned());
            }
            Value::List(list) => {
                meter.look(list.weight())?;
                let values = list.values();
                meter.burn(values.len() as u64)?;
                waiting.extend(values.iter().filter(|value| may_hold(value)).cloned());
            }
            _ => {}
        }
    }
    Ok(false)
}

fn may_hold(value: &Value<'_>) -> bool {
    matches!(value, Value::Map(_) | Value::List(_))
}
