//! Packets as producers write them.

use super::*;

pub(super) fn packet(label: &str, size: usize) -> Bytes {
    let mut out = BytesMut::new();
    put_metadata(&mut out, Dialect::Packet, "n", label);
    put_binary(&mut out, size);
    out.freeze()
}

/// Field 7 of a DataPacket: a BinaryFrame with `size` bytes of payload.
pub(super) fn put_binary(out: &mut BytesMut, size: usize) {
    let mut frame = BytesMut::from(&[0x0a][..]);
    put_varint(&mut frame, size);
    frame.resize(frame.len() + size, b'x');
    out.extend_from_slice(&[0x3a]);
    put_varint(out, frame.len());
    out.extend_from_slice(&frame);
}

fn put_varint(out: &mut BytesMut, mut n: usize) {
    while n >= 0x80 {
        out.extend_from_slice(&[(n as u8) | 0x80]);
        n >>= 7;
    }
    out.extend_from_slice(&[n as u8]);
}

/// `packet` with the producer's own number.
pub(super) fn numbered(packet: &Bytes, number: u64) -> Bytes {
    let mut out = BytesMut::from(&packet[..]);
    let empty = PacketView::parse(&[], Dialect::Packet).unwrap();
    put_envelope(&mut out, Dialect::Packet, &[], &empty, "own", number);
    out.freeze()
}

/// A packet whose own envelope names a partition.
pub(super) fn in_partition(partition: &str) -> Bytes {
    let mut out = BytesMut::from(&packet("x", 10)[..]);
    let mut envelope = vec![0x1a, partition.len() as u8];
    envelope.extend_from_slice(partition.as_bytes());
    out.extend_from_slice(&[0x42, envelope.len() as u8]);
    out.extend_from_slice(&envelope);
    out.freeze()
}

/// Chunk `index` of `count` of the payload `id`, with the producer's number when it is not 0.
pub(super) fn chunk(id: &str, index: u8, count: u8, number: u8) -> Bytes {
    chunk_of(id, (index, count, number), 10)
}

/// The same with `size` bytes of payload; `place` is index, count and number.
pub(super) fn chunk_of(id: &str, (index, count, number): (u8, u8, u8), size: usize) -> Bytes {
    let mut out = BytesMut::from(&packet(&format!("{id}{index}"), size)[..]);
    let mut envelope = vec![0x0a, 3, b'o', b'w', b'n', 0x22, id.len() as u8];
    envelope.extend_from_slice(id.as_bytes());
    envelope.extend_from_slice(&[0x28, index, 0x30, count]);
    if number > 0 {
        envelope.extend_from_slice(&[0x10, number]);
    }
    out.extend_from_slice(&[0x42, envelope.len() as u8]);
    out.extend_from_slice(&envelope);
    out.freeze()
}

/// The same in a partition; `place` is index, count and number.
pub(super) fn chunk_in(id: &str, (index, count, number): (u8, u8, u8), partition: &str) -> Bytes {
    let whole = chunk(id, index, count, number);
    let mut out = BytesMut::from(&whole[..]);
    let mut envelope = vec![0x1a, partition.len() as u8];
    envelope.extend_from_slice(partition.as_bytes());
    // A second occurrence merges into the first.
    out.extend_from_slice(&[0x42, envelope.len() as u8]);
    out.extend_from_slice(&envelope);
    out.freeze()
}

/// The first of `count` chunks of the payload "x".
pub(super) fn first_of(count: usize) -> Bytes {
    let mut out = BytesMut::from(&chunk("x", 0, 2, 0)[..]);
    let mut envelope = BytesMut::from(&[0x30][..]);
    put_varint(&mut envelope, count);
    out.extend_from_slice(&[0x42, envelope.len() as u8]);
    out.extend_from_slice(&envelope);
    out.freeze()
}

pub(super) fn in_turn(label: &str, turn: u64) -> Bytes {
    let mut out = BytesMut::new();
    put_metadata(&mut out, Dialect::Packet, "bubu.turn", &turn.to_string());
    out.extend_from_slice(&packet(label, 10));
    out.freeze()
}

pub(super) fn directive(word: &str, turn: u64) -> Bytes {
    let mut out = BytesMut::new();
    put_metadata(&mut out, Dialect::Packet, "hub-control", word);
    put_metadata(&mut out, Dialect::Packet, "bubu.turn", &turn.to_string());
    out.freeze()
}

/// A video frame whose first byte says whether it is a VP8 key frame.
pub(super) fn video(label: &str, key: bool) -> Bytes {
    let mut out = BytesMut::new();
    put_metadata(&mut out, Dialect::Packet, "n", label);
    let first = u8::from(!key);
    out.extend_from_slice(&[0x32, 8, 0x0a, 1, first, 0x12, 3, b'v', b'p', b'8']);
    out.freeze()
}

/// An audio frame at `timestamp_ms` (below 128).
pub(super) fn audio(label: &str, timestamp_ms: u8) -> Bytes {
    let mut out = BytesMut::new();
    put_metadata(&mut out, Dialect::Packet, "n", label);
    let frame = [0x0a, 1, 7, 0x10, 0x80, 0x7d, 0x18, 1, 0x28, timestamp_ms];
    out.extend_from_slice(&[0x2a, frame.len() as u8]);
    out.extend_from_slice(&frame);
    out.freeze()
}
