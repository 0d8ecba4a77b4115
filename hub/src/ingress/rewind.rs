//! The reading side of a connection's socket: what was read ahead, how much is read in one turn,
//! what the frames in it cost, and when its end is noticed.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use engine::Moment;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf, Take};
use tokio::net::TcpStream;

use super::meter::Meter;
use super::turnstile::{Ticket, Turnstile};

/// Bytes read before what they hold is routed and other connections have their turn. HTTP/2 gives a
/// connection up when small frames have cost it half its window, 8 MiB, at up to 255 bytes for the
/// 10 that the smallest takes on the wire: so many bytes never get there (spec 7).
const A_TURN: u64 = 256 << 10;

/// What a connection and its socket tell each other.
pub(super) struct Inlet {
    /// Bytes that may still be read in this turn.
    left: Cell<u64>,
    /// Nothing has been read in this turn.
    fresh: Cell<bool>,
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
            fresh: Cell::new(true),
            over: Cell::new(false),
        })
    }

    /// A new turn begins.
    pub(super) fn open(&self) {
        self.left.set(A_TURN);
        self.fresh.set(true);
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

/// A socket that knows, before it is read, that the peer has ended it or is gone.
pub(super) trait Ending {
    /// Whether that is known by now.
    fn has_ended(&self) -> bool;
}

impl Ending for TcpStream {
    fn has_ended(&self) -> bool {
        let ready = std::pin::pin!(self.ready(Interest::READABLE));
        let polled = ready.poll(&mut Context::from_waker(Waker::noop()));
        matches!(polled, Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }
}

/// Where a socket that has ended stands.
enum Exit {
    /// It has not ended as far as anybody knows.
    Unknown,
    /// It has, and waits for its turn.
    Waiting(Ticket),
    /// It is its turn.
    Open,
}

/// `io`, with `head` in front of what it reads, and read with measure. What is left in a socket
/// that has ended is read when it is its turn, as the connection is taken down then.
pub(crate) struct Rewind<I> {
    head: Bytes,
    io: Take<I>,
    inlet: Rc<Inlet>,
    meter: Meter,
    exit: Exit,
    turnstile: Rc<Turnstile>,
}

impl<I: AsyncRead + Ending> Rewind<I> {
    pub(super) fn new(
        (head, io): (Bytes, I),
        inlet: Rc<Inlet>,
        meter: Meter,
        turnstile: Rc<Turnstile>,
    ) -> Self {
        Self {
            head,
            io: io.take(A_TURN),
            inlet,
            meter,
            exit: Exit::Unknown,
            turnstile,
        }
    }

    /// Ready unless the socket has ended and others are taken down before it.
    fn poll_exit(&mut self, cx: &Context<'_>) -> Poll<()> {
        if let Exit::Unknown = self.exit
            && self.inlet.fresh.replace(false)
            && self.io.get_ref().has_ended()
        {
            self.exit = Exit::Waiting(Ticket::default());
        }
        if let Exit::Waiting(ticket) = &mut self.exit {
            ready!(self.turnstile.poll_pass(ticket, cx));
            self.exit = Exit::Open;
        }
        Poll::Ready(())
    }

    /// Whether it waits for its turn to be taken down: then nothing is written any more.
    fn waits(&self) -> bool {
        matches!(self.exit, Exit::Waiting(_))
    }
}

impl<I: AsyncRead + Ending + Unpin> AsyncRead for Rewind<I> {
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
        ready!(self.poll_exit(cx));
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

impl<I: AsyncRead + AsyncWrite + Ending + Unpin> AsyncWrite for Rewind<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.waits() {
            return Poll::Pending;
        }
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
        if self.waits() {
            return Poll::Pending;
        }
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

    impl Ending for &[u8] {
        fn has_ended(&self) -> bool {
            false
        }
    }

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
        let rewind = Rewind::new((head, bytes), inlet.clone(), meter, Turnstile::new(clock));
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
