//! Owns the few protobuf writing primitives a template needs.
//!
//! Templates are built once per run, so these favour being obvious over being quick.

/// Bytes of `value` as a base-128 varint.
pub(super) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Appends a `ProcessRequest` that is a receipt for everything up to `ack` on this connection.
pub fn put_receipt(out: &mut Vec<u8>, ack: u64) {
    let mut flow = Vec::with_capacity(11);
    put_number(&mut flow, 1, ack);
    put_bytes(out, 2, &flow);
}

/// Appends `value` as a base-128 varint.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7F) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a varint field.
pub(super) fn put_number(out: &mut Vec<u8>, field: u32, value: u64) {
    put_varint(out, u64::from(field << 3));
    put_varint(out, value);
}

/// Appends a length-delimited field.
pub(super) fn put_bytes(out: &mut Vec<u8>, field: u32, content: &[u8]) {
    put_varint(out, u64::from((field << 3) | 2));
    put_varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

/// Appends one entry of a `map<string, string>` field.
pub(super) fn put_entry(out: &mut Vec<u8>, field: u32, key: &str, value: &str) {
    let mut entry = Vec::with_capacity(key.len() + value.len() + 6);
    put_bytes(&mut entry, 1, key.as_bytes());
    put_bytes(&mut entry, 2, value.as_bytes());
    put_bytes(out, field, &entry);
}

/// Appends one string member of a `google.protobuf.Struct` (fields = 1, Value.string_value = 3).
pub(super) fn put_struct_text(out: &mut Vec<u8>, key: &str, text: &str) {
    let mut value = Vec::with_capacity(text.len() + 6);
    put_bytes(&mut value, 3, text.as_bytes());
    let mut entry = Vec::with_capacity(value.len() + key.len() + 12);
    put_bytes(&mut entry, 1, key.as_bytes());
    put_bytes(&mut entry, 2, &value);
    put_bytes(out, 1, &entry);
}
