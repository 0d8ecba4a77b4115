//! The bytes of packets that are kept until their receipt.
//!
//! Owns bytes by position: what is written stays where it is until everything before it has been
//! released, so that it can be handed out again without a copy. Which packet lies where is known by
//! the log.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::deliver::encode::{SHARE_ABOVE, Sink};
use crate::deliver::spool::Pieces;

/// First size of a buffer for copied bytes; it doubles while more is kept.
const SMALLEST: usize = 2 * 1024;
/// Largest buffer for copied bytes.
const LARGEST: usize = 64 * 1024;
/// Most buffers that are kept to be taken up again.
const SPARES: usize = 8;

/// A stretch of bytes and where it starts.
#[derive(Debug)]
struct Segment {
    start: u64,
    bytes: Bytes,
}

impl Segment {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

/// Bytes that are kept, addressed by position. Positions only grow.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// Finished stretches, oldest first, without gaps between neighbours.
    segments: VecDeque<Segment>,
    /// Where small messages are copied to; younger than every finished stretch.
    open: BytesMut,
    /// Position of the first byte of `open`.
    open_start: u64,
    /// Full buffers, to be taken up again once all that was handed out of them is gone.
    spares: VecDeque<BytesMut>,
    /// Size of the last buffer.
    grown: usize,
}

impl Store {
    /// An empty store whose first byte will be at `position`.
    pub(super) fn starting_at(position: u64) -> Self {
        Self {
            open_start: position,
            ..Self::default()
        }
    }

    /// Writes what another store handed out: small pieces are copied, large ones shared.
    pub(super) fn keep(&mut self, pieces: Pieces) {
        for piece in pieces {
            if piece.len() > SHARE_ABOVE {
                self.share(piece);
            } else {
                self.room(piece.len()).extend_from_slice(&piece);
            }
        }
    }

    /// The position after the last byte.
    pub(super) fn end(&self) -> u64 {
        self.open_start + self.open.len() as u64
    }

    /// Hands out the bytes from `from` to `to`, which must be kept still.
    pub(super) fn slice(&mut self, from: u64, to: u64, out: &mut Pieces) {
        if to > self.open_start {
            self.close();
        }
        let first = self.segments.partition_point(|s| s.end() <= from);
        for segment in self.segments.range(first..) {
            if segment.start >= to {
                break;
            }
            let start = from.saturating_sub(segment.start) as usize;
            let end = (to.min(segment.end()) - segment.start) as usize;
            out.push(segment.bytes.slice(start..end));
        }
    }

    /// Lets go of everything before `position`.
    pub(super) fn release_before(&mut self, position: u64) {
        while self.segments.front().is_some_and(|s| s.end() <= position) {
            self.segments.pop_front();
        }
        if self.segments.is_empty() && position > self.open_start {
            let gone = (position - self.open_start).min(self.open.len() as u64);
            drop(self.open.split_to(gone as usize));
            self.open_start += gone;
        }
    }

    /// Gives memory back when nothing is kept.
    pub(super) fn rest(&mut self) {
        if self.segments.is_empty() && self.open.is_empty() {
            self.open = BytesMut::new();
            self.spares = VecDeque::new();
            self.grown = 0;
        }
    }

    #[cold]
    fn change_buffer(&mut self, additional: usize) {
        // Close the full buffer instead of moving its bytes into a larger one.
        self.close();
        let size = additional.max(self.grown);
        if self.grown > 0 && self.open.try_reclaim(size) {
            return;
        }
        let full = std::mem::take(&mut self.open);
        if full.capacity() > 0 || self.grown > 0 {
            self.spares.push_back(full);
        }
        if let Some(mut oldest) = self.spares.pop_front() {
            if oldest.try_reclaim(size) {
                self.open = oldest;
                return;
            }
            self.spares.push_front(oldest);
        }
        self.spares.truncate(SPARES);
        self.grown = (self.grown * 2).clamp(SMALLEST, LARGEST);
        self.open = BytesMut::with_capacity(additional.max(self.grown));
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            let bytes = self.open.split().freeze();
            let start = self.open_start;
            self.open_start += bytes.len() as u64;
            self.segments.push_back(Segment { start, bytes });
        }
    }
}

impl Sink for Store {
    #[inline]
    fn room(&mut self, additional: usize) -> &mut BytesMut {
        if self.open.capacity() - self.open.len() < additional {
            self.change_buffer(additional);
        }
        &mut self.open
    }

    fn share(&mut self, bytes: Bytes) {
        self.close();
        let start = self.open_start;
        self.open_start += bytes.len() as u64;
        self.segments.push_back(Segment { start, bytes });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(pieces: &Pieces) -> Vec<u8> {
        pieces.iter().flat_map(|p| p.iter().copied()).collect()
    }

    proptest! {
        /// Whatever is written, shared and released: any stretch that is kept reads as it was
        /// written, as often as it is asked for.
        #[test]
        fn kept_bytes_read_as_they_were_written(
            steps in proptest::collection::vec((0u8..4, 0usize..5000, any::<u16>()), 1..60)
        ) {
            let (mut store, mut written, mut released, mut next) =
                (Store::default(), Vec::<u8>::new(), 0usize, 0u8);
            for (kind, size, at) in steps {
                let fresh: Vec<u8> = (0..size).map(|_| { next = next.wrapping_add(1); next }).collect();
                match kind {
                    0 => { store.room(size).extend_from_slice(&fresh); written.extend(&fresh); }
                    1 if size > 0 => { store.share(Bytes::from(fresh.clone())); written.extend(&fresh); }
                    2 => {
                        released += size.min(written.len() - released);
                        store.release_before(released as u64);
                    }
                    _ => {}
                }
                prop_assert_eq!(store.end(), written.len() as u64);
                let from = released + usize::from(at) % (written.len() - released + 1);
                let to = from + size.min(written.len() - from);
                let mut out = Pieces::new();
                store.slice(from as u64, to as u64, &mut out);
                prop_assert_eq!(all(&out), &written[from..to]);
            }
            store.release_before(written.len() as u64);
            prop_assert!(store.segments.is_empty());
        }
    }
}
