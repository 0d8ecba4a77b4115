//! A connection's socket: what was read ahead, how much is read in one turn,
//! what the frames in it cost, and when its end is noticed.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf, Take};
use tokio::net::TcpStream;

use super::greeting::Greeting;
use super::inlet::Inlet;
use super::meter::Meter;
use super::ticket::Ticket;
use super::turnstile::Turnstile;

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
    greeting: Greeting,
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
            io: io.take(0),
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
        let room = self.inlet.room(self.meter.rest());
        if room == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let this = &mut *self;
        this.io.set_limit(room);
        let before = buf.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buf);
        this.inlet.read(room - this.io.limit());
        if !this.meter.note(&buf.filled()[before..]) {
            this.inlet.over.set(true);
        }
        this.inlet.stuck_since.set(this.meter.stuck_since());
        read
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
        if self.waits() {
            return Poll::Pending;
        }
        ready!(self.poll_greeting(cx))?;
        Pin::new(self.io.get_mut()).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.inlet.greeting.get() {
            return Poll::Ready(Ok(()));
        }
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
        if self.waits() {
            return Poll::Pending;
        }
        ready!(self.poll_greeting(cx))?;
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

    /// A socket that takes so many bytes until it is full.
    #[derive(Default)]
    struct Narrow {
        room: usize,
        /// What each write brought.
        written: Vec<Vec<u8>>,
        shut: bool,
    }

    impl AsyncRead for Narrow {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl Ending for Narrow {
        fn has_ended(&self) -> bool {
            false
        }
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            assert!(!self.shut, "nothing is written after the end");
            let len = buf.len().min(self.room);
            if len == 0 {
                return Poll::Pending;
            }
            self.room -= len;
            self.written.push(buf[..len].to_vec());
            Poll::Ready(Ok(len))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.shut = true;
            Poll::Ready(Ok(()))
        }
    }

    fn narrow(room: usize) -> (Rewind<Narrow>, Rc<Inlet>) {
        let clock = Clock::start();
        let inlet = Inlet::new(clock.now());
        let io = Narrow {
            room,
            ..Narrow::default()
        };
        let meter = Meter::new(clock, u64::MAX);
        let from = (Bytes::new(), io);
        let rewind = Rewind::new(from, inlet.clone(), meter, Turnstile::new(clock));
        (rewind, inlet)
    }

    fn write(rewind: &mut Rewind<Narrow>, bytes: &[u8]) -> Option<usize> {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(rewind).poll_write(&mut cx, bytes) {
            Poll::Ready(written) => Some(written.expect("it never breaks")),
            Poll::Pending => None,
        }
    }

    fn flush(rewind: &mut Rewind<Narrow>) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        Pin::new(rewind).poll_flush(&mut cx).is_ready()
    }

    #[test]
    fn the_greeting_is_one_write_and_what_follows_goes_straight_out() {
        let (mut rewind, inlet) = narrow(100);
        assert_eq!(write(&mut rewind, b"settings"), Some(8));
        assert!(flush(&mut rewind));
        assert_eq!(write(&mut rewind, b"ack"), Some(3));
        assert!(flush(&mut rewind));
        assert!(rewind.io.get_ref().written.is_empty());
        assert!(inlet.greet());
        assert!(!inlet.greet(), "once");
        assert!(flush(&mut rewind));
        assert_eq!(write(&mut rewind, b"more"), Some(4));
        let written = &rewind.io.get_ref().written;
        assert_eq!(*written, [b"settingsack".to_vec(), b"more".to_vec()]);
    }

    #[test]
    fn a_greeting_that_does_not_fit_the_socket_goes_out_before_anything_else() {
        let (mut rewind, inlet) = narrow(3);
        assert_eq!(write(&mut rewind, b"settings"), Some(8));
        inlet.greet();
        assert!(!flush(&mut rewind));
        assert_eq!(write(&mut rewind, b"more"), None);
        rewind.io.get_mut().room = 100;
        assert_eq!(write(&mut rewind, b"more"), Some(4));
        assert_eq!(rewind.io.get_ref().written.concat(), b"settingsmore");
    }

    #[test]
    fn a_long_greeting_is_written_as_it_comes() {
        let (mut rewind, _) = narrow(100_000);
        assert_eq!(write(&mut rewind, &[1; 100]), Some(100));
        assert_eq!(write(&mut rewind, &[2; 50_000]), Some(50_000));
        assert_eq!(write(&mut rewind, &[3; 100]), Some(100));
        let written = rewind.io.get_ref().written.concat();
        assert_eq!(written, [[1; 100].as_slice(), &[2; 50_000]].concat());
    }

    #[test]
    fn a_connection_that_ends_at_once_says_its_greeting() {
        let (mut rewind, _) = narrow(100);
        assert_eq!(write(&mut rewind, b"settings goaway"), Some(15));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut rewind).poll_shutdown(&mut cx).is_ready());
        assert_eq!(rewind.io.get_ref().written.concat(), b"settings goaway");
        assert!(rewind.io.get_ref().shut);
    }

    #[test]
    fn a_turn_reads_66_kib_and_the_next_one_goes_on() {
        // Frames of kind 0, DATA, of 15 bytes.
        let frame = [[0, 0, 15, 0, 0, 0, 0, 0, 1].as_slice(), &[7; 15]].concat();
        let bytes = frame.repeat((150 << 10) / frame.len());
        let (mut rewind, inlet) = rewind(&bytes, u64::MAX);
        let turn = 66 << 10;
        assert_eq!(read_on(&mut rewind), 4 + turn);
        assert_eq!(read_on(&mut rewind), 0);
        inlet.open();
        assert_eq!(read_on(&mut rewind), turn);
        inlet.open();
        assert_eq!(read_on(&mut rewind), bytes.len() - 2 * turn);
        assert!(!inlet.is_over());
    }

    #[test]
    fn a_long_frame_is_read_in_one_turn() {
        let head = [0x02, 0xbf, 0x20, 0, 0, 0, 0, 0, 1];
        let bytes = [head.as_slice(), &vec![7; 180_000], &[0; 90_000]].concat();
        let (mut rewind, inlet) = rewind(&bytes, u64::MAX);
        assert_eq!(read_on(&mut rewind), 4 + 9 + 180_000);
        inlet.open();
        assert_eq!(read_on(&mut rewind), 66 << 10);
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
