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
/// Messages that a turn is meant to read: routing them takes about 50 microseconds.
const MESSAGES: u64 = 128;

/// What a connection and its socket tell each other.
pub(super) struct Inlet {
    /// Bytes that may be read in a turn.
    turn: Cell<u64>,
    /// Messages read in this turn.
    messages: Cell<u64>,
    /// Bytes that may still be read in this turn.
    pub(super) left: Cell<u64>,
    /// Nothing has been read in this turn.
    pub(super) fresh: Cell<bool>,
    /// The peer has sent too many frames.
    pub(super) over: Cell<bool>,
    /// As [`Meter::stuck_since`] has it.
    pub(super) stuck_since: Cell<Option<Moment>>,
    /// The hub's greeting is put by, to be written with what it answers first.
    pub(super) greeting: Cell<bool>,
    /// Bytes of all streams that came and were not taken.
    pub(super) put_by: Cell<usize>,
}

impl Inlet {
    pub(super) fn new(now: Moment) -> Rc<Self> {
        Rc::new(Self {
            stuck_since: Cell::new(Some(now)),
            turn: Cell::new(LONGEST),
            messages: Cell::new(0),
            left: Cell::new(LONGEST),
            fresh: Cell::new(true),
            over: Cell::new(false),
            greeting: Cell::new(true),
            put_by: Cell::new(0),
        })
    }

    /// A new turn begins, as long as the messages of the last one suggest.
    pub(super) fn open(&self) {
        let bytes = self.turn.get() - self.left.get();
        let wanted = bytes
            .saturating_mul(MESSAGES)
            .checked_div(self.messages.take());
        if let Some(bytes) = wanted {
            self.turn.set(bytes.clamp(SHORTEST, LONGEST));
        }
        self.left.set(self.turn.get());
        self.fresh.set(true);
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
        inlet.left.set(inlet.left.get() - messages * of);
        (0..messages).for_each(|_| inlet.message());
        inlet.open();
        inlet.left.get()
    }

    #[test]
    fn a_turn_is_as_long_as_its_messages_ask_for() {
        assert_eq!(turn_after(500, 100), SHORTEST);
        assert_eq!(turn_after(100, 400), 128 * 400);
        assert_eq!(turn_after(90, 700), LONGEST);
        assert_eq!(turn_after(1, 60_000), LONGEST);
    }

    #[test]
    fn a_turn_without_a_message_says_nothing() {
        let inlet = Inlet::new(Moment::from_nanos(0));
        inlet.left.set(0);
        inlet.open();
        assert_eq!(inlet.left.get(), LONGEST);
        inlet.left.set(inlet.left.get() - 50_000);
        (0..500).for_each(|_| inlet.message());
        inlet.open();
        inlet.open();
        assert_eq!(inlet.left.get(), SHORTEST, "it stays as it was");
    }
}
