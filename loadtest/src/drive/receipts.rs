//! Owns telling the hub what a consumer has: cumulative receipts, at most one under way.
//!
//! A newer receipt says all that an older one says, so what has not been written yet gives way to
//! it; a slow connection never makes a pile of them.

use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::packet::put_receipt;
use crate::wire::{Peer, Sink, StreamError, Wire};

/// The receipts of one connection.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// Highest sequence that is to be receipted.
    owed: u64,
    /// Highest sequence that was.
    given: u64,
    /// Rest of the receipt that is being written.
    writing: Bytes,
    /// Receipts so far.
    pub(super) count: u64,
}

impl Receipts {
    /// Everything up to `sequence` has come on this connection.
    pub(super) fn owe(&mut self, sequence: u64) {
        self.owed = sequence;
    }

    /// A new connection: what the old one owed, the hub will send again.
    pub(super) fn reconnected(&mut self) {
        *self = Receipts {
            count: self.count,
            ..Receipts::default()
        };
    }

    /// Writes what is owed; pending while the connection takes nothing.
    pub(super) fn poll_write<W: Wire>(
        &mut self,
        cx: &mut Context<'_>,
        (wire, peer): (&W, &Peer),
        sink: &mut W::Sink,
    ) -> Poll<Result<(), StreamError>> {
        loop {
            if !self.writing.is_empty() {
                ready!(sink.poll_write(cx, &mut self.writing))?;
            }
            // A stream that begins anew counts from 1 again.
            if self.owed == self.given {
                return Poll::Ready(Ok(()));
            }
            self.given = self.owed;
            self.count += 1;
            let mut message = Vec::with_capacity(16);
            put_receipt(&mut message, self.owed);
            let (mut bytes, suffix) = wire.framing(peer, message.len());
            bytes.extend_from_slice(&message);
            bytes.extend_from_slice(&suffix);
            self.writing = bytes.into();
        }
    }
}
