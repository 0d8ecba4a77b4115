//! The driver: connections one after the other, until the run is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::RunError;
use super::line::{Left, Line};
use super::shared::{Phase, Shared};
use crate::control::ControlDirective;
use crate::link::{Connection, Ended, Hello, Transport};
use crate::session::{Backoff, Jitter};
use crate::start::Tunables;

/// What a driver is made with.
pub(super) struct Drive {
    pub(super) shared: Arc<Shared>,
    pub(super) tunables: Tunables,
    pub(super) hello: Hello,
    /// Where directives go that a handler takes; `None` for the answers by default.
    pub(super) handler: Option<mpsc::Sender<ControlDirective>>,
    /// How long what was sent may take to be settled once the engram has stopped, over all
    /// connections.
    pub(super) drain: Duration,
}

impl Drive {
    /// Connects and connects again until the run is over.
    pub(super) async fn run(&self, transport: &mut impl Transport) -> Result<(), RunError> {
        let mut backoff = Backoff::new(&self.tunables);
        let mut jitter = Jitter::new();
        let mut tries = 0;
        loop {
            tries += 1;
            let ended = match self.connect(transport).await {
                Some(Ok(connection)) => {
                    let line = Line::new(self, connection);
                    tracing::info!("connected to the hub");
                    let left = line.serve(&mut backoff).await;
                    self.shared.session().disconnected();
                    match left {
                        Left::Finished => return Ok(()),
                        Left::Ended(ended) => ended,
                    }
                }
                Some(Err(ended)) => ended,
                None => return Ok(()),
            };
            if !ended.reconnects() {
                return Err(RunError::Refused(ended));
            }
            let Some(wait) = backoff.next(&mut jitter) else {
                return Err(RunError::GaveUp { tries, last: ended });
            };
            tracing::info!(%ended, ?wait, "the connection to the hub is lost");
            if !self.wait(wait).await {
                return Ok(());
            }
        }
    }

    /// Connects within the dial timeout; `None` where the run is over before.
    async fn connect(&self, transport: &mut impl Transport) -> Option<Result<Connection, Ended>> {
        let within = self.tunables.dial_timeout;
        tokio::select! {
            connected = timeout(within, transport.connect(&self.hello)) => {
                Some(connected.unwrap_or_else(|_| Err(Ended::unavailable("the hub did not answer"))))
            }
            () = self.over() => None,
        }
    }

    /// Waits; false where the run is over before.
    async fn wait(&self, wait: Duration) -> bool {
        tokio::select! {
            () = sleep(wait) => true,
            () = self.over() => false,
        }
    }

    /// Waits until the engram has stopped and nothing is left to deliver, or the time for
    /// it is over.
    async fn over(&self) {
        self.shared.reached(Phase::Finishing).await;
        if !self.shared.session().is_settled() {
            self.shared.drained(self.drain).await;
        }
    }
}

/// The time of day.
pub(super) fn unix_millis() -> u128 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis())
}
