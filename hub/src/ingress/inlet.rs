//! What a connection and its socket tell each other.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use engine::Moment;

/// Bytes read before what they hold is routed and other connections have their turn: four DATA frames
/// of the size that clients send, headers included. Consumers then have work while the hub reads on;
/// with turns four times as long, a producer with 256 packets of 640 bytes under way got a third less
/// through. HTTP/2 gives a connection up when small frames have cost it half its window, 8 MiB, at up
/// to 255 bytes for the 10 that the smallest takes on the wire: so many bytes never get there (spec 7).
const LONGEST: u64 = 66 << 10;
/// As many while messages are tiny: one such frame.
const SHORTEST: u64 = 17 << 10;
/// A frame is of use to nobody before its end: one that is longer than a turn is read on in the turn
/// that it has to itself, up to so many bytes.
const A_FRAME: u64 = 256 << 10;
/// Length of the header of a frame (RFC 9113, 4.1).
const HEADER: u64 = 9;
/// Messages that a turn is meant to read: routing them takes about 50 microseconds.
const MESSAGES: u64 = 128;

/// What a connection and its socket tell each other.
pub(super) struct Inlet {
    /// Bytes that may be read in a turn.
    turn: Cell<u64>,
    /// Messages read in this turn.
    messages: Cell<u64>,
    /// Bytes that have been read in this turn.
    read: Cell<u64>,
    /// Nothing has been read in this turn.
    pub(super) fresh: Cell<bool>,
    /// The peer has sent too many frames.
    pub(super) over: Cell<bool>,
    /// As [`Meter::stuck_since`] has it.
    pub(super) stuck_since: Cell<Option<Moment>>,
    /// The hub's greeting is put by, to be written with what it answers first.
    pub(super) greeting: Cell<bool>,
    /// As [`Meter::longest`] has it.
    pub(super) longest_frame: Cell<u32>,
    /// Bytes of all streams that came and were not taken.
    pub(super) put_by: Cell<usize>,
}

impl Inlet {
    pub(super) fn new(now: Moment) -> Rc<Self> {
        Rc::new(Self {
            stuck_since: Cell::new(Some(now)),
            turn: Cell::new(LONGEST),
            messages: Cell::new(0),
            read: Cell::new(0),
            fresh: Cell::new(true),
            over: Cell::new(false),
            greeting: Cell::new(true),
            longest_frame: Cell::new(0),
            put_by: Cell::new(0),
        })
    }

    /// A new turn begins, as long as the messages of the last one suggest.
    pub(super) fn open(&self) {
        let wanted = self.read.take().saturating_mul(MESSAGES);
        let bytes = wanted.checked_div(self.messages.take());
        // Messages without bytes were read in the turn before.
        if let Some(bytes) = bytes.filter(|bytes| *bytes > 0) {
            self.turn.set(bytes.clamp(SHORTEST, LONGEST));
        }
        self.fresh.set(true);
    }

    /// Bytes that may be read now, where `rest` of `len` bytes of a frame are still to come.
    pub(super) fn room(&self, (rest, len): (u64, u64)) -> u64 {
        if self.over.get() {
            return 0;
        }
        let read = self.read.get();
        let alone = read + rest <= HEADER + len;
        let frame = if alone { read + rest } else { 0 };
        let turn = self.turn.get().max(frame.min(A_FRAME));
        turn.saturating_sub(read)
    }

    /// So many bytes have been read.
    pub(super) fn read(&self, bytes: u64) {
        self.read.set(self.read.get() + bytes);
    }

    /// A message has been read.
    pub(super) fn message(&self) {
        self.messages.set(self.messages.get() + 1);
    }

    /// So many bytes came for a stream.
    pub(super) fn put_by(&self, bytes: usize) {
        self.put_by.set(self.put_by.get() + bytes);
    }

    /// So many of those were taken, or their stream is gone.
    pub(super) fn taken(&self, bytes: usize) {
        self.put_by.set(self.put_by.get() - bytes);
    }

    /// The greeting goes out with the next flush. Returns whether it had been put by until now.
    pub(super) fn greet(&self) -> bool {
        self.greeting.replace(false)
    }

    /// Bytes of the longest frame that the peer has sent: HTTP/2 may have a buffer of that size, and
    /// short frames in it.
    pub(super) fn longest_frame(&self) -> usize {
        self.longest_frame.get() as usize
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

#[cfg(test)]
mod tests {
    use super::*;

    fn turn_after(messages: u64, of: u64) -> u64 {
        let inlet = Inlet::new(Moment::from_nanos(0));
        inlet.read(messages * of);
        (0..messages).for_each(|_| inlet.message());
        inlet.open();
        inlet.room((0, 0))
    }

    #[test]
    fn a_turn_is_as_long_as_its_messages_ask_for() {
        assert_eq!(turn_after(500, 100), 17 << 10);
        assert_eq!(turn_after(100, 400), 128 * 400);
        assert_eq!(turn_after(90, 700), LONGEST);
        assert_eq!(turn_after(1, 60_000), LONGEST);
    }

    #[test]
    fn messages_that_were_read_in_an_earlier_turn_say_nothing() {
        let inlet = Inlet::new(Moment::from_nanos(0));
        inlet.message();
        inlet.open();
        assert_eq!(inlet.room((0, 0)), LONGEST);
    }

    #[test]
    fn a_turn_without_a_message_says_nothing() {
        let inlet = Inlet::new(Moment::from_nanos(0));
        inlet.read(LONGEST);
        inlet.open();
        assert_eq!(inlet.room((0, 0)), LONGEST);
        inlet.read(50_000);
        (0..500).for_each(|_| inlet.message());
        inlet.open();
        inlet.open();
        assert_eq!(inlet.room((0, 0)), SHORTEST, "it stays as it was");
    }

    #[test]
    fn a_long_frame_that_has_the_turn_to_itself_is_read_on() {
        let inlet = Inlet::new(Moment::from_nanos(0));
        assert_eq!(inlet.room((0, 0)), LONGEST);
        inlet.read(HEADER + 20_000);
        assert_eq!(inlet.room((80_000, 100_000)), 80_000);
        inlet.read(80_000);
        assert_eq!(inlet.room((0, 100_000)), 0, "no other is begun");
        inlet.open();
        inlet.read(LONGEST);
        let rest = 1_000_000 - LONGEST;
        assert_eq!(inlet.room((rest, 1_000_000)), A_FRAME - LONGEST);
        inlet.read(A_FRAME - LONGEST);
        assert_eq!(inlet.room((1_000_000 - A_FRAME, 1_000_000)), 0);
        inlet.open();
        let rest = 1_000_000 - A_FRAME;
        assert_eq!(inlet.room((rest, 1_000_000)), A_FRAME, "it goes on");
    }

    #[test]
    fn a_frame_behind_others_waits_for_the_next_turn() {
        let inlet = Inlet::new(Moment::from_nanos(0));
        inlet.read(LONGEST - 10);
        assert_eq!(inlet.room((8_000, 16_384)), 10);
        inlet.read(10);
        assert_eq!(inlet.room((7_990, 16_384)), 0);
    }

    #[test]
    fn whoever_is_over_the_limit_is_read_no_further() {
        let inlet = Inlet::new(Moment::from_nanos(0));
        inlet.over.set(true);
        assert_eq!(inlet.room((100, 100)), 0);
    }

    #[test]
    fn messages_of_an_earlier_turn_do_not_count() {
        let inlet = Inlet::new(Moment::from_nanos(0));
        (0..500).for_each(|_| inlet.message());
        inlet.open();
        inlet.read(60_000);
        (0..100).for_each(|_| inlet.message());
        inlet.open();
        assert_eq!(inlet.room((0, 0)), LONGEST);
    }

    #[test]
    fn a_frame_is_alone_when_nothing_but_its_header_was_read_before() {
        for (before, room) in [(9, 100_000), (10, LONGEST - 10)] {
            let inlet = Inlet::new(Moment::from_nanos(0));
            inlet.read(before);
            assert_eq!(inlet.room((100_000, 100_000)), room);
        }
    }

    #[test]
    fn each_turn_is_fresh_until_it_has_read() {
        let inlet = Inlet::new(Moment::from_nanos(0));
        assert!(inlet.fresh.replace(false));
        inlet.open();
        assert!(inlet.fresh.get());
    }

    #[test]
    fn what_came_is_put_by_until_it_is_taken() {
        let inlet = Inlet::new(Moment::from_nanos(0));
        inlet.put_by(300);
        inlet.put_by(50);
        inlet.taken(100);
        assert_eq!(inlet.put_by.get(), 250);
        inlet.taken(250);
        assert_eq!(inlet.put_by.get(), 0);
    }

    #[test]
    fn a_connection_is_stuck_from_its_beginning_until_a_frame_has_come() {
        let limit = Duration::from_nanos(10);
        let inlet = Inlet::new(Moment::from_nanos(5));
        assert!(!inlet.is_stuck(Moment::from_nanos(14), limit));
        assert!(inlet.is_stuck(Moment::from_nanos(15), limit));
        inlet.stuck_since.set(None);
        assert!(!inlet.is_stuck(Moment::from_nanos(1000), limit));
    }
}
