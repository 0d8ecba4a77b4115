//! A message of which most is media, while it comes: its media is left in the pieces of the chunks
//! that it comes in, and only what stands around it is copied.

use bytes::{Bytes, BytesMut};
use transport_proto::splice::{MediaPieces, Parted, Parting};
use transport_proto::view::Dialect;

/// Length of the shortest message of which media is left in pieces: of a shorter one it costs as
/// much as a copy.
pub(super) const LEAST: usize = 16 * 1024;
/// Bytes of a message, its prefix apart, by which it is told where its media begins.
pub(super) const LOOK: usize = 1024;
/// Pieces that are shorter are copied side by side.
const SHORT: usize = 4 * 1024;

/// A message of which the end has not come yet.
#[derive(Debug)]
pub(super) struct Gathering {
    parting: Parting,
    /// The message up to its media.
    head: BytesMut,
    media: MediaPieces,
    /// Media that came in short pieces, behind `media`.
    short: BytesMut,
    tail: BytesMut,
    /// Bytes of media, and behind it, that have not come.
    missing: (usize, usize),
}

impl Gathering {
    /// Begins with a message of `len` bytes, of which `start` is here; `None` where it is to be
    /// copied together. What of `start` belongs to the media is to be [added](Self::add).
    pub(super) fn begin(start: &[u8], len: usize, dialect: Dialect) -> Option<Self> {
        if len < LEAST {
            return None;
        }
        let parting = Parting::find(start, len, dialect)?;
        let media = parting.media();
        Some(Self {
            head: start.get(..media.start)?.into(),
            media: MediaPieces::new(),
            short: BytesMut::new(),
            tail: BytesMut::new(),
            missing: (media.len(), len - media.end),
            parting,
        })
    }

    /// Where the media begins in the message.
    pub(super) fn media_at(&self) -> usize {
        self.head.len()
    }

    /// Takes from `chunk`, of which a slice keeps `pinned` bytes alive, what belongs to the message.
    /// Returns whether it is whole now.
    pub(super) fn add(&mut self, chunk: &mut Bytes, pinned: usize) -> bool {
        let piece = chunk.split_to(self.missing.0.min(chunk.len()));
        self.missing.0 -= piece.len();
        // What is kept for long is charged for its length (spec 6).
        if piece.len() < SHORT || piece.len().saturating_mul(4) < pinned {
            self.short.extend_from_slice(&piece);
        } else {
            self.close();
            self.media.push(piece);
        }
        let tail = chunk.split_to(match self.missing {
            (0, missing) => missing.min(chunk.len()),
            _ => 0,
        });
        self.missing.1 -= tail.len();
        self.tail.extend_from_slice(&tail);
        self.missing == (0, 0)
    }

    fn close(&mut self) {
        if !self.short.is_empty() {
            self.media.push(self.short.split().freeze());
        }
    }

    /// Bytes of the message that have come.
    pub(super) fn arrived(&self) -> usize {
        let (media, tail) = self.missing;
        self.parting.message_len() - media - tail
    }

    /// The whole message.
    pub(super) fn finish(mut self) -> Option<Parted> {
        self.close();
        self.parting.part(&self.head, self.media, &self.tail)
    }
}
