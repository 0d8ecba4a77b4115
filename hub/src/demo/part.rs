//! What the three engrams have in common: how long they listen, why they stop, what they keep.

use super::packet::{Foreign, Packet};
use codecs::wav::WriteError;
use engram::{Inbound, InboundMessage};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// After so long without a packet an engram counts its hop as quiet: the recording's longest
/// silence is 1.4 s.
pub(super) const QUIET_AFTER: Duration = Duration::from_secs(10);

/// Why an engram of the demo stops before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// Nothing came for [`QUIET_AFTER`].
    #[error("no packet for {} s", QUIET_AFTER.as_secs())]
    Quiet,
    /// The hub delivered what nobody sent.
    #[error(transparent)]
    Foreign(#[from] Foreign),
    #[error("cannot write the recording: {0}")]
    File(#[from] io::Error),
    #[error("cannot write the recording: {0}")]
    Wav(#[from] WriteError),
}

/// The next packet, and the message that it came in; `None` where the engram is to stop.
pub(super) async fn next(inbound: &mut Inbound) -> Result<Option<(Packet, InboundMessage)>, Fault> {
    let message = timeout(QUIET_AFTER, inbound.next()).await;
    let Some(message) = message.map_err(|_| Fault::Quiet)? else {
        return Ok(None);
    };
    let packet = Packet::try_from(&*message)?;
    Ok(Some((packet, message)))
}

/// What an engram writes down: it is there whatever becomes of the engram.
#[derive(Debug, Default)]
pub(super) struct Notes<J>(Arc<Mutex<J>>);

impl<J> Clone for Notes<J> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<J: Default> Notes<J> {
    /// Writes something down.
    pub(super) fn note(&self, write: impl FnOnce(&mut J)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// All that was written down.
    pub(super) fn take(&self) -> J {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
