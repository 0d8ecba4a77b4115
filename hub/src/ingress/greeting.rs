//! What the hub says first to a client: settings, the answer to the client's own, and what the first
//! requests are answered with.
//!
//! Put by until the connection has had its first turn, and written at once: to a client on the same
//! machine a write takes as long as all else that a newcomer costs, and a greeting would be three.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// Bytes that are put by at most.
const MOST: usize = 4 << 10;

/// The greeting as far as it is not written.
#[derive(Default)]
pub(super) struct Greeting(Vec<u8>);

impl Greeting {
    /// Puts `bytes` by. `false` when that would be too many: then they, and what came before, are
    /// written now.
    pub(super) fn put_by(&mut self, bytes: &[u8]) -> bool {
        let fits = self.0.len() + bytes.len() <= MOST;
        if fits {
            self.0.extend_from_slice(bytes);
        }
        fits
    }

    /// Writes what has been put by to `io`.
    pub(super) fn poll_write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.0.is_empty() {
            let written = Pin::new(&mut *io).poll_write(cx, &self.0);
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => drop(self.0.drain(..written)),
            }
        }
        // Its memory goes as well: most connections have nothing to do for most of their time.
        self.0 = Vec::new();
        Poll::Ready(Ok(()))
    }
}
