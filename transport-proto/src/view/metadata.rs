//! Entries of the metadata map.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::ops::Range;

use super::frame::text_span;
use super::{Broken, Field, Fields, Keys, Slot, Span};
use crate::limits::{MAX_KEY_CHARS, MAX_METADATA_PAIRS, MAX_VALUE_CHARS};
use crate::malformed::Malformed;
use crate::text;
use crate::violation::Rule;
use crate::wire::Cursor;

/// Tag of an entry's key and of its value.
const KEY: u8 = 0x0a;
const VALUE: u8 = 0x12;
/// Most entries that are walked before their bytes are checked.
const LONGEST_ROW: usize = 8;

/// Walks the entries that stand in a row from `at`, each with tag `tag`, as far as they
/// are written as every encoder writes them: one-byte lengths, key, then value, nothing
/// else, all in ASCII. Such texts keep their limits; an empty key does not, so it ends
/// the row. Gives the position after the row, which is `at` where there is none.
///
/// A row is at most [`LONGEST_ROW`] entries, since one that turns out not to be ASCII was
/// walked in vain.
#[inline(never)]
pub(super) fn plain_row(
    packet: &[u8],
    at: usize,
    tag: u8,
    (fields, keys): (&mut Fields, &mut Keys),
) -> usize {
    let (before, mut seen) = (fields.len(), *keys);
    let mut rest = packet.get(at..).unwrap_or_default();
    let mut end = at as u32;
    for _ in 0..LONGEST_ROW {
        let Some((key_len, value_len, after)) = plain(rest, tag) else {
            break;
        };
        let (start, value) = (end, end + 6 + u32::from(key_len));
        (rest, end) = (after, value + u32::from(value_len));
        seen.add(u16::from(key_len));
        fields.push(Field {
            start,
            body: start + 4,
            end,
            value,
            key_len: u16::from(key_len),
            value_len: u16::from(value_len),
            slot: Slot::Metadata,
        });
    }
    // One check for the whole row: tags and lengths are ASCII too.
    if !text::is_ascii(packet.get(at..end as usize).unwrap_or_default()) {
        fields.truncate(before);
        return at;
    }
    seen.entries += (fields.len() - before) as u32;
    *keys = seen;
    end as usize
}

/// The lengths of key and value of the entry at the beginning of `rest`, if its bytes are ASCII
/// (which is checked later) and laid out plainly; and what follows.
#[inline]
fn plain(rest: &[u8], tag: u8) -> Option<(u8, u8, &[u8])> {
    let &[found, len, key_tag, key_len] = rest.first_chunk()?;
    let &[value_tag, value_len] = rest.get(4 + usize::from(key_len)..)?.first_chunk()?;
    let end = 6 + usize::from(key_len) + usize::from(value_len);
    let has_tags = found == tag && key_tag == KEY && value_tag == VALUE;
    if !has_tags || key_len == 0 || usize::from(len) + 2 != end {
        return None;
    }
    Some((key_len, value_len, rest.get(end..)?))
}

/// What [`any`] finds out about an entry.
pub(super) struct Entry {
    pub(super) field: Field,
    /// The key breaks a rule. Nothing can replace it.
    pub(super) broken: Option<Broken>,
    /// The value is too long. A later entry may replace it.
    pub(super) has_long_value: bool,
}

/// Walks any entry.
#[inline(never)]
pub(super) fn any(start: u32, packet: &[u8], body: Range<usize>) -> Result<Entry, Malformed> {
    let end = body.end as u32;
    let mut cursor = Cursor::within(packet, body);
    let (mut key, mut value) = (Span::default(), Span::default());
    while !cursor.is_done() {
        let tag = cursor.tag()?;
        if tag == u32::from(KEY) {
            key = text_span(&mut cursor)?;
        } else if tag == u32::from(VALUE) {
            value = text_span(&mut cursor)?;
        } else {
            cursor.skip(tag)?;
        }
    }
    let field = Field {
        start,
        body: key.start,
        end,
        value: value.start,
        key_len: u16::try_from(key.len()).unwrap_or(u16::MAX),
        value_len: u16::try_from(value.len()).unwrap_or(u16::MAX),
        slot: Slot::Metadata,
    };
    let broken = if key.len() == 0 {
        Some(Broken::key("metadata", Rule::StringMinLen))
    } else if text::longer_than(key.bytes(packet), MAX_KEY_CHARS) {
        Some(Broken::key("metadata", Rule::StringMaxLen))
    } else {
        None
    };
    Ok(Entry {
        field,
        broken,
        has_long_value: text::longer_than(value.bytes(packet), MAX_VALUE_CHARS),
    })
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
