//! The pieces that a queued message comes in.

use bytes::{Buf, Bytes, BytesMut};
use smallvec::SmallVec;
use transport_proto::splice::GRPC_HEAD_LEN;
use transport_proto::view::PacketView;
use transport_proto::wire::Cursor;

/// A piece of a packet: whole fields, or one large frame whose tag was written apart.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// The tag, if it stands apart.
    pub(super) tag: Option<u8>,
    pub(super) bytes: Bytes,
}

/// The pieces of one packet.
pub(super) type Segments = SmallVec<[Segment; 4]>;

impl Segment {
    pub(super) fn of(bytes: Bytes) -> Self {
        Self { tag: None, bytes }
    }

    /// Has `view` look at it; whether it is what a piece may be.
    pub(super) fn walk(&self, view: &mut PacketView) -> bool {
        match self.tag {
            None => view.walk(&self.bytes).is_ok(),
            Some(tag) => view.walk_apart(tag, &self.bytes).is_ok(),
        }
    }
}

/// The packet of a queued message, without the heads before it; `None` where it is cut otherwise.
pub(super) fn segments_of(message: &[Bytes], view: &mut PacketView) -> Option<Segments> {
    let first = message.first()?;
    let mut pieces = message.iter().cloned();
    pieces.next();
    let mut segments = Segments::new();
    let mut tag = None;
    for mut bytes in std::iter::once(first.slice(head_len(first)?..)).chain(pieces) {
        let mut segment = Segment {
            tag: tag.take(),
            bytes: bytes.clone(),
        };
        if message.len() > 1 && !segment.walk(view) {
            // It may end with the tag of what comes next.
            tag = bytes
                .split_off(bytes.len().saturating_sub(1))
                .first()
                .copied();
            segment.bytes = bytes;
            if tag.is_none() || segment.tag.is_some() || !segment.walk(view) {
                return None;
            }
        }
        if !segment.bytes.is_empty() || segment.tag.is_some() {
            segments.push(segment);
        }
    }
    (tag.is_none() && !segments.is_empty()).then_some(segments)
}

/// Bytes of the heads before the packet.
fn head_len(first: &[u8]) -> Option<usize> {
    let mut cursor = Cursor::within(first, GRPC_HEAD_LEN.min(first.len())..first.len());
    cursor.tag().ok()?;
    cursor.varint().ok()?;
    Some(cursor.at())
}

/// The packet of a queued message in one piece.
pub(super) fn joined(message: &[Bytes]) -> Bytes {
    let mut whole = BytesMut::with_capacity(message.iter().map(Bytes::len).sum());
    for piece in message {
        whole.extend_from_slice(piece);
    }
    let head = head_len(&whole).unwrap_or(whole.len());
    whole.advance(head);
    whole.freeze()
}
