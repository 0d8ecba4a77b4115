//! Noticing a peer that is gone without a word (spec 2.6).
//!
//! Connections have no timers of their own: while the thread has any, each of its rests sets a
//! timer and looks at the clock, which costs about a tenth of a lone message. They are looked at once a
//! tick instead.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use engine::Moment;
use h2::{Ping, PingPong};

use super::inlet::Inlet;
use crate::config::Config;
use crate::plane::Clock;

/// When a connection was last heard of. Only whole frames count: a peer that sends a byte now and
/// then is as good as gone.
#[derive(Clone)]
pub(super) struct Heard(Arc<Last>);

/// When that was, by which clock.
struct Last {
    clock: Clock,
    nanos: AtomicU64,
}

impl Heard {
    pub(super) fn new(clock: Clock) -> Self {
        let nanos = AtomicU64::new(clock.now().as_nanos());
        Self(Arc::new(Last { clock, nanos }))
    }

    /// Something came in, `now`.
    pub(super) fn at(&self, now: Moment) {
        self.0.nanos.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// Something has just come in.
    pub(super) fn now(&self) {
        self.at(self.0.clock.now());
    }

    fn silence(&self) -> Duration {
        let heard = Moment::from_nanos(self.0.nanos.load(Ordering::Relaxed));
        self.0.clock.now().since(heard)
    }
}

/// How long a frame other than DATA may take, however lively the heartbeats (spec 7, slowloris).
const FRAME_WITHIN: Duration = Duration::from_secs(10);

/// The connections that are looked at.
pub(crate) struct Watch {
    every: Duration,
    watched: RefCell<Vec<Weak<Watched>>>,
    /// Connections are to end.
    stopping: Cell<bool>,
}

struct Watched {
    /// Nothing is to be done before.
    due: Cell<Moment>,
    waker: Waker,
    inlet: Rc<Inlet>,
    frame_within: Duration,
}

impl Watched {
    fn is_stuck(&self, now: Moment) -> bool {
        self.inlet.is_stuck(now, self.frame_within)
    }
}

impl Watch {
    /// A watch whose [`Watch::look`] is called about `every` so often.
    pub(crate) fn new(every: Duration) -> Self {
        Self {
            every,
            watched: RefCell::default(),
            stopping: Cell::new(false),
        }
    }

    /// Has all connections end.
    pub(super) fn stop(&self) {
        self.stopping.set(true);
        for watched in self.watched.borrow().iter().filter_map(Weak::upgrade) {
            watched.waker.wake_by_ref();
        }
    }

    /// Whether connections are to end.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Wakes the connections that have something to do `now`.
    pub(crate) fn look(&self, now: Moment) {
        self.watched.borrow_mut().retain(|watched| {
            let Some(watched) = watched.upgrade() else {
                return false;
            };
            if watched.due.get() <= now || watched.is_stuck(now) {
                watched.waker.wake_by_ref();
            }
            true
        });
    }
}

/// Sends a PING to a peer that has been silent for an interval, and gives it up when it still is
/// after the time to answer. Acts at the last look before, so that nobody is noticed late.
pub(super) struct KeepAlive {
    pings: PingPong,
    heard: Heard,
    interval: Duration,
    answer_within: Duration,
    /// A PING waits for its answer.
    asked: bool,
    watched: Rc<Watched>,
    waker: Waker,
}

impl KeepAlive {
    /// Watches a connection by its `pings`; `waker` asks for [`KeepAlive::poll`].
    pub(super) fn new(
        pings: PingPong,
        (heard, inlet): (Heard, Rc<Inlet>),
        (watch, config): (&Watch, &Config),
        waker: Waker,
    ) -> Self {
        let heartbeat = &config.heartbeat;
        let interval = heartbeat.interval.saturating_sub(watch.every);
        let answer_within = heartbeat.timeout.saturating_sub(heartbeat.interval);
        let watched = Rc::new(Watched {
            due: Cell::new(heard.0.clock.now().after(interval)),
            waker: waker.clone(),
            inlet,
            frame_within: FRAME_WITHIN.min(heartbeat.timeout),
        });
        watch.watched.borrow_mut().push(Rc::downgrade(&watched));
        Self {
            pings,
            heard,
            interval,
            answer_within: answer_within
                .saturating_sub(watch.every)
                .max(Duration::from_millis(1)),
            asked: false,
            watched,
            waker,
        }
    }

    /// Does what is due. Ready when the peer is to be given up.
    pub(super) fn poll(&mut self) -> Poll<()> {
        let mut cx = Context::from_waker(&self.waker);
        if self.asked && matches!(self.pings.poll_pong(&mut cx), Poll::Ready(Ok(_))) {
            self.asked = false;
            self.heard.now();
        }
        let now = self.heard.0.clock.now();
        if self.watched.is_stuck(now) {
            return Poll::Ready(());
        }
        if now < self.watched.due.get() {
            return Poll::Pending;
        }
        let silence = self.heard.silence();
        let rest = if self.asked {
            if silence >= self.answer_within {
                return Poll::Ready(());
            }
            // It is slow to answer, yet it is there.
            self.answer_within - silence
        } else if silence < self.interval {
            self.interval - silence
        } else if self.pings.send_ping(Ping::opaque()).is_ok() {
            self.asked = true;
            // Asks to be woken by the answer, which cannot be there yet.
            let _ = self.pings.poll_pong(&mut cx);
            self.answer_within
        } else {
            // The connection is about to end.
            self.interval
        };
        self.watched.due.set(now.after(rest));
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn at(secs: u64) -> Moment {
        Moment::default().after(Duration::from_secs(secs))
    }

    /// A connection that began at 0, is due at `due`, and wakes what is counted.
    fn watched(watch: &Watch, due: Moment) -> (Rc<Watched>, Arc<Count>) {
        let count = Arc::<Count>::default();
        let watched = Rc::new(Watched {
            due: Cell::new(due),
            waker: Waker::from(count.clone()),
            inlet: Inlet::new(at(0)),
            frame_within: FRAME_WITHIN,
        });
        watch.watched.borrow_mut().push(Rc::downgrade(&watched));
        (watched, count)
    }

    fn woken(count: &Count) -> usize {
        count.0.load(Ordering::Relaxed)
    }

    /// The keep-alive of a connection to a client that answers nothing, on a clock that has run for
    /// `ago`; its first frame was due at 0. The connection lasts as long as what comes with it.
    async fn kept_alive(ago: Duration) -> (KeepAlive, impl Sized) {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let greetings = tokio::join!(h2::server::handshake(ours), h2::client::handshake(theirs));
        let mut server: h2::server::Connection<_, bytes::Bytes> = greetings.0.unwrap();
        let pings = server.ping_pong().unwrap();
        let heard = Heard::new(Clock::started(ago));
        let watch = Watch::new(Duration::from_secs(1));
        let config = Config::default();
        let inlet = Inlet::new(at(0));
        let waker = Waker::noop().clone();
        let kept = KeepAlive::new(pings, (heard, inlet), (&watch, &config), waker);
        (kept, (server, greetings.1))
    }

    #[tokio::test]
    async fn a_frame_may_take_ten_seconds_whatever_the_heartbeats() {
        let (mut fresh, _connection) = kept_alive(Duration::from_secs(5)).await;
        assert!(fresh.poll().is_pending());
        let (mut stuck, _connection) = kept_alive(Duration::from_secs(11)).await;
        assert!(stuck.poll().is_ready());
    }

    #[tokio::test]
    async fn a_peer_is_given_up_only_when_it_was_asked_and_had_its_time_to_answer() {
        let (mut peer, _connection) = kept_alive(Duration::from_secs(5)).await;
        peer.heard.at(at(0));
        peer.watched.due.set(at(0));
        peer.interval = Duration::from_secs(4);
        peer.answer_within = Duration::from_secs(100);
        assert!(peer.poll().is_pending());
        assert!(peer.asked, "it was silent for an interval");
        peer.watched.due.set(at(0));
        assert!(peer.poll().is_pending(), "it may still answer");
        peer.answer_within = Duration::from_secs(5);
        peer.watched.due.set(at(0));
        assert!(peer.poll().is_ready());
    }

    #[test]
    fn a_connection_is_woken_when_it_is_due() {
        let watch = Watch::new(Duration::from_secs(1));
        let (_connection, count) = watched(&watch, at(5));
        watch.look(at(4));
        assert_eq!(woken(&count), 0);
        watch.look(at(5));
        assert_eq!(woken(&count), 1);
    }

    #[test]
    fn a_connection_that_is_stuck_in_a_frame_is_woken_before_it_is_due() {
        let watch = Watch::new(Duration::from_secs(1));
        let (_connection, count) = watched(&watch, at(3600));
        watch.look(at(9));
        assert_eq!(woken(&count), 0);
        watch.look(at(10));
        assert_eq!(woken(&count), 1);
    }

    #[test]
    fn a_connection_that_is_gone_is_watched_no_more() {
        let watch = Watch::new(Duration::from_secs(1));
        let (gone, _) = watched(&watch, at(5));
        let (_stays, _) = watched(&watch, at(5));
        drop(gone);
        watch.look(at(1));
        assert_eq!(watch.watched.borrow().len(), 1);
    }
}
