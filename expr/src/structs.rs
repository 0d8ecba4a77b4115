//! Values to and from the bytes of a `google.protobuf.Struct` (spec 4.3).
//!
//! Owns the encoding only; no message type is built on the way.

use bytes::{BufMut, BytesMut};
use transport_proto::wire::{put_len_field, put_varint};

use crate::fault::{Bound, Fault};
use crate::format;
use crate::value::{Map, Value, WireStruct};

/// Messages that may be nested in a Struct before receivers refuse it, counted in values.
const MAX_DEPTH: usize = 1000;

/// A Struct's bytes as an object that is decoded where it is asked.
///
/// `body` is the contents of a `payload` or `inputs` field. Where a packet has several
/// occurrences of one field, their concatenation is the merged Struct.
#[must_use]
pub fn decode(body: &[u8]) -> Map<'_> {
    Map::of_wire(WireStruct::new(body))
}

/// Appends the contents of the Struct that `value` is: what follows the tag and length of a
/// `payload` or `inputs` field. Keys in order, so that equal values give equal bytes.
///
/// # Errors
/// [`Fault::Type`] where `value` is no object, or a text in it is no UTF-8;
/// [`Fault::Limit`] where it is nested too deep.
pub fn encode(value: &Value<'_>, out: &mut BytesMut) -> Result<(), Fault> {
    match value {
        Value::Map(map) => put_struct(map, out, 0),
        other => Err(Fault::type_error(format!(
            "{} does not fit a Struct",
            other.type_name()
        ))),
    }
}

fn put_struct(map: &Map<'_>, out: &mut BytesMut, depth: usize) -> Result<(), Fault> {
    let mut body = BytesMut::new();
    let mut entry = BytesMut::new();
    for (key, value) in map.tree().iter() {
        utf8(key.bytes())?;
        body.clear();
        put_value(value, &mut body, depth + 1)?;
        entry.clear();
        put_len_field(&mut entry, 0x0a, key.bytes());
        put_len_field(&mut entry, 0x12, &body);
        put_len_field(out, 0x0a, &entry);
    }
    Ok(())
}

fn put_value(value: &Value<'_>, out: &mut BytesMut, depth: usize) -> Result<(), Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::Limit(Bound::Depth));
    }
    match value {
        Value::Absent | Value::Nil => {
            out.put_u8(0x08);
            put_varint(out, 0);
        }
        Value::Bool(bit) => {
            out.put_u8(0x20);
            put_varint(out, u64::from(*bit));
        }
        Value::Int(_, number) => put_number(*number as f64, out),
        Value::Uint(_, number) => put_number(*number as f64, out),
        Value::Float(number) => put_number(*number, out),
        Value::Text(text) => {
            utf8(text.bytes())?;
            put_len_field(out, 0x1a, text.bytes());
        }
        Value::Map(map) => {
            let mut body = BytesMut::new();
            put_struct(map, &mut body, depth)?;
            put_len_field(out, 0x2a, &body);
        }
        Value::List(list) => {
            let (mut body, mut element) = (BytesMut::new(), BytesMut::new());
            for value in list.values().iter() {
                element.clear();
                put_value(value, &mut element, depth + 1)?;
                put_len_field(&mut body, 0x0a, &element);
            }
            put_len_field(out, 0x32, &body);
        }
        Value::Complex(..) | Value::Moment(_) | Value::Version(_) => {
            put_len_field(out, 0x1a, &format::print(value));
        }
    }
    Ok(())
}

fn put_number(number: f64, out: &mut BytesMut) {
    out.put_u8(0x11);
    out.put_f64_le(number);
}

fn utf8(bytes: &[u8]) -> Result<(), Fault> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(Fault::type_error(
            "a text that is no UTF-8 does not fit a Struct",
        )),
    }
}
