//! Sockets with much to say, and with little.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::*;
use crate::plane::Clock;

/// A socket that brings what it has in portions, with nothing to say between them.
struct Portions {
    left: VecDeque<Bytes>,
    /// Bytes that each read asked for which brought any.
    asked: Vec<usize>,
}

impl Portions {
    fn of(portions: Vec<Bytes>) -> Self {
        Self {
            left: portions.into(),
            asked: Vec::new(),
        }
    }
}

impl Ending for Portions {
    fn has_ended(&self) -> bool {
        false
    }
}

impl AsyncRead for Portions {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        let Some(first) = self.left.front_mut() else {
            return Poll::Ready(Ok(()));
        };
        if first.is_empty() {
            self.left.pop_front();
            return Poll::Pending;
        }
        buf.put_slice(&first.split_to(first.len().min(room)));
        self.asked.push(room);
        Poll::Ready(Ok(()))
    }
}

/// HTTP/2 as it reads: 8 KiB where a frame is due, and what it is short of a frame that it knows.
struct Reader {
    rewind: Rewind<Portions>,
    inlet: Rc<Inlet>,
    read: Vec<u8>,
    /// Where the frame that is not here whole begins.
    at: usize,
    /// Bytes of each read.
    reads: Vec<usize>,
    has_ended: bool,
}

impl Reader {
    fn new(portions: Vec<Bytes>, shared: &Rc<Shared>) -> Self {
        let clock = Clock::start();
        let inlet = Inlet::new(clock.now());
        let meter = Meter::new(clock, u64::MAX);
        let from = (&[][..], Portions::of(portions));
        let with = (Turnstile::new(clock), shared.clone());
        Self {
            rewind: Rewind::new(from, inlet.clone(), meter, with),
            inlet,
            read: Vec::new(),
            at: 0,
            reads: Vec::new(),
            has_ended: false,
        }
    }

    /// Where the frame ends that is not here whole, if its header is.
    fn frame_end(&self) -> Option<usize> {
        let header = self.read.get(self.at..self.at + HEADER)?;
        Some(self.at + HEADER + u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize)
    }

    /// Reads once. Returns whether there was anything.
    fn read(&mut self) -> bool {
        let room = self
            .frame_end()
            .map_or(8 << 10, |end| end - self.read.len());
        let mut room = vec![0; room];
        let mut buf = ReadBuf::new(&mut room);
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut self.rewind).poll_read(&mut cx, &mut buf) {
            Poll::Pending => return false,
            Poll::Ready(read) => read.expect("it never breaks"),
        }
        self.reads.push(buf.filled().len());
        self.read.extend(buf.filled());
        self.has_ended = buf.filled().is_empty();
        while let Some(end) = self.frame_end().filter(|end| *end <= self.read.len()) {
            self.at = end;
        }
        !self.has_ended
    }

    fn turn(&mut self) {
        self.inlet.open();
        while self.read() {}
    }
}

const HEADER: usize = 9;

/// A DATA frame of so many bytes.
fn data(len: usize) -> Vec<u8> {
    let [_, a, b, c] = (len as u32).to_be_bytes();
    let mut frame = vec![a, b, c, 0, 0, 0, 0, 0, 1];
    frame.extend((0..len).map(|n| (n % 251) as u8));
    frame
}

proptest! {
    /// Whatever frames come, however they are cut and whoever reads in between: what is read is what
    /// came.
    #[test]
    fn what_is_read_is_what_came(
        sent in prop::collection::vec(prop::collection::vec(
            prop_oneof![0..80_usize, 3000..9000_usize, Just(16_384), 30_000..60_000_usize], 0..6), 1..4),
        cuts in prop::collection::vec(prop_oneof![1..40_usize, 1..100_000_usize], 1..12),
        turns in prop::collection::vec((any::<prop::sample::Index>(), 1..20_usize), 1..200),
    ) {
        let shared = Rc::default();
        let bytes: Vec<Vec<u8>> = sent
            .iter()
            .map(|frames| frames.iter().flat_map(|len| data(*len)).collect())
            .collect();
        let mut cuts = cuts.iter().cycle();
        let mut readers: Vec<Reader> = bytes
            .iter()
            .map(|bytes| {
                let (mut rest, mut portions) = (Bytes::copy_from_slice(bytes), Vec::new());
                while !rest.is_empty() {
                    let cut = cuts.next().copied().unwrap_or(1).min(rest.len());
                    portions.push(rest.split_to(cut));
                }
                Reader::new(portions, &shared)
            })
            .collect();
        for (who, times) in turns {
            let reader = who.get(&readers).inlet.clone();
            reader.open();
            let at = who.index(readers.len());
            for _ in 0..times {
                if !readers[at].has_ended && !readers[at].read() {
                    break;
                }
            }
        }
        // Whoever goes takes nothing of the others along.
        let gone = readers.pop();
        drop(gone);
        for (reader, bytes) in readers.iter_mut().zip(&bytes) {
            while !reader.has_ended {
                reader.turn();
            }
            prop_assert!(reader.read == *bytes, "{} of {}", reader.read.len(), bytes.len());
        }
    }
}

#[test]
fn a_socket_that_has_much_to_say_is_asked_once_a_turn() {
    let mut reader = Reader::new(vec![data(16_384).repeat(30).into()], &Rc::default());
    reader.turn();
    assert_eq!(
        reader.rewind.io.get_ref().asked,
        [8 << 10, (66 << 10) - (8 << 10)]
    );
    reader.turn();
    assert_eq!(reader.rewind.io.get_ref().asked[2..], [66 << 10]);
    assert_eq!(reader.read.len(), 2 * (66 << 10));
    // A header alone, then all that it announces: nothing is moved for it.
    let whole = |two: &&[usize]| two[1] == 16_384;
    assert!(
        reader
            .reads
            .windows(2)
            .filter(whole)
            .all(|two| two[0] == HEADER)
    );
    assert_eq!(reader.reads.windows(2).filter(whole).count(), 6);
}

#[test]
fn a_socket_that_says_little_is_read_straight() {
    let little = (0..5).map(|_| data(700).into()).collect();
    let mut reader = Reader::new(little, &Rc::default());
    for _ in 0..5 {
        reader.turn();
    }
    assert_eq!(reader.reads, [709; 5]);
    assert!(!reader.rewind.flows && reader.rewind.ahead.is_empty());
}

#[test]
fn a_socket_that_says_little_again_is_read_straight_again() {
    let portions = [data(16_384).repeat(4), data(700), data(700)];
    let mut reader = Reader::new(portions.map(Bytes::from).into(), &Rc::default());
    for flows in [true, false, false] {
        reader.turn();
        assert_eq!(reader.rewind.flows, flows);
    }
    let asked = &reader.rewind.io.get_ref().asked;
    assert_eq!(asked[asked.len() - 2..], [66 << 10, 8 << 10]);
}

#[test]
fn a_frame_for_which_there_is_much_room_is_read_straight() {
    let mut reader = Reader::new(vec![data(200_000).into()], &Rc::default());
    reader.turn();
    assert_eq!(
        reader.rewind.io.get_ref().asked,
        [8 << 10, 200_009 - (8 << 10)]
    );
}
