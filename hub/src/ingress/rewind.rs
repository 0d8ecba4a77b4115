//! The reading side of a connection's socket: what was read ahead, how much is read in one turn,
//! and what the frames in it cost.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use engine::Moment;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take};

use super::meter::Meter;

/// Bytes read before what they hold is routed and other connections have their turn. HTTP/2 gives a
/// connection up when small frames have cost it half its window, 8 MiB, at up to 255 bytes for the
/// 10 that the smallest takes on the wire: so many bytes never get there (spec 7).
const A_TURN: u64 = 256 << 10;

/// What a connection and its socket tell each other.
pub(super) struct Inlet {
    /// Bytes that may still be read in this turn.
    left: Cell<u64>,
    /// The peer has sent too many frames.
    over: Cell<bool>,
    /// As [`Meter::stuck_since`] has it.
    stuck_since: Cell<Option<Moment>>,
}

impl Inlet {
    pub(super) fn new(now: Moment) -> Rc<Self> {
        Rc::new(Self {
            stuck_since: Cell::new(Some(now)),
            left: Cell::new(A_TURN),
            over: Cell::new(false),
        })
    }

    /// A new turn begins.
    pub(super) fn open(&self) {
        self.left.set(A_TURN);
    }

    /// Whether a frame has been on its way for `limit`.
    pub(super) fn is_stuck(&self, now: Moment, limit: Duration) -> bool {
        let since = self.stuck_since.get();
        since.is_some_and(|since| now.since(since) >= limit)
    }

    /// Whether the peer has sent more frames than it may.
    pub(super) fn is_over(&self) -> bool {
        self.over.get()
    }
}

/// `io`, with `head` in front of what it reads, and read with measure.
pub(crate) struct Rewind<I> {
    head: Bytes,
    io: Take<I>,
    inlet: Rc<Inlet>,
    meter: Meter,
}

impl<I: AsyncRead> Rewind<I> {
    pub(super) fn new(head: Bytes, io: I, inlet: Rc<Inlet>, meter: Meter) -> Self {
        let io = io.take(A_TURN);
        Self {
            head,
            io,
            inlet,
            meter,
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Rewind<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.head.is_empty() {
            let len = self.head.len().min(buf.remaining());
            buf.put_slice(&self.head[..len]);
            self.head.advance(len);
            return Poll::Ready(Ok(()));
        }
        let left = self.inlet.left.get();
        if left == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let this = &mut *self;
        this.io.set_limit(left);
        let before = buf.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buf);
        this.inlet.left.set(this.io.limit());
        if !this.meter.note(&buf.filled()[before..]) {
            this.inlet.over.set(true);
            this.inlet.left.set(0);
        }
        this.inlet.stuck_since.set(this.meter.stuck_since());
        read
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Rewind<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.io.get_mut()).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.io.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.io.get_mut()).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.io.get_mut()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.get_ref().is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::plane::Clock;

    /// What is read until there is no more in this turn.
    fn read_on(rewind: &mut Rewind<&[u8]>) -> usize {
        let mut cx = Context::from_waker(Waker::noop());
        let (mut read, mut room) = (0, vec![0; 100_000]);
        loop {
            let mut buf = ReadBuf::new(&mut room);
            match Pin::new(&mut *rewind).poll_read(&mut cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => read += buf.filled().len(),
                _ => return read,
            }
        }
    }

    fn rewind(bytes: &[u8], frames_per_second: u64) -> (Rewind<&[u8]>, Rc<Inlet>) {
        let clock = Clock::start();
        let inlet = Inlet::new(clock.now());
        let meter = Meter::new(clock, frames_per_second);
        let head = Bytes::from_static(b"head");
        let rewind = Rewind::new(head, bytes, inlet.clone(), meter);
        (rewind, inlet)
    }

    #[test]
    fn a_turn_reads_256_kib_and_the_next_one_goes_on() {
        let bytes = vec![0; 600 << 10];
        let (mut rewind, inlet) = rewind(&bytes, u64::MAX);
        assert_eq!(read_on(&mut rewind), 4 + (256 << 10));
        assert_eq!(read_on(&mut rewind), 0);
        inlet.open();
        assert_eq!(read_on(&mut rewind), 256 << 10);
        inlet.open();
        assert_eq!(read_on(&mut rewind), 88 << 10);
        assert!(!inlet.is_over());
    }

    #[test]
    fn whoever_sends_too_many_frames_is_read_no_further() {
        // Frames of kind 6, PING, with nothing in them.
        let bytes = [0, 0, 0, 6, 0, 0, 0, 0, 0].repeat(100_000);
        let (mut rewind, inlet) = rewind(&bytes, 10);
        assert!(read_on(&mut rewind) <= 4 + 100_000);
        assert!(inlet.is_over());
    }
}
