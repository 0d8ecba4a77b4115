//! A byte stream that waits for a socket: small messages copied side by side, large payloads
//! shared.
//!
//! Owns bytes only; which message ends where is known by the queue. Copying small messages into
//! one buffer keeps a read buffer from being pinned by a few hundred bytes and lets many messages
//! leave in one DATA frame (spec 6).

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::encode::Sink;

/// First size of a buffer for copied bytes; it doubles while the reader is behind.
const SMALLEST: usize = 2 * 1024;
/// Largest buffer for copied bytes.
const LARGEST: usize = 64 * 1024;

/// Bytes on their way out, in order.
pub type Pieces = SmallVec<[Bytes; 6]>;

/// Bytes that wait, in order.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    /// Finished pieces, oldest first.
    pieces: VecDeque<Bytes>,
    /// Where small messages are copied to; younger than every finished piece.
    open: BytesMut,
    /// The buffer before `open`, taken up again once all that was copied to it has left. Without it
    /// memory is given back to the system and faulted in again thousands of times a second.
    spare: BytesMut,
    /// Size of the next buffer.
    grow: usize,
}

impl Spool {
    /// Moves the first `len` bytes out into `out`. `len` must not exceed what is there.
    pub(crate) fn take(&mut self, mut len: usize, out: &mut Pieces) {
        while len > 0 {
            let Some(front) = self.pieces.front_mut() else {
                break;
            };
            if front.len() <= len {
                len -= front.len();
                out.extend(self.pieces.pop_front());
            } else {
                out.push(front.split_to(len));
                return;
            }
        }
        if len > 0 {
            debug_assert!(len <= self.open.len(), "more taken than was written");
            out.push(self.open.split_to(len.min(self.open.len())).freeze());
        }
    }

    /// Discards the first `len` bytes.
    pub(crate) fn skip(&mut self, len: usize) {
        self.take(len, &mut Pieces::new());
    }

    /// Gives memory back when nothing waits: an idle stream keeps no buffer.
    pub(crate) fn rest(&mut self) {
        if self.pieces.is_empty() && self.open.is_empty() {
            *self = Self::default();
        }
    }

    #[cold]
    fn change_buffer(&mut self, additional: usize) {
        // Close the full buffer instead of moving its bytes into a larger one.
        self.close();
        let size = additional.max(self.grow);
        if self.grow > 0 && self.open.try_reclaim(size) {
            return;
        }
        std::mem::swap(&mut self.open, &mut self.spare);
        if !self.open.try_reclaim(size) {
            self.grow = (self.grow * 2).clamp(SMALLEST, LARGEST);
            self.open = BytesMut::with_capacity(additional.max(self.grow));
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.pieces.push_back(self.open.split().freeze());
        }
    }
}

impl Sink for Spool {
    #[inline]
    fn room(&mut self, additional: usize) -> &mut BytesMut {
        if self.open.capacity() - self.open.len() < additional {
            self.change_buffer(additional);
        }
        &mut self.open
    }

    fn share(&mut self, bytes: Bytes) {
        self.close();
        self.pieces.push_back(bytes);
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
        /// Whatever is written, shared, skipped and taken: the bytes come out as they went in.
        #[test]
        fn bytes_leave_in_the_order_in_which_they_came(
            steps in proptest::collection::vec((0u8..4, 0usize..5000), 1..60)
        ) {
            let (mut spool, mut model, mut next) = (Spool::default(), VecDeque::new(), 0u8);
            for (kind, size) in steps {
                let fresh: Vec<u8> = (0..size).map(|_| { next = next.wrapping_add(1); next }).collect();
                match kind {
                    0 => { spool.room(size).extend_from_slice(&fresh); model.extend(&fresh); }
                    1 if size > 0 => { spool.share(Bytes::from(fresh.clone())); model.extend(&fresh); }
                    2 => {
                        let n = size.min(model.len());
                        spool.skip(n);
                        model.drain(..n);
                    }
                    _ => {
                        let n = size.min(model.len());
                        let mut out = Pieces::new();
                        spool.take(n, &mut out);
                        prop_assert_eq!(all(&out), model.drain(..n).collect::<Vec<u8>>());
                    }
                }
                if size % 7 == 0 { spool.rest(); }
            }
            let mut out = Pieces::new();
            spool.take(model.len(), &mut out);
            prop_assert_eq!(all(&out), model.into_iter().collect::<Vec<u8>>());
        }
    }

    #[test]
    fn an_idle_spool_keeps_no_buffer() {
        let mut spool = Spool::default();
        spool.room(100).extend_from_slice(&[1; 100]);
        spool.skip(100);
        assert!(spool.open.capacity() > 0);
        spool.rest();
        assert_eq!(spool.open.capacity(), 0);
    }
}
