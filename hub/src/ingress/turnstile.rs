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
        let line = self.line.borrow();
        !line.open && (line.left == 0 || !line.waiting.is_empty())
    }

    /// Somebody has passed who did not ask, as there was no crowd.
    pub(super) fn note(&self) {
        self.line.borrow_mut().passes(self.clock.now());
    }

    /// Lets everybody through from now on.
    pub(super) fn open(&self) {
        let mut line = self.line.borrow_mut();
        line.open = true;
        line.left = usize::MAX;
        while line.call_next() {}
    }

    /// Calls those who wait, for as long as it is polled. The thread has a timer only while there
    /// are any.
    pub(crate) async fn turn(self: Rc<Self>) {
        loop {
            self.wanted.notified().await;
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
                    break;
                }
            }
        }
    }

    fn call_next(&self) -> bool {
        self.line.borrow_mut().call_next()
    }
}

impl Line {
    /// Whether a newcomer need not wait.
    fn passes(&mut self, now: Moment) -> bool {
        if self.open {
            return true;
        }
        if self.waiting.is_empty() {
            self.count(now, RESTED);
            if self.left == RESTED {
                self.beats = 0;
            }
        }
        let passes = self.waiting.is_empty() && self.left > 0;
        self.left -= usize::from(passes);
        passes
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
        if beats > 0 && !self.open {
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
mod tests {
    use std::task::Waker;

    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_nanos(millis * 1_000_000)
    }

    fn crowd(line: &mut Line, many: usize) -> Vec<Ticket> {
        let one = |_| {
            let mut ticket = Ticket::default();
            line.waiting.join(&mut ticket, Waker::noop());
            ticket
        };
        (0..many).map(one).collect()
    }

    /// How many of the crowd may pass; they do.
    fn passed(crowd: &mut [Ticket]) -> usize {
        let cx = Context::from_waker(Waker::noop());
        let may = |t: &mut &mut Ticket| t.poll(&cx) == Some(Poll::Ready(()));
        crowd
            .iter_mut()
            .filter_map(|mut t| may(&mut t).then_some(()))
            .count()
    }

    #[test]
    fn who_comes_alone_passes_at_once_and_so_do_a_few() {
        let mut line = Line::default();
        for millis in 1..1000 {
            assert!(line.passes(at(millis)));
        }
        assert!((0..RESTED).all(|_| line.passes(at(2000))));
        assert!(!line.passes(at(2000)));
        assert_eq!(line.beats, 0, "that is no storm");
    }

    #[test]
    fn a_storm_passes_a_few_each_beat() {
        let mut line = Line::default();
        let mut crowd = crowd(&mut line, 3);
        for millis in 1..=3 {
            assert!(!line.passes(at(millis)), "others stand in line");
            line.beat(at(millis));
            while line.call_next() {}
            assert_eq!(passed(&mut crowd), 1);
        }
        assert!(!line.passes(at(3)), "the beat has no room for one more");
        assert!(line.passes(at(4)));
    }

    #[test]
    fn a_late_beat_makes_up_for_what_it_missed_but_for_no_more_than_two() {
        let mut line = Line::default();
        let mut crowd = crowd(&mut line, 100);
        line.beat(at(1000));
        while line.call_next() {}
        assert_eq!(passed(&mut crowd), LATE_BEATS * A_BEAT);
    }

    #[test]
    fn a_storm_that_lasts_is_let_through_faster() {
        let mut line = Line::default();
        let mut crowd = crowd(&mut line, 10_000);
        let mut millis = 0;
        while !line.waiting.is_empty() {
            millis += 1;
            line.beat(at(millis));
            while line.call_next() {}
        }
        let all = crowd.len();
        assert_eq!(passed(&mut crowd), all);
        assert!(millis < 8_000, "{millis}");
    }

    #[test]
    fn a_long_rest_lets_no_more_through_than_a_short_one() {
        let mut line = Line::default();
        assert!(
            line.passes(at(1000)),
            "most of what the rest allows is left"
        );
        assert!((0..RESTED).all(|_| line.passes(at(5000))));
        assert!(!line.passes(at(5000)));
    }

    #[test]
    fn a_storm_after_a_rest_begins_anew() {
        let mut line = Line {
            beats: 10 * PATIENCE,
            ..Line::default()
        };
        assert!((0..RESTED).all(|_| line.passes(at(1000))));
        let mut crowd = crowd(&mut line, 10);
        line.beat(at(1001));
        while line.call_next() {}
        assert_eq!(passed(&mut crowd), A_BEAT);
    }

    #[test]
    fn those_who_do_not_ask_make_a_crowd_as_well() {
        let turnstile = Turnstile::new(Clock::start());
        turnstile.note();
        turnstile.line.borrow_mut().left = RESTED;
        let mut noted = 0;
        // It takes a beat for one more to be let through: this is much faster.
        while !turnstile.is_crowded() && noted < 1000 {
            turnstile.note();
            noted += 1;
        }
        assert!((RESTED - 1..1000).contains(&noted), "{noted}");
        turnstile.open();
        assert!(!turnstile.is_crowded());
    }

    #[test]
    fn an_open_turnstile_holds_nobody() {
        let turnstile = Turnstile::new(Clock::start());
        let mut crowd = crowd(&mut turnstile.line.borrow_mut(), 100);
        turnstile.open();
        assert_eq!(passed(&mut crowd), 100);
        let cx = Context::from_waker(Waker::noop());
        for _ in 0..100 {
            let pass = turnstile.poll_pass(&mut Ticket::default(), &cx);
            assert!(pass.is_ready());
        }
    }
}
