//! The hub's beat: a thread that tells the data plane when time has passed.
//!
//! A timer on the data plane's own thread would be set anew around every packet (`ingress/keep_alive`
//! says what that costs); a call from another thread once a second costs nothing.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::config::Config;
use crate::plane::Alarm;

/// How often time-driven work is looked for, at least.
const SLOWEST: Duration = Duration::from_secs(1);

/// Ticks, until dropped.
pub(super) struct Ticks {
    pub(super) every: Duration,
    due: Arc<Notify>,
    /// Asks for ticks between the regular ones; the end of all of these ends the thread.
    sooner: mpsc::Sender<Instant>,
}

impl Ticks {
    /// Starts the thread, at the pace that the heartbeats of `config` ask for.
    pub(super) fn spawn(config: &Config) -> io::Result<(Self, JoinHandle<()>)> {
        let every = SLOWEST
            .min(config.heartbeat.interval / 4)
            .max(Duration::from_millis(1));
        let due = Arc::new(Notify::new());
        let (sooner, asked) = mpsc::channel::<Instant>();
        let tell = due.clone();
        let beat = move || {
            let mut next = Instant::now() + every;
            loop {
                let wait = next.saturating_duration_since(Instant::now());
                match asked.recv_timeout(wait) {
                    Ok(at) => next = next.min(at),
                    Err(RecvTimeoutError::Timeout) => {
                        next = Instant::now() + every;
                        tell.notify_one();
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("hub-ticks".to_owned())
            .spawn(beat)?;
        let ticks = Self { every, due, sooner };
        Ok((ticks, thread))
    }

    /// Asks for ticks between the regular ones.
    pub(super) fn alarm(&self) -> Alarm {
        Alarm::new(self.sooner.clone())
    }

    /// Waits for the next tick. Ticks that nobody waited for count as one.
    pub(super) async fn next(&self) {
        self.due.notified().await;
    }
}
