//! A connection's socket: what was read ahead, how much is read in one turn,
//! what the frames in it cost, and when its end is noticed.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf, Take};
use tokio::net::TcpStream;

use super::greeting::Greeting;
use super::inlet::Inlet;
use super::meter::Meter;
use super::read_ahead::{ReadAhead, Shared};
use super::ticket::Ticket;
use super::turnstile::Turnstile;

/// A socket that had so much to say at once is likely to have more.
const FLOWS: usize = 6 << 10;
/// HTTP/2 has so much room where it waits for the rest of a long frame, which goes there straight.
const WIDE: usize = 32 << 10;

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
    head: &'static [u8],
    io: Take<I>,
    ahead: ReadAhead,
    /// The socket had as much to say as it was asked for.
    flows: bool,
    inlet: Rc<Inlet>,
    meter: Meter,
    exit: Exit,
    turnstile: Rc<Turnstile>,
    greeting: Greeting,
}

impl<I: AsyncRead + Ending> Rewind<I> {
    pub(super) fn new(
        (head, io): (&'static [u8], I),
        inlet: Rc<Inlet>,
        meter: Meter,
        (turnstile, shared): (Rc<Turnstile>, Rc<Shared>),
    ) -> Self {
        Self {
            head,
            io: io.take(0),
            ahead: ReadAhead::new(shared),
            flows: false,
            inlet,
            meter,
            exit: Exit::Unknown,
            turnstile,
            greeting: Greeting::default(),
        }
    }

    /// Ready unless the socket has ended and others are taken down before it.
    fn poll_exit(&mut self, cx: &Context<'_>) -> Poll<()> {
        if let Exit::Unknown = self.exit
            && self.inlet.fresh.replace(false)
            && self.turnstile.is_crowded()
            && self.io.get_ref().has_ended()
        {
            self.exit = Exit::Waiting(Ticket::default());
        }
        self.poll_turn(cx)
    }
}

impl<I> Rewind<I> {
    /// Ready unless the socket waits for its turn to be taken down: until then nothing is written,
    /// either. HTTP/2 does not read before it has written a PING or a GOAWAY that is due, so whoever
    /// asks first hears that it is the socket's turn.
    fn poll_turn(&mut self, cx: &Context<'_>) -> Poll<()> {
        if let Exit::Waiting(ticket) = &mut self.exit {
            ready!(self.turnstile.poll_pass(ticket, cx));
            self.exit = Exit::Open;
        }
        Poll::Ready(())
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
            let (now, later) = self.head.split_at(len);
            buf.put_slice(now);
            self.head = later;
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_exit(cx));
        if self.inlet.is_over() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let this = &mut *self;
        if this.ahead.is_empty() {
            let room = this.inlet.room(this.meter.rest());
            if room == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !this.flows || buf.remaining() >= WIDE {
                return this.read_straight(room, buf, cx);
            }
            let most = usize::try_from(room).unwrap_or(usize::MAX);
            let came = ready!(this.ahead.fill(this.io.get_mut(), most, cx))?;
            this.inlet.read(came as u64);
            this.flows = came >= FLOWS;
        }
        let before = buf.filled().len();
        let (meter, room) = (&this.meter, buf.remaining());
        this.ahead.hand_out(buf, |bytes| meter.whole(bytes, room));
        this.note(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + Ending + Unpin> Rewind<I> {
    /// Reads what HTTP/2 has room for.
    fn read_straight(
        &mut self,
        room: u64,
        buf: &mut ReadBuf<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.io.set_limit(room);
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        let came = room - self.io.limit();
        if came == 0 {
            self.flows = false;
            return read;
        }
        self.inlet.read(came);
        self.flows = buf.remaining() == 0 && came >= FLOWS as u64;
        self.note(&buf.filled()[before..]);
        read
    }

    fn note(&mut self, bytes: &[u8]) {
        if !self.meter.note(bytes) {
            self.inlet.over.set(true);
        }
        self.inlet.stuck_since.set(self.meter.stuck_since());
        self.inlet.longest_frame.set(self.meter.longest());
    }
}

impl<I> Drop for Rewind<I> {
    fn drop(&mut self) {
        if let Exit::Unknown = self.exit {
            self.turnstile.note();
        }
    }
}

impl<I: AsyncRead + AsyncWrite + Ending + Unpin> Rewind<I> {
    /// Puts by what belongs to the greeting.
    fn put_by(&mut self, buf: &[u8]) -> bool {
        self.inlet.greeting.get() && self.greeting.put_by(buf)
    }

    /// Writes the greeting.
    fn poll_greeting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.greeting.poll_write(self.io.get_mut(), cx)
    }
}

impl<I: AsyncRead + AsyncWrite + Ending + Unpin> AsyncWrite for Rewind<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.put_by(buf) {
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(self.poll_turn(cx));
        ready!(self.poll_greeting(cx))?;
        Pin::new(self.io.get_mut()).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.inlet.greeting.get() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_turn(cx));
        ready!(self.poll_greeting(cx))?;
        Pin::new(self.io.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_greeting(cx))?;
        Pin::new(self.io.get_mut()).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = bufs.iter().find(|buf| !buf.is_empty())
            && self.put_by(first)
        {
            return Poll::Ready(Ok(first.len()));
        }
        ready!(self.poll_turn(cx));
        ready!(self.poll_greeting(cx))?;
        Pin::new(self.io.get_mut()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.get_ref().is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
