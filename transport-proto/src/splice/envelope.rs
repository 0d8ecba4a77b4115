//! The envelope of a routed packet: the original one under a new identity.

use bytes::{BufMut, BytesMut};

use super::rest::Rest;
use crate::view::{Dialect, PARTITION, PacketView, SEQUENCE, STREAM_ID, Slot};
use crate::wire::{len_field_len, put_len_field, put_varint, varint_len};

/// Everything of the original envelope except `stream_id` and `sequence`, in order.
fn rest(packet: &[u8], view: &PacketView) -> Rest {
    if !view.envelope_has_more() {
        return Rest::default();
    }
    Rest::of(packet, view.bodies(Slot::Envelope), &[STREAM_ID, SEQUENCE])
}

#[inline]
fn identity_len(stream_id: &str, sequence: u64) -> usize {
    len_field_len(stream_id.len()) + 1 + varint_len(sequence)
}

/// Bytes that [`put_envelope`] writes.
#[must_use]
pub fn envelope_len(packet: &[u8], view: &PacketView, stream_id: &str, sequence: u64) -> usize {
    len_field_len(rest(packet, view).len() + identity_len(stream_id, sequence))
}

/// Appends the envelope of a routed packet: everything of the original one
/// (partition, chunk fields, unknown fields) except `stream_id` and `sequence`, which
/// are written anew, the sequence explicitly also when it is 0 (spec 1). The original
/// envelope should have been cut out; if it was not, the result means the same, but
/// unknown fields are there twice.
#[expect(
    clippy::too_many_arguments,
    reason = "two packets' worth of identity, each argument is one fact"
)]
pub fn put_envelope(
    out: &mut BytesMut,
    dialect: Dialect,
    packet: &[u8],
    view: &PacketView,
    stream_id: &str,
    sequence: u64,
) {
    let rest = rest(packet, view);
    out.put_u8(dialect.tag(Slot::Envelope));
    put_varint(out, (rest.len() + identity_len(stream_id, sequence)) as u64);
    rest.copy_to(packet, out);
    put_len_field(out, STREAM_ID as u8, stream_id.as_bytes());
    out.put_u8(SEQUENCE as u8);
    put_varint(out, sequence);
}

/// Which stream a routed packet belongs to, and its place in it.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The stream; at most 128 characters.
    pub stream_id: &'a str,
    /// Its place in the stream, or in its partition.
    pub sequence: u64,
    /// The partition; at most 128 characters.
    pub partition: &'a str,
}

/// [`put_envelope`] with the partition written anew, too.
pub fn put_partitioned_envelope(
    out: &mut BytesMut,
    dialect: Dialect,
    (packet, view): (&[u8], &PacketView),
    identity: &Identity<'_>,
) {
    let rest = if view.envelope_has_more() {
        let written = [STREAM_ID, SEQUENCE, PARTITION];
        Rest::of(packet, view.bodies(Slot::Envelope), &written)
    } else {
        Rest::default()
    };
    let Identity {
        stream_id,
        sequence,
        partition,
    } = *identity;
    let own = identity_len(stream_id, sequence) + len_field_len(partition.len());
    out.put_u8(dialect.tag(Slot::Envelope));
    put_varint(out, (rest.len() + own) as u64);
    rest.copy_to(packet, out);
    put_len_field(out, PARTITION as u8, partition.as_bytes());
    put_len_field(out, STREAM_ID as u8, stream_id.as_bytes());
    out.put_u8(SEQUENCE as u8);
    put_varint(out, sequence);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_replaces_the_packets_own_and_the_rest_stays() {
        // partition "own", chunk_id "c", sequence 9, an unknown field
        let body = b"\x1a\x03own\x22\x01c\x10\x09\x78\x01";
        let mut packet = vec![Dialect::Packet.tag(Slot::Envelope), body.len() as u8];
        packet.extend_from_slice(body);
        let view = PacketView::parse(&packet, Dialect::Packet).unwrap();
        let identity = Identity {
            stream_id: "s",
            sequence: 300,
            partition: "p3",
        };
        let mut out = BytesMut::new();
        put_partitioned_envelope(&mut out, Dialect::Packet, (&packet, &view), &identity);
        let view = PacketView::parse(&out, Dialect::Packet).unwrap();
        let envelope = view.envelope().unwrap();
        assert_eq!(envelope.partition(&out), "p3");
        assert_eq!(envelope.chunk_id(&out), "c");
        assert_eq!(envelope.sequence(), 300);
        assert!(out.windows(2).any(|two| two == b"\x78\x01"));
        assert!(!out.windows(3).any(|three| three == b"own"));
    }
}
