//! Any message of the contract by its table, merged as a receiver merges it (slow
//! path: control messages, diagnostics, and the judge that the hot view is held
//! against).
//!
//! Values borrow the bytes; nothing is copied. Structs are checked, not built. Of a
//! repeated field or a map at most [`MAX_KEPT`] items are kept, so that a hostile
//! message cannot cost more memory than its own size.

use std::collections::BTreeMap;

use crate::contract::{Count, Field, Kind, Message};
use crate::malformed::Malformed;
use crate::text;
use crate::view::walk_struct;
use crate::wire::{Cursor, LEN, VARINT};

/// Most items of a list, or pairs of a map, that are kept. Far above every limit of
/// the contract: a message with more breaks one.
pub const MAX_KEPT: usize = 1024;

/// A message, merged.
#[derive(Clone, Debug)]
pub struct Merged<'a> {
    /// Its type.
    pub message: &'static Message,
    /// One value for each field of the table; `None` where it was never on the wire.
    values: Vec<Option<Value<'a>>>,
    /// Unknown fields in the order of the wire: number and wire type as a tag, then
    /// the bytes of the value.
    pub unknown: Vec<(u32, &'a [u8])>,
}

/// A field's merged value.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `string`.
    Text(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// `int32` or an enum.
    Int32(i32),
    /// `uint32`.
    Uint32(u32),
    /// `uint64`.
    Uint64(u64),
    /// `bool`.
    Bool(bool),
    /// A message.
    Message(Box<Merged<'a>>),
    /// Contents of each occurrence of a `google.protobuf.Struct`.
    Struct(Vec<&'a [u8]>),
    /// `map<string, string>`; the last entry of a key.
    Map(BTreeMap<&'a str, &'a str>),
    /// A repeated field.
    Many {
        /// The first [`MAX_KEPT`] items.
        items: Vec<Self>,
        /// All items on the wire.
        count: usize,
    },
}

impl<'a> Merged<'a> {
    /// Decodes `bytes` as a message of type `message`.
    ///
    /// # Errors
    /// [`Malformed`] where they are none.
    pub fn decode(message: &'static Message, bytes: &'a [u8]) -> Result<Self, Malformed> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(Malformed::Size);
        }
        let mut merged = Self::empty(message);
        merged.merge(bytes, Cursor::new(bytes), 1)?;
        Ok(merged)
    }

    fn empty(message: &'static Message) -> Self {
        Self {
            message,
            values: vec![None; message.fields.len()],
            unknown: Vec::new(),
        }
    }

    /// The value of the field called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.fields()
            .find(|(field, _)| field.name == name)
            .and_then(|(_, value)| value)
    }

    /// Every field of the table with its value, in the order of the numbers.
    pub fn fields(&self) -> impl Iterator<Item = (&'static Field, Option<&Value<'a>>)> {
        self.message
            .fields
            .iter()
            .zip(self.values.iter().map(Option::as_ref))
    }

    fn merge(
        &mut self,
        bytes: &'a [u8],
        mut cursor: Cursor<'a>,
        level: u32,
    ) -> Result<(), Malformed> {
        while !cursor.is_done() {
            let tag = cursor.tag()?;
            let known = self
                .message
                .fields
                .iter()
                .position(|field| field.number == tag >> 3 && wire_of(&field.kind) == tag & 7);
            let Some(index) = known else {
                let start = cursor.at();
                cursor.skip(tag)?;
                let value = bytes.get(start..cursor.at()).unwrap_or_default();
                self.unknown.push((tag, value));
                continue;
            };
            self.take(index, (bytes, &mut cursor), level)?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        index: usize,
        (bytes, cursor): (&'a [u8], &mut Cursor<'a>),
        level: u32,
    ) -> Result<(), Malformed> {
        let (Some(field), Some(slot)) =
            (self.message.fields.get(index), self.values.get_mut(index))
        else {
            return Ok(());
        };
        match field.count {
            Count::Many { .. } => {
                let item = read(field, None, (bytes, cursor), level)?;
                let many = slot.get_or_insert_with(|| Value::Many {
                    items: Vec::new(),
                    count: 0,
                });
                if let Value::Many { items, count } = many {
                    *count += 1;
                    if items.len() < MAX_KEPT {
                        items.push(item);
                    }
                }
            }
            Count::One | Count::OneOf => {
                let before = slot.take();
                *slot = Some(read(field, before, (bytes, cursor), level)?);
            }
        }
        if field.count == Count::OneOf {
            self.drop_other_members(index);
        }
        Ok(())
    }

    /// A member of the oneof was set: the others are gone.
    fn drop_other_members(&mut self, index: usize) {
        let fields = self.message.fields.iter();
        for (i, (field, value)) in fields.zip(&mut self.values).enumerate() {
            if i != index && field.count == Count::OneOf {
                *value = None;
            }
        }
    }
}

/// The wire type that a field is known by.
fn wire_of(kind: &Kind) -> u32 {
    match kind {
        Kind::Int32 { .. } | Kind::Uint32 { .. } | Kind::Uint64 | Kind::Bool => VARINT,
        Kind::Enum { .. } => VARINT,
        Kind::Text { .. } | Kind::Bytes { .. } => LEN,
        Kind::Message(_) | Kind::Struct | Kind::Map(_) => LEN,
    }
}

/// Reads one occurrence of a field and merges it into what was `before`.
fn read<'a>(
    field: &Field,
    before: Option<Value<'a>>,
    (bytes, cursor): (&'a [u8], &mut Cursor<'a>),
    level: u32,
) -> Result<Value<'a>, Malformed> {
    Ok(match &field.kind {
        Kind::Int32 { .. } | Kind::Enum { .. } => Value::Int32(cursor.varint32()? as i32),
        Kind::Uint32 { .. } => Value::Uint32(cursor.varint32()?),
        Kind::Uint64 => Value::Uint64(cursor.varint()?),
        Kind::Bool => Value::Bool(cursor.varint()? != 0),
        Kind::Text { .. } => Value::Text(read_text(bytes, cursor)?),
        Kind::Bytes { .. } => Value::Bytes(bytes.get(cursor.len_range()?).unwrap_or_default()),
        Kind::Message(message) => {
            let mut merged = match before {
                Some(Value::Message(merged)) => merged,
                _ => Box::new(Merged::empty(message)),
            };
            let range = cursor.len_range()?;
            merged.merge(bytes, Cursor::within(bytes, range), level + 1)?;
            Value::Message(merged)
        }
        Kind::Struct => {
            let mut occurrences = match before {
                Some(Value::Struct(occurrences)) => occurrences,
                _ => Vec::new(),
            };
            let range = cursor.len_range()?;
            walk_struct(bytes, range.clone(), level + 1)?;
            occurrences.push(bytes.get(range).unwrap_or_default());
            Value::Struct(occurrences)
        }
        Kind::Map(_) => {
            let mut pairs = match before {
                Some(Value::Map(pairs)) => pairs,
                _ => BTreeMap::new(),
            };
            let (key, value) = read_entry(bytes, cursor)?;
            if pairs.len() < MAX_KEPT || pairs.contains_key(key) {
                pairs.insert(key, value);
            }
            Value::Map(pairs)
        }
    })
}

fn read_text<'a>(bytes: &'a [u8], cursor: &mut Cursor<'a>) -> Result<&'a str, Malformed> {
    let range = cursor.len_range()?;
    let at = range.start;
    let slice = bytes.get(range).unwrap_or_default();
    text::check(slice, at)?;
    Ok(std::str::from_utf8(slice).unwrap_or_default())
}

/// One entry of a map: key 1, value 2, the last of each; empty where it is missing.
fn read_entry<'a>(
    bytes: &'a [u8],
    cursor: &mut Cursor<'a>,
) -> Result<(&'a str, &'a str), Malformed> {
    let mut entry = Cursor::within(bytes, cursor.len_range()?);
    let (mut key, mut value) = ("", "");
    while !entry.is_done() {
        match entry.tag()? {
            0x0a => key = read_text(bytes, &mut entry)?,
            0x12 => value = read_text(bytes, &mut entry)?,
            unknown => entry.skip(unknown)?,
        }
    }
    Ok((key, value))
}
