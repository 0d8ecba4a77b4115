//! Fields appended to what was kept, and the heads that go before a packet.
//! Each `*_len` tells exactly what its `put_*` writes.

use bytes::{BufMut, BytesMut};

use crate::view::{Dialect, Slot};
use crate::wire::{len_field_len, put_len_field, put_varint, varint_len};

const KEY: u8 = 0x0a;
const VALUE: u8 = 0x12;
/// Tag of `packet` in `ProcessRequest` and `ProcessResponse`.
const PACKET: u8 = 0x0a;
/// Tag of `flow` beside it, of its `ack` and of its `signal`.
const FLOW: u8 = 0x12;
const FLOW_ACK: u8 = 0x08;
const FLOW_SIGNAL: u8 = 0x38;
/// `FlowControlSignal`.
const PAUSE: u8 = 1;
const RESUME: u8 = 2;

/// Lengths that are written as a varint of two bytes: those of nearly every packet.
const TWO_BYTES: std::ops::Range<usize> = 0x80..0x4000;

/// Bytes of the prefix of a gRPC message: a flag and a length.
pub const GRPC_HEAD_LEN: usize = 5;

#[inline]
fn entry_len(key: &str, value: &str) -> usize {
    len_field_len(key.len()) + len_field_len(value.len())
}

/// Bytes that [`put_metadata`] writes.
#[inline]
#[must_use]
pub fn metadata_len(key: &str, value: &str) -> usize {
    len_field_len(entry_len(key, value))
}

/// Appends a metadata entry; it replaces an earlier one of the same key.
#[inline]
pub fn put_metadata(out: &mut BytesMut, dialect: Dialect, key: &str, value: &str) {
    let tag = dialect.tag(Slot::Metadata);
    let len = entry_len(key, value);
    out.reserve(len_field_len(len));
    if len < 0x80 {
        // All three lengths are one byte: nearly every entry.
        out.extend_from_slice(&[tag, len as u8, KEY, key.len() as u8]);
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(&[VALUE, value.len() as u8]);
        out.extend_from_slice(value.as_bytes());
        return;
    }
    out.put_u8(tag);
    put_varint(out, len as u64);
    put_len_field(out, KEY, key.as_bytes());
    put_len_field(out, VALUE, value.as_bytes());
}

/// Bytes that [`put_inputs`] writes for a Struct of `struct_len` bytes.
#[inline]
#[must_use]
pub fn inputs_len(struct_len: usize) -> usize {
    len_field_len(struct_len)
}

/// Appends inputs: an encoded `google.protobuf.Struct`. Merges into inputs that were
/// not cut out.
#[inline]
pub fn put_inputs(out: &mut BytesMut, dialect: Dialect, encoded_struct: &[u8]) {
    put_len_field(out, dialect.tag(Slot::Inputs), encoded_struct);
}

/// Bytes that [`put_payload`] writes for a Struct of `struct_len` bytes.
#[inline]
#[must_use]
pub fn payload_len(struct_len: usize) -> usize {
    len_field_len(struct_len)
}

/// Appends a payload: an encoded `google.protobuf.Struct`. Merges into a payload that
/// was not cut out.
#[inline]
pub fn put_payload(out: &mut BytesMut, dialect: Dialect, encoded_struct: &[u8]) {
    put_len_field(out, dialect.tag(Slot::Payload), encoded_struct);
}

/// Bytes that [`put_process_head`] writes before a packet of `packet_len` bytes.
#[inline]
#[must_use]
pub fn process_head_len(packet_len: usize) -> usize {
    if TWO_BYTES.contains(&packet_len) {
        return GRPC_HEAD_LEN + 3;
    }
    GRPC_HEAD_LEN + 1 + varint_len(packet_len as u64)
}

/// What stands before the packet of a `ProcessRequest` or `ProcessResponse` on a gRPC
/// stream: the gRPC prefix (not compressed, length of the message), then tag and
/// length of `packet`. A packet of 4 GiB or more cannot be framed; the length is then
/// capped, and such packets are refused long before.
#[inline]
pub fn put_process_head(out: &mut BytesMut, packet_len: usize) {
    // Built aside and appended at once: this runs once per delivery.
    if TWO_BYTES.contains(&packet_len) {
        let message_len = packet_len as u32 + 3;
        let [a, b, c, d] = message_len.to_be_bytes();
        let (low, high) = (packet_len as u8 | 0x80, (packet_len >> 7) as u8);
        return out.extend_from_slice(&[0, a, b, c, d, PACKET, low, high]);
    }
    put_grpc_head(out, 1 + varint_len(packet_len as u64) + packet_len);
    out.put_u8(PACKET);
    put_varint(out, packet_len as u64);
}

/// The prefix of an uncompressed gRPC message of `message_len` bytes (before a
/// `DataResponse`, whose packet is the message itself).
#[inline]
pub fn put_grpc_head(out: &mut BytesMut, message_len: usize) {
    out.put_u8(0);
    out.put_u32(u32::try_from(message_len).unwrap_or(u32::MAX));
}

/// A whole gRPC message: a `ProcessResponse` without a packet, whose flow tells a producer up to
/// which of its own numbers everything is settled, and whether to pause or to resume.
pub fn put_flow(out: &mut BytesMut, ack: Option<u64>, pause: Option<bool>) {
    let ack_len = ack.map_or(0, |ack| 1 + varint_len(ack));
    let flow_len = ack_len + pause.map_or(0, |_| 2);
    put_grpc_head(out, len_field_len(flow_len));
    out.put_u8(FLOW);
    put_varint(out, flow_len as u64);
    if let Some(ack) = ack {
        out.put_u8(FLOW_ACK);
        put_varint(out, ack);
    }
    if let Some(pause) = pause {
        out.extend_from_slice(&[FLOW_SIGNAL, if pause { PAUSE } else { RESUME }]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_the_length_whatever_it_takes_to_write_it() {
        for len in [0, 1, 0x7f, 0x80, 0x81, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000] {
            let mut head = BytesMut::new();
            put_process_head(&mut head, len);
            assert_eq!(head.len(), process_head_len(len), "{len}");
            let mut expected = BytesMut::new();
            let message_len = 1 + varint_len(len as u64) + len;
            put_grpc_head(&mut expected, message_len);
            expected.put_u8(PACKET);
            put_varint(&mut expected, len as u64);
            assert_eq!(head, expected, "{len}");
        }
    }
}
