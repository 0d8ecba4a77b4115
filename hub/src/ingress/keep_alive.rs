//! Noticing a peer that is gone without a word (spec 2.6).

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use engine::Moment;
use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep, sleep};

use crate::config::Config;
use crate::plane::Clock;

/// When a connection was last heard of. Only whole frames count: a peer that sends a byte now and
/// then is as good as gone.
#[derive(Clone)]
pub(super) struct Heard {
    clock: Clock,
    nanos: Arc<AtomicU64>,
}

impl Heard {
    pub(super) fn new(clock: Clock) -> Self {
        let nanos = Arc::new(AtomicU64::new(clock.now().as_nanos()));
        Self { clock, nanos }
    }

    /// Something came in, `now`.
    pub(super) fn at(&self, now: Moment) {
        self.nanos.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// Something has just come in.
    pub(super) fn now(&self) {
        self.at(self.clock.now());
    }

    fn silence(&self) -> Duration {
        let heard = Moment::from_nanos(self.nanos.load(Ordering::Relaxed));
        self.clock.now().since(heard)
    }
}

/// Sends a PING to a peer that has been silent for an interval, and gives it up when it still is
/// after the time to answer.
pub(super) struct KeepAlive {
    pings: PingPong,
    sleep: Pin<Box<Sleep>>,
    heard: Heard,
    interval: Duration,
    answer_within: Duration,
    /// A PING waits for its answer.
    asked: bool,
}

impl KeepAlive {
    pub(super) fn new(pings: PingPong, heard: Heard, config: &Config) -> Self {
        let heartbeat = &config.heartbeat;
        let answer_within = heartbeat.timeout.saturating_sub(heartbeat.interval);
        Self {
            pings,
            sleep: Box::pin(sleep(heartbeat.interval)),
            heard,
            interval: heartbeat.interval,
            answer_within: answer_within.max(Duration::from_millis(1)),
            asked: false,
        }
    }

    /// Ready when the peer is to be given up.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.asked && matches!(self.pings.poll_pong(cx), Poll::Ready(Ok(_))) {
                self.asked = false;
                self.heard.now();
                self.sleep_for(self.interval);
            }
            std::task::ready!(self.sleep.as_mut().poll(cx));
            let silence = self.heard.silence();
            if self.asked {
                if silence >= self.answer_within {
                    return Poll::Ready(());
                }
                // It is slow to answer, yet it is there.
                self.sleep_for(self.answer_within - silence);
            } else if silence < self.interval {
                self.sleep_for(self.interval - silence);
            } else {
                // It fails only when the connection is about to end.
                self.asked = self.pings.send_ping(Ping::opaque()).is_ok();
                let until = if self.asked {
                    self.answer_within
                } else {
                    self.interval
                };
                self.sleep_for(until);
            }
        }
    }

    fn sleep_for(&mut self, duration: Duration) {
        self.sleep.as_mut().reset(Instant::now() + duration);
    }
}
