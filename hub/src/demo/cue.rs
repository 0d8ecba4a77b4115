//! When the play begins: once every engram is connected.
//!
//! Owns a count of the engrams that the hub is ready for. What is sent earlier would wait for
//! them in the hub, and their latencies would tell of that.

use super::progress::STEPS;
use engram::ControlHandler;
use tokio::sync::watch;

/// Shared by the engrams.
#[derive(Clone, Debug)]
pub(super) struct Cue(watch::Sender<usize>);

impl Cue {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// An engram's handler of what the hub directs: counts it when the hub is ready for it, and
    /// leaves every answer as it is by default.
    pub(super) fn handler(&self) -> ControlHandler {
        let ready = self.0.clone();
        ControlHandler::new(move |directive| {
            if directive.is("connector.ready") {
                ready.send_modify(|engrams| *engrams += 1);
            }
            std::future::ready(Ok(None))
        })
    }

    /// Waits until the hub is ready for every engram of the Story.
    pub(super) async fn given(&self) {
        let mut ready = self.0.subscribe();
        // The sender lives as long as we are borrowed.
        let _ = ready.wait_for(|engrams| *engrams >= STEPS.len()).await;
    }
}
