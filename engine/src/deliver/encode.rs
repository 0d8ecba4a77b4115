//! Writing one routed packet into a queue: `[gRPC prefix][tag + length][kept ranges][tail]`.
//!
//! What waits is always a `ProcessResponse`, whichever contract it came by and will leave by: a
//! packet that is numbered as on the connector contract is renumbered here (spec 1).

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use transport_proto::splice::{Kept, Parted, process_head_len, put_process_head};
use transport_proto::view::{Dialect, PacketView};

/// Where encoded packets are written to.
pub(crate) trait Sink {
    /// A buffer at the end with room for `additional` bytes; what is appended to it is written.
    fn room(&mut self, additional: usize) -> &mut BytesMut;

    /// Appends `bytes` without copying them.
    fn share(&mut self, bytes: Bytes);
}

/// Kept ranges longer than this are shared, shorter ones copied (spec 6).
pub(crate) const SHARE_ABOVE: usize = 4 * 1024;

/// A packet as one target gets it, not yet written anywhere.
pub(crate) struct Encoded<'a> {
    /// The buffer that the packet came in.
    pub source: &'a Bytes,
    /// Where the packet starts in `source`.
    pub start: usize,
    /// The result of walking it.
    pub view: &'a PacketView,
    /// What stays of the packet; ranges count from `start`.
    pub kept: &'a Kept,
    /// The media in pieces, where `source` is a skeleton. Its frame is kept.
    pub parted: Option<&'a Parted>,
    /// What this target's edge appends.
    pub tail: &'a [u8],
}

/// Length on the wire of a packet of `packet_len` bytes, gRPC prefix included.
#[inline]
pub(crate) fn wire_len(packet_len: usize) -> usize {
    process_head_len(packet_len) + packet_len
}

impl Encoded<'_> {
    /// Length of the packet after the splice, in bytes.
    #[inline]
    pub(crate) fn packet_len(&self) -> usize {
        let added = self.parted.map_or(0, Parted::added);
        self.kept.len() + added + self.tail.len()
    }

    /// Appends it to `sink`, every byte copied, where it is in one piece.
    #[inline(always)] // a call would read the packet's parts through memory again
    pub(crate) fn copy(&self, sink: &mut impl Sink, wire_len: usize) {
        let out = sink.room(wire_len);
        put_process_head(out, self.kept.len() + self.tail.len());
        self.put_kept(out);
        out.extend_from_slice(self.tail);
    }

    /// Appends it to `sink`, sharing large ranges with the buffer it came in.
    pub(crate) fn share(&self, sink: &mut impl Sink) {
        put_process_head(sink.room(16), self.packet_len());
        self.share_kept(sink);
        sink.room(self.tail.len()).extend_from_slice(self.tail);
    }

    /// Appends what is kept. Of a packet that came by the connector contract that is its fields, one
    /// by one.
    fn share_kept(&self, sink: &mut impl Sink) {
        if self.view.dialect() == Dialect::Packet {
            for range in self.kept.ranges() {
                self.share_stretch(sink, None, range.start as usize..range.end as usize);
            }
        } else {
            let (packet, view) = (self.packet(), self.view);
            self.kept
                .each_renumbered(packet, view, Dialect::Packet, |tag, range| {
                    self.share_stretch(sink, tag, range);
                });
        }
    }

    /// Appends a stretch of the packet, and the media that belongs into it.
    fn share_stretch(&self, sink: &mut impl Sink, tag: Option<u8>, range: Range<usize>) {
        let at = |range: Range<usize>| self.start + range.start..self.start + range.end;
        let around = self.parted.and_then(|p| Some((p, p.around(&range)?)));
        let Some((parted, (before, behind))) = around else {
            return share_or_copy(sink, tag, (self.source, at(range)));
        };
        share_or_copy(sink, tag, (self.source, at(before)));
        let head = parted.head();
        sink.room(head.len()).extend_from_slice(head);
        for piece in parted.media() {
            share_or_copy(sink, None, (piece, 0..piece.len()));
        }
        share_or_copy(sink, None, (self.source, at(behind)));
    }

    /// What is kept of a packet in one piece, in a buffer of its own.
    pub(crate) fn kept_copy(&self) -> Bytes {
        let mut kept = BytesMut::with_capacity(self.kept.len());
        self.put_kept(&mut kept);
        kept.freeze()
    }

    /// Appends it to `sink` with `kept`, a [`kept_copy`](Self::kept_copy), in place of what is
    /// kept of the buffer it came in.
    pub(crate) fn share_copy(&self, sink: &mut impl Sink, kept: Bytes) {
        put_process_head(sink.room(16), self.packet_len());
        sink.share(kept);
        sink.room(self.tail.len()).extend_from_slice(self.tail);
    }

    /// The whole message of a packet in one piece, in a buffer of its own.
    pub(crate) fn to_message(&self) -> BytesMut {
        let mut out = BytesMut::with_capacity(wire_len(self.packet_len()));
        put_process_head(&mut out, self.packet_len());
        self.put_kept(&mut out);
        out.extend_from_slice(self.tail);
        out
    }

    #[inline]
    fn put_kept(&self, out: &mut BytesMut) {
        if self.view.dialect() == Dialect::Packet {
            self.kept.copy_to(self.packet(), out);
        } else {
            let (packet, view) = (self.packet(), self.view);
            self.kept
                .copy_renumbered(packet, view, Dialect::Packet, out);
        }
    }

    #[inline]
    fn packet(&self) -> &[u8] {
        &self.source[self.start..]
    }
}

/// Writes one field, or a stretch of them: the `tag` that its first byte becomes, if it changes, and
/// then the bytes at a range of a buffer, which are shared when they are many.
pub(crate) fn share_or_copy(
    sink: &mut impl Sink,
    tag: Option<u8>,
    (source, at): (&Bytes, Range<usize>),
) {
    if at.len() > SHARE_ABOVE {
        sink.room(1).extend(tag);
        sink.share(source.slice(at));
    } else {
        let out = sink.room(at.len() + 1);
        out.extend(tag);
        out.extend_from_slice(source.get(at).unwrap_or_default());
    }
}
