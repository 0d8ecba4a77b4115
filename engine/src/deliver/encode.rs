//! Writing one routed packet into a queue: `[gRPC prefix][tag + length][kept ranges][tail]`.
//!
//! What waits is always a `ProcessResponse`, whichever contract it came by and will leave by: a
//! packet that is numbered as on the connector contract is renumbered here (spec 1).

use bytes::{Bytes, BytesMut};
use transport_proto::splice::{Kept, process_head_len, put_process_head};
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
        self.kept.len() + self.tail.len()
    }

    /// Appends it to `sink`, every byte copied.
    #[inline(always)] // a call would read the packet's parts through memory again
    pub(crate) fn copy(&self, sink: &mut impl Sink, wire_len: usize) {
        let out = sink.room(wire_len);
        put_process_head(out, self.packet_len());
        self.put_kept(out);
        out.extend_from_slice(self.tail);
    }

    /// Appends it to `sink`, sharing large ranges with the buffer it came in.
    pub(crate) fn share(&self, sink: &mut impl Sink) {
        put_process_head(sink.room(16), self.packet_len());
        if self.view.dialect() != Dialect::Packet {
            return self.share_renumbered(sink);
        }
        for range in self.kept.ranges() {
            let (from, to) = (
                self.start + range.start as usize,
                self.start + range.end as usize,
            );
            if to - from > SHARE_ABOVE {
                sink.share(self.source.slice(from..to));
            } else {
                sink.room(to - from)
                    .extend_from_slice(&self.source[from..to]);
            }
        }
        sink.room(self.tail.len()).extend_from_slice(self.tail);
    }

    /// The same for a packet that came by the connector contract: its fields one by one.
    fn share_renumbered(&self, sink: &mut impl Sink) {
        let (packet, view) = (self.packet(), self.view);
        self.kept
            .each_renumbered(packet, view, Dialect::Packet, |tag, range| {
                let (from, to) = (self.start + range.start, self.start + range.end);
                share_or_copy(sink, tag, (self.source, from..to));
            });
        sink.room(self.tail.len()).extend_from_slice(self.tail);
    }

    /// What is kept, in a buffer of its own.
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

    /// The whole message in a buffer of its own.
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
    (source, at): (&Bytes, std::ops::Range<usize>),
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
