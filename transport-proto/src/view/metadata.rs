//! Entries of the metadata map.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;

use super::{Broken, Field};
use crate::limits::{MAX_KEY_CHARS, MAX_METADATA_PAIRS, MAX_VALUE_CHARS};
use crate::malformed::Malformed;
use crate::text;
use crate::violation::Rule;
use crate::wire::Cursor;

/// Tag of an entry's key and of its value.
const KEY: u8 = 0x0a;
const VALUE: u8 = 0x12;

/// Walks one entry: fills in where its key and value are. A key that breaks a rule
/// is reported at once (nothing can replace it), a value that is too long only
/// noted.
#[inline]
pub(super) fn walk(
    packet: &[u8],
    field: &mut Field,
    (broken, long_value): (&mut Option<Broken>, &mut bool),
) -> Result<(), Malformed> {
    let body = packet.get(field.body()).unwrap_or_default();
    if let Some((key_len, value_len)) = plain(body) {
        field.value = field.end - u32::from(value_len);
        field.body += 2;
        field.key_len = u16::from(key_len);
        field.value_len = u16::from(value_len);
        return Ok(());
    }
    walk_any(packet, field, (broken, long_value))
}

/// The lengths of key and value where an entry is written as every encoder writes
/// it, in ASCII: key, then value, nothing else. Then all its bytes are below 0x80,
/// tags and lengths too, and both texts keep their limits. An empty key is not
/// plain, since it breaks one.
#[inline]
fn plain(body: &[u8]) -> Option<(u8, u8)> {
    let &[KEY, key_len, ref rest @ ..] = body else {
        return None;
    };
    let &[VALUE, value_len, ref value @ ..] = rest.get(usize::from(key_len)..)? else {
        return None;
    };
    let fits = key_len > 0 && usize::from(value_len) == value.len();
    (fits && text::is_ascii(body)).then_some((key_len, value_len))
}

#[inline(never)]
fn walk_any(
    packet: &[u8],
    field: &mut Field,
    (broken, long_value): (&mut Option<Broken>, &mut bool),
) -> Result<(), Malformed> {
    let mut cursor = Cursor::within(packet, field.body());
    let (mut key, mut value) = (0..0, 0..0);
    while !cursor.is_done() {
        let tag = cursor.tag()?;
        if tag == u32::from(KEY) || tag == u32::from(VALUE) {
            let range = cursor.len_range()?;
            text::check(packet.get(range.clone()).unwrap_or_default(), range.start)?;
            if tag == u32::from(KEY) {
                key = range;
            } else {
                value = range;
            }
        } else {
            cursor.skip(tag)?;
        }
    }
    field.body = key.start as u32;
    field.key_len = u16::try_from(key.len()).unwrap_or(u16::MAX);
    field.value = value.start as u32;
    field.value_len = u16::try_from(value.len()).unwrap_or(u16::MAX);
    if key.is_empty() {
        broken.get_or_insert(Broken::key("metadata", Rule::StringMinLen));
    }
    if text::longer_than(packet.get(key).unwrap_or_default(), MAX_KEY_CHARS) {
        broken.get_or_insert(Broken::key("metadata", Rule::StringMaxLen));
    }
    *long_value |= text::longer_than(packet.get(value).unwrap_or_default(), MAX_VALUE_CHARS);
    Ok(())
}

/// Judges what only the whole map can tell: distinct keys, and the length of each
/// key's last value.
#[cold]
pub(super) fn judge<'v>(entries: impl Iterator<Item = &'v Field>, packet: &[u8]) -> Option<Broken> {
    let mut last: HashMap<&[u8], &Field, RandomState> = HashMap::new();
    for entry in entries {
        last.insert(entry.key(packet), entry);
        if last.len() > MAX_METADATA_PAIRS {
            return Some(Broken::at("metadata", Rule::MapMaxPairs));
        }
    }
    last.values()
        .any(|entry| text::longer_than(entry.value(packet), MAX_VALUE_CHARS))
        .then(|| Broken::at("metadata", Rule::StringMaxLen))
}

/// Distinct keys among `entries`.
pub(super) fn distinct<'v>(entries: impl Iterator<Item = &'v Field>, packet: &[u8]) -> usize {
    let mut keys: Vec<&[u8]> = entries.map(|entry| entry.key(packet)).collect();
    if keys.len() > 1 {
        keys.sort_unstable();
        keys.dedup();
    }
    keys.len()
}
