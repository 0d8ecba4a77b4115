//! Lets connections come and go a few at a time, so that a storm of them leaves the thread to the
//! packets of everybody else (spec 7, reconnect_storm).
//!
//! Owns who waits, in the order in which they asked: those that go and those that come stand in one
//! line, so that a client that comes back finds its old connection gone. Who comes or goes alone
//! passes at once. Never touches a socket.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use engine::Moment;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::ticket::{Ticket, Waiting};
use crate::plane::Clock;

/// How often some are let through while others wait.
const BEAT: Duration = Duration::from_millis(1);
/// How many in a beat: taking a connection down or up costs 50 to 150 microseconds.
const A_BEAT: usize = 1;
/// One more for so many beats that a storm has lasted, so that the largest comes to an end.
const PATIENCE: usize = 4500;
/// Beats that are made up for when the thread was late.
const LATE_BEATS: usize = 2;
/// How many may pass at once after a rest.
const RESTED: usize = 16;

/// The line of those that come and go.
pub(crate) struct Turnstile {
    clock: Clock,
    line: RefCell<Line>,
    /// Somebody has begun to wait.
    wanted: Notify,
}

#[derive(Default)]
struct Line {
    waiting: Waiting,
    /// Who may pass by now.
    left: usize,
    /// The beat that was counted last.
    began: Moment,
    /// Beats in which somebody had to wait, since the last rest.
    beats: usize,
    /// Nobody has to wait any more.
    open: bool,
}

impl Turnstile {
    /// A turnstile at which nobody waits.
    pub(crate) fn new(clock: Clock) -> Rc<Self> {
        Rc::new(Self {
            clock,
            line: RefCell::default(),
            wanted: Notify::new(),
        })
    }

    /// Passes, or waits in line until it is one's turn. `ticket` keeps the place.
    pub(super) fn poll_pass(&self, ticket: &mut Ticket, cx: &Context<'_>) -> Poll<()> {
        if let Some(polled) = ticket.poll(cx) {
            return polled;
        }
        let mut line = self.line.borrow_mut();
        if line.passes(self.clock.now()) {
            return Poll::Ready(());
        }
        line.waiting.join(ticket, cx.waker());
        self.wanted.notify_one();
        Poll::Pending
    }

    /// Whether somebody waits, or has to when the next one asks.
    pub(super) fn is_crowded(&self) -> bool {
        let mut line = self.line.borrow_mut();
        // Connections ask each turn: the clock is looked at only in a crowd and once after it.
        let free = line.left > 0 && line.waiting.is_empty();
        !free && !line.has_room(self.clock.now())
    }

    /// Somebody has passed who did not ask, as there was no crowd.
    pub(super) fn note(&self) {
        self.line.borrow_mut().passes(self.clock.now());
    }

    /// Lets everybody through from now on.
    pub(super) fn open(&self) {
        let mut line = self.line.borrow_mut();
        line.open = true;
        while line.waiting.call() {}
    }

    /// Calls those who wait, for as long as it is polled. The thread has a timer only while there
    /// are any.
    pub(crate) async fn turn(self: Rc<Self>) {
        loop {
            self.wanted.notified().await;
            self.clear().await;
        }
    }

    /// Calls those who wait until nobody does.
    async fn clear(&self) {
        let mut beat = interval_at(Instant::now() + BEAT, BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            self.line.borrow_mut().beat(self.clock.now());
            while self.call_next() {
                // What has come for the others meanwhile is seen to before the next one.
                tokio::task::yield_now().await;
            }
            if self.line.borrow().waiting.is_empty() {
                return;
            }
        }
    }

    fn call_next(&self) -> bool {
        self.line.borrow_mut().call_next()
    }

    /// Lets so many through from now on, and nobody for the time that passes.
    #[cfg(test)]
    pub(super) fn allow(&self, many: usize) {
        let mut line = self.line.borrow_mut();
        line.began = Moment::from_nanos(u64::MAX);
        line.left = many;
        while line.call_next() {}
    }
}

impl Line {
    /// Whether a newcomer need not wait.
    fn passes(&mut self, now: Moment) -> bool {
        if self.open {
            return true;
        }
        let passes = self.has_room(now);
        self.left -= usize::from(passes);
        passes
    }

    /// Whether somebody who asks `now` passes at once.
    fn has_room(&mut self, now: Moment) -> bool {
        if !self.waiting.is_empty() {
            return false;
        }
        self.count(now, RESTED);
        if self.left == RESTED {
            self.beats = 0;
        }
        self.left > 0
    }

    /// One beat more in which somebody waits; the runtime's timers may well have skipped another.
    fn beat(&mut self, now: Moment) {
        self.beats += self.count(now, LATE_BEATS);
    }

    /// Counts the beats since the last that was counted, and who may pass for them, up to `most`
    /// beats.
    fn count(&mut self, now: Moment, most: usize) -> usize {
        let beats = now.since(self.began).as_nanos() / BEAT.as_nanos();
        let beats = usize::try_from(beats).unwrap_or(usize::MAX).min(most);
        if beats > 0 {
            let more = beats * (A_BEAT + self.beats / PATIENCE);
            self.left = (self.left + more).min(RESTED);
            self.began = now;
        }
        beats
    }

    /// Calls the first of those who wait, if it may pass. Returns whether another may.
    fn call_next(&mut self) -> bool {
        if self.left > 0 && self.waiting.call() {
            self.left -= 1;
        }
        self.left > 0 && !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests;
