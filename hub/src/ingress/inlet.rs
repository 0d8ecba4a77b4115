//! What a connection and its socket tell each other.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use engine::Moment;

/// Bytes read before what they hold is routed and other connections have their turn. HTTP/2 gives a
/// connection up when small frames have cost it half its window, 8 MiB, at up to 255 bytes for the
/// 10 that the smallest takes on the wire: so many bytes never get there (spec 7).
pub(super) const A_TURN: u64 = 256 << 10;

/// What a connection and its socket tell each other.
pub(super) struct Inlet {
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
}

impl Inlet {
    pub(super) fn new(now: Moment) -> Rc<Self> {
        Rc::new(Self {
            stuck_since: Cell::new(Some(now)),
            left: Cell::new(A_TURN),
            fresh: Cell::new(true),
            over: Cell::new(false),
            greeting: Cell::new(true),
        })
    }

    /// A new turn begins.
    pub(super) fn open(&self) {
        self.left.set(A_TURN);
        self.fresh.set(true);
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
