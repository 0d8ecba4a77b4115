//! A packet whose media is left in the pieces in which it came.
//!
//! Owns where the media of a message stands ([`Parting`]), known from its first bytes, and the
//! packet without it ([`Parted`]): a *skeleton*, a sound packet of the contract whose media is
//! empty. Everything that does not look at media reads the skeleton as if it were the packet; what
//! is written of it is the packet, byte for byte as it came. Never looks at media, and never judges
//! the rest: a skeleton that is malformed stands for a packet that is.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use crate::limits::MAX_MEDIA_BYTES;
use crate::view::{Dialect, is_frame_tag};
use crate::wire::{Cursor, LEN, put_varint, tag};

/// Tag of a `ProcessRequest`'s packet.
const PACKET: u32 = tag(1, LEN);
/// Tag of `pcm` or `payload`, in a frame of any kind.
const MEDIA: u32 = tag(1, LEN);

/// Where the media of a message stands. Offsets count in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The packet; it ends where the message does.
    packet: usize,
    /// The frame's length, and the frame.
    frame_len: Range<usize>,
    frame_end: usize,
    /// The media's length is what stands between the tag and the media.
    media_len: usize,
    media: Range<usize>,
    message_len: usize,
}

/// The pieces of media, in order.
pub type MediaPieces = SmallVec<[Bytes; 6]>;

/// A packet whose media is left in the pieces in which it came.
#[derive(Clone, Debug)]
pub struct Parted {
    skeleton: Bytes,
    /// What of the skeleton stands for `head` and the media.
    instead: Range<usize>,
    /// The packet's own bytes from the frame's length to the media.
    head: Bytes,
    media: MediaPieces,
    media_len: usize,
}

impl Parting {
    /// Finds the media of a message of `len` bytes, of which `start` has come: a `ProcessRequest`
    /// that is nothing but a packet, or a `DataRequest`. `None` where the media is less than half of
    /// it, more than the contract allows, or does not begin in `start`.
    #[must_use]
    pub fn find(start: &[u8], len: usize, dialect: Dialect) -> Option<Self> {
        let mut cursor = Cursor::new(start);
        if dialect == Dialect::Packet {
            let tag = cursor.tag().ok()?;
            if tag != PACKET || ahead(&mut cursor, len)?.end != len {
                return None;
            }
        }
        let packet = cursor.at();
        while !cursor.is_done() {
            let tag = cursor.tag().ok()?;
            let frame_len = cursor.at();
            if !is_frame_tag(dialect, tag) {
                cursor.skip(tag).ok()?;
                continue;
            }
            let frame = ahead(&mut cursor, len)?;
            if let Some((media_len, media)) = media_in(start, &frame)? {
                return (2 * media.len() >= len && media.len() <= MAX_MEDIA_BYTES).then_some(
                    Self {
                        packet,
                        frame_len: frame_len..frame.start,
                        frame_end: frame.end,
                        media_len,
                        media,
                        message_len: len,
                    },
                );
            }
            cursor = Cursor::within(start, frame.end..start.len());
        }
        None
    }

    /// Where the media stands in the message.
    #[must_use]
    pub fn media(&self) -> Range<usize> {
        self.media.clone()
    }

    /// Bytes of the message.
    #[must_use]
    pub fn message_len(&self) -> usize {
        self.message_len
    }

    /// Puts the packet together: `head` is the message up to the media, `tail` what follows it.
    /// `None` where these are not as long as they must be.
    #[must_use]
    pub fn part(&self, head: &[u8], media: MediaPieces, tail: &[u8]) -> Option<Parted> {
        let media_len = media.iter().map(Bytes::len).sum();
        let is_whole = head.len() == self.media.start
            && media_len == self.media.len()
            && tail.len() == self.message_len - self.media.end;
        let original = head.get(self.frame_len.start..).filter(|_| is_whole)?;
        let before = head.get(self.packet..self.frame_len.start)?;
        // The frame up to its media's length, which is 0 here.
        let frame = head.get(self.frame_len.end..self.media_len)?;
        let frame_rest = self.frame_end - self.media.end;
        let mut skeleton = BytesMut::with_capacity(head.len() + tail.len());
        skeleton.extend_from_slice(before);
        put_varint(&mut skeleton, (frame.len() + 1 + frame_rest) as u64);
        skeleton.extend_from_slice(frame);
        put_varint(&mut skeleton, 0);
        let instead = before.len()..skeleton.len();
        skeleton.extend_from_slice(tail);
        Some(Parted {
            skeleton: skeleton.freeze(),
            instead,
            head: Bytes::copy_from_slice(original),
            media,
            media_len,
        })
    }
}

/// The length that is next, and the bytes that it counts, of which only the first may have come.
/// They must end within `len`.
fn ahead(cursor: &mut Cursor<'_>, len: usize) -> Option<Range<usize>> {
    let count = usize::try_from(cursor.varint().ok()?).ok()?;
    let end = cursor.at().checked_add(count)?;
    (end <= len).then(|| cursor.at()..end)
}

/// Media in a frame that begins in `start`: where its length stands, and where it does itself. `None`
/// in `Some` where the frame has none, `None` where that is not known.
fn media_in(start: &[u8], frame: &Range<usize>) -> Option<Option<(usize, Range<usize>)>> {
    let here = frame.end.min(start.len());
    let mut cursor = Cursor::within(start, frame.start..here);
    while !cursor.is_done() {
        let tag = cursor.tag().ok()?;
        let at = cursor.at();
        if tag == MEDIA {
            return ahead(&mut cursor, frame.end).map(|media| Some((at, media)));
        }
        cursor.skip(tag).ok()?;
    }
    (here == frame.end).then_some(None)
}

impl Parted {
    /// The packet with empty media.
    #[inline]
    #[must_use]
    pub fn skeleton(&self) -> &Bytes {
        &self.skeleton
    }

    /// Bytes that the packet has beyond its skeleton.
    #[inline]
    #[must_use]
    pub fn added(&self) -> usize {
        self.head.len() + self.media_len - self.instead.len()
    }

    /// Bytes of the packet.
    #[must_use]
    pub fn packet_len(&self) -> usize {
        self.skeleton.len() + self.added()
    }

    /// What of `range`, a stretch of the skeleton, stands before the frame's length and behind the
    /// media, where it covers both: between them belong [`head`](Self::head) and
    /// [`media`](Self::media). Otherwise it stands for itself.
    #[must_use]
    pub fn around(&self, range: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
        let is_covered = range.start <= self.instead.start && self.instead.end <= range.end;
        is_covered.then(|| {
            let before = range.start..self.instead.start;
            (before, self.instead.end..range.end)
        })
    }

    /// The packet's bytes from the frame's length to the media.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The media's pieces.
    #[must_use]
    pub fn media(&self) -> &[Bytes] {
        &self.media
    }

    /// The packet in one piece, copied together.
    #[must_use]
    pub fn joined(&self) -> Bytes {
        let mut whole = BytesMut::with_capacity(self.packet_len());
        let (before, behind) = self.skeleton.split_at(self.instead.end);
        whole.extend_from_slice(before.split_at(self.instead.start).0);
        whole.extend_from_slice(&self.head);
        for piece in &self.media {
            whole.extend_from_slice(piece);
        }
        whole.extend_from_slice(behind);
        whole.freeze()
    }
}
