mod flowing;

use std::cell::Cell;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::super::calls::tests::Count;
use super::*;
use crate::plane::Clock;

impl Ending for &[u8] {
    fn has_ended(&self) -> bool {
        false
    }
}

fn with_turnstile(clock: Clock) -> (Rc<Turnstile>, Rc<Shared>) {
    (Turnstile::new(clock), Rc::default())
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
    let head = &b"head"[..];
    let rewind = Rewind::new((head, bytes), inlet.clone(), meter, with_turnstile(clock));
    (rewind, inlet)
}

/// A socket that takes so many bytes until it is full.
#[derive(Default)]
struct Narrow {
    room: usize,
    ended: bool,
    /// How often it was asked whether it has ended.
    asked: Cell<usize>,
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
        self.asked.set(self.asked.get() + 1);
        self.ended
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
    socket(Narrow {
        room,
        ..Narrow::default()
    })
}

fn socket(io: Narrow) -> (Rewind<Narrow>, Rc<Inlet>) {
    let clock = Clock::start();
    let inlet = Inlet::new(clock.now());
    let meter = Meter::new(clock, u64::MAX);
    let from = (&[][..], io);
    let rewind = Rewind::new(from, inlet.clone(), meter, with_turnstile(clock));
    (rewind, inlet)
}

/// A socket that ended after the hub said `said`; so many may pass the turnstile.
fn leaving(said: &[u8], may_pass: usize) -> (Rewind<Narrow>, Rc<Inlet>) {
    let (mut rewind, inlet) = socket(Narrow {
        room: 100,
        ended: true,
        ..Narrow::default()
    });
    assert_eq!(write(&mut rewind, said), Some(said.len()));
    rewind.turnstile.allow(may_pass);
    read(&mut rewind);
    (rewind, inlet)
}

/// Reads, which the socket has nothing for.
fn read(rewind: &mut Rewind<Narrow>) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut room = [0; 10];
    let read = Pin::new(rewind).poll_read(&mut cx, &mut ReadBuf::new(&mut room));
    assert!(read.is_pending());
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
fn nothing_is_written_to_a_socket_that_waits_for_its_turn_to_go() {
    let (mut rewind, inlet) = leaving(b"settings", 0);
    inlet.greet();
    assert!(!flush(&mut rewind));
    assert_eq!(write(&mut rewind, b"more"), None);
    assert_eq!(write_vectored(&mut rewind, b"more"), None);
    assert!(rewind.io.get_ref().written.is_empty());
}

/// HTTP/2 does not read while it has no room for a PING or a GOAWAY that is due: it may well be
/// by a write that the socket gets to know that it is its turn.
#[test]
fn a_socket_whose_turn_it_is_to_go_is_written_again_before_it_is_read() {
    let (mut rewind, inlet) = leaving(b"settings", 0);
    inlet.greet();
    rewind.turnstile.allow(1);
    assert_eq!(write(&mut rewind, b"more"), Some(4));
    assert_eq!(rewind.io.get_ref().written.concat(), b"settingsmore");
}

#[test]
fn a_socket_that_ends_alone_does_not_wait() {
    let (mut rewind, inlet) = leaving(b"settings", 1);
    inlet.greet();
    assert!(flush(&mut rewind));
    assert_eq!(rewind.io.get_ref().asked.get(), 0, "there is no crowd");
}

#[test]
fn a_socket_in_a_crowd_is_asked_once_a_turn_whether_it_has_ended() {
    let (mut rewind, inlet) = narrow(100);
    rewind.turnstile.allow(0);
    for turn in 1..3 {
        for _ in 0..3 {
            read(&mut rewind);
        }
        assert_eq!(rewind.io.get_ref().asked.get(), turn);
        inlet.open();
    }
    inlet.greet();
    assert_eq!(write(&mut rewind, b"more"), Some(4), "it has not");
}

#[test]
fn whoever_goes_without_having_waited_is_noted() {
    let (rewind, _inlet) = leaving(b"settings", 1);
    let turnstile = rewind.turnstile.clone();
    assert!(!turnstile.is_crowded());
    drop(rewind);
    assert!(turnstile.is_crowded());
}

#[test]
fn whoever_has_waited_is_not_noted_again() {
    let (mut rewind, _inlet) = leaving(b"settings", 0);
    let turnstile = rewind.turnstile.clone();
    turnstile.allow(2);
    for _ in 0..2 {
        read(&mut rewind);
    }
    drop(rewind);
    assert!(!turnstile.is_crowded(), "one more may pass");
}

#[tokio::test]
async fn a_socket_knows_before_it_is_read_that_its_peer_has_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let addr = listener.local_addr().expect("it has one");
    let (theirs, accepted) = tokio::join!(TcpStream::connect(addr), listener.accept());
    let (mut theirs, (ours, _)) = (theirs.expect("connected"), accepted.expect("accepted"));
    theirs.write_all(b"more").await.expect("written");
    ours.readable().await.expect("something has come");
    assert!(!ours.has_ended());
    drop(theirs);
    let ended = async {
        while !ours.has_ended() {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), ended).await;
    assert!(in_time.is_ok());
}

/// The same as [`write`], by a vectored write.
fn write_vectored(rewind: &mut Rewind<Narrow>, bytes: &[u8]) -> Option<usize> {
    let mut cx = Context::from_waker(Waker::noop());
    let bufs = [io::IoSlice::new(&[]), io::IoSlice::new(bytes)];
    match Pin::new(rewind).poll_write_vectored(&mut cx, &bufs) {
        Poll::Ready(written) => Some(written.expect("it never breaks")),
        Poll::Pending => None,
    }
}

#[test]
fn the_greeting_goes_out_before_anything_else_by_vectored_writes_as_well() {
    let (mut rewind, inlet) = narrow(100);
    assert_eq!(write_vectored(&mut rewind, b"settings"), Some(8));
    assert_eq!(write_vectored(&mut rewind, b"ack"), Some(3));
    inlet.greet();
    assert_eq!(write_vectored(&mut rewind, b"more"), Some(4));
    let written = &rewind.io.get_ref().written;
    assert_eq!(*written, [b"settingsack".to_vec(), b"more".to_vec()]);
}

#[test]
fn a_turn_that_is_over_asks_for_another() {
    let bytes = [0; 100 << 10];
    let (mut rewind, _inlet) = rewind(&bytes, u64::MAX);
    read_on(&mut rewind);
    let count = Arc::<Count>::default();
    let waker = Waker::from(count.clone());
    let mut room = [0; 10];
    let mut buf = ReadBuf::new(&mut room);
    let read = Pin::new(&mut rewind).poll_read(&mut Context::from_waker(&waker), &mut buf);
    assert!(read.is_pending());
    assert_eq!(count.woken(), 1);
}

#[test]
fn a_frame_that_has_come_whole_is_not_stuck_and_half_a_one_is() {
    // Of kind 6, PING.
    let ping = [0, 0, 2, 6, 0, 0, 0, 0, 0, 1, 2];
    for (bytes, stuck) in [(&ping[..], false), (&ping[..10], true)] {
        let (mut rewind, inlet) = rewind(bytes, u64::MAX);
        read_on(&mut rewind);
        assert_eq!(inlet.stuck_since.get().is_some(), stuck);
    }
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
