//! Several shared buffers as one body chunk, so that large payloads leave without a copy.

use std::io::IoSlice;

use bytes::{Buf, Bytes};
use engine::Pieces;

/// Bytes in pieces, read front to back.
#[derive(Debug)]
pub(crate) struct Chunk {
    pieces: Pieces,
    /// First piece that still has bytes.
    at: usize,
    remaining: usize,
}

impl Chunk {
    /// A chunk of `pieces`, whose lengths add up to `len`.
    pub(crate) fn new(pieces: Pieces, len: usize) -> Self {
        debug_assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), len);
        let mut chunk = Self {
            pieces,
            at: 0,
            remaining: len,
        };
        chunk.skip_empty();
        chunk
    }

    fn skip_empty(&mut self) {
        while self.pieces.get(self.at).is_some_and(Bytes::is_empty) {
            self.pieces[self.at] = Bytes::new();
            self.at += 1;
        }
    }
}

impl From<Bytes> for Chunk {
    fn from(bytes: Bytes) -> Self {
        let len = bytes.len();
        Self::new(std::iter::once(bytes).collect(), len)
    }
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.get(self.at).map_or(&[], |p| p)
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let rest = self.pieces.get(self.at..).unwrap_or_default();
        let mut filled = 0;
        for (slot, piece) in dst.iter_mut().zip(rest.iter().filter(|p| !p.is_empty())) {
            *slot = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        assert!(
            count <= self.remaining,
            "advanced past the end: the caller broke Buf's contract"
        );
        self.remaining -= count;
        while count > 0 {
            let piece = &mut self.pieces[self.at];
            let step = count.min(piece.len());
            piece.advance(step);
            count -= step;
            self.skip_empty();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However it is read, the bytes are those of the pieces in order.
        #[test]
        fn pieces_read_as_one_buffer(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..12),
            steps in proptest::collection::vec(1usize..50, 1..40),
        ) {
            let all: Vec<u8> = pieces.concat();
            let mut chunk = Chunk::new(pieces.into_iter().map(Bytes::from).collect(), all.len());
            let mut read = Vec::new();
            for step in steps {
                prop_assert_eq!(chunk.remaining(), all.len() - read.len());
                let mut slices = [IoSlice::new(&[]); 64];
                let n = chunk.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..n].iter().flat_map(|s| s.iter().copied()).collect();
                prop_assert_eq!(&seen[..], &all[read.len()..]);
                let take = step.min(chunk.remaining());
                let mut part = vec![0; take];
                chunk.copy_to_slice(&mut part);
                read.extend(part);
            }
            prop_assert_eq!(&read[..], &all[..read.len()]);
        }
    }
}
