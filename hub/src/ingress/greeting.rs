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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Takes three bytes at a time, and after `room` bytes none at all.
    struct Slow {
        room: usize,
        written: Vec<u8>,
    }

    impl AsyncWrite for Slow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            let len = buf.len().min(3).min(self.room);
            self.room -= len;
            self.written.extend_from_slice(&buf[..len]);
            Poll::Ready(Ok(len))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Writes eight bytes of greeting to a socket that has `room`.
    fn written(room: usize) -> (Poll<io::Result<()>>, Slow, Greeting) {
        let mut greeting = Greeting::default();
        assert!(greeting.put_by(b"settings"));
        let written = Vec::new();
        let mut io = Slow { room, written };
        let mut cx = Context::from_waker(Waker::noop());
        let polled = greeting.poll_write(&mut io, &mut cx);
        (polled, io, greeting)
    }

    #[test]
    fn four_kib_are_put_by_and_not_a_byte_more() {
        let mut greeting = Greeting::default();
        assert!(greeting.put_by(&[1; 4000]));
        assert!(!greeting.put_by(&[2; 97]));
        assert!(greeting.put_by(&[3; 96]));
        assert!(!greeting.put_by(&[4]));
        assert_eq!(greeting.0, [[1; 4000].as_slice(), &[3; 96]].concat());
    }

    #[test]
    fn it_is_written_whole_and_its_memory_goes() {
        let (polled, io, greeting) = written(100);
        assert!(matches!(polled, Poll::Ready(Ok(()))));
        assert_eq!(io.written, b"settings");
        assert_eq!(greeting.0.capacity(), 0);
    }

    #[test]
    fn a_socket_that_takes_nothing_is_an_error() {
        let (polled, io, _) = written(4);
        let Poll::Ready(Err(error)) = polled else {
            panic!("{polled:?}");
        };
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
        assert_eq!(io.written, b"sett");
    }
}
