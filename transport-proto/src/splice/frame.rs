//! A binary frame whose payload is written anew.

use bytes::{BufMut, BytesMut};

use super::rest::Rest;
use crate::names::mime;
use crate::view::{Dialect, Field, FrameKind, PacketView, Slot};
use crate::wire::{len_field_len, put_len_field, put_varint};

/// Tag of `payload` inside a binary frame.
const PAYLOAD: u32 = 0x0a;
/// Tag of `mime_type` inside a binary frame.
const MIME_TYPE: u8 = 0x12;

/// Appends the packet's binary frame with `payload` in place of its own; everything else of it
/// stays (media type, media time, unknown fields). The original frame should have been cut out.
/// A packet with another frame, or with none, gets a binary frame that has only a payload.
pub fn put_binary_frame(
    out: &mut BytesMut,
    dialect: Dialect,
    (packet, view): (&[u8], &PacketView),
    payload: &[u8],
) {
    let rest = if view.frame() == Some(FrameKind::Binary) {
        // The frame is a oneof: what came before a frame of another kind is gone.
        let fields = view.fields();
        let is_other = |slot| matches!(slot, Slot::Audio | Slot::Video);
        let start = fields.iter().rposition(|f| is_other(f.slot)).unwrap_or(0);
        let last = fields.iter().skip(start).filter(|f| f.slot == Slot::Binary);
        Rest::of(packet, last.map(Field::body), &[PAYLOAD])
    } else {
        Rest::default()
    };
    out.put_u8(dialect.tag(Slot::Binary));
    put_varint(out, (rest.len() + len_field_len(payload.len())) as u64);
    rest.copy_to(packet, out);
    put_len_field(out, PAYLOAD as u8, payload);
}

/// Bytes of the field that [`put_envelope_frame`] writes for `json`.
fn envelope_frame_len(json: &[u8]) -> usize {
    len_field_len(json.len()) + len_field_len(mime::PACKET_JSON.len())
}

/// Appends a binary frame that is a JSON envelope (spec 1).
pub fn put_envelope_frame(out: &mut BytesMut, dialect: Dialect, json: &[u8]) {
    out.put_u8(dialect.tag(Slot::Binary));
    put_varint(out, envelope_frame_len(json) as u64);
    put_len_field(out, PAYLOAD as u8, json);
    put_len_field(out, MIME_TYPE, mime::PACKET_JSON.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Dialect::Packet;

    /// A packet with a binary frame, its media type and an unknown field, then `more`.
    fn framed(more: &[u8]) -> Vec<u8> {
        let body = b"\x0a\x03old\x12\x03a/b\x18\x07\x78\x01";
        let mut packet = vec![Packet.tag(Slot::Binary), body.len() as u8];
        packet.extend_from_slice(body);
        packet.extend_from_slice(more);
        packet
    }

    fn rewritten(packet: &[u8]) -> BytesMut {
        let view = PacketView::parse(packet, Packet).unwrap();
        let mut out = BytesMut::new();
        put_binary_frame(&mut out, Packet, (packet, &view), b"new");
        out
    }

    #[test]
    fn all_but_the_payload_stays() {
        let out = rewritten(&framed(b""));
        let view = PacketView::parse(&out, Packet).unwrap();
        assert_eq!(view.mime_type(&out), Some("a/b"));
        assert_eq!(view.timestamp_ms(), Some(7));
        let media = view.frame_view().unwrap().media();
        assert_eq!(&out[media], b"new");
        assert!(out.windows(2).any(|two| two == b"\x78\x01"));
    }

    #[test]
    fn what_another_frame_replaced_does_not_come_back() {
        // An audio frame, then a binary one without a media type.
        let tags = (Packet.tag(Slot::Audio), Packet.tag(Slot::Binary));
        let out = rewritten(&framed(&[tags.0, 0, tags.1, 0]));
        let view = PacketView::parse(&out, Packet).unwrap();
        assert_eq!(view.mime_type(&out), None);
        assert_eq!(view.timestamp_ms(), None);
    }
}
