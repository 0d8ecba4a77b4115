//! Running an engram: the async shell around a session.
//!
//! Owns tasks, timers and waiting. What is sent and kept, the session decides.

mod batch;
mod config;
mod drive;
mod engram;
mod handles;
mod line;
mod runtime;
mod shared;

use crate::identity::SecretsError;
use crate::link::Ended;
use crate::start::{BindingError, SecurityModeError};
use crate::wire::EncodeError;

pub use batch::{BatchOutcome, start_batch, start_impulse};
pub use config::ConfigError;
pub use engram::{BatchEngram, BoxError, ControlHandler, Engram, Impulse, StreamingEngram};
pub use handles::{Context, Inbound, InboundMessage, Outbound};
pub use runtime::{Runtime, start_streaming};

/// Why an engram's run ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The environment does not say where the hub is. A retry does not help.
    #[error(transparent)]
    Binding(#[from] BindingError),
    /// The environment asks for a security mode that there is not.
    #[error(transparent)]
    SecurityMode(#[from] SecurityModeError),
    /// The step's configuration cannot be read. A retry does not help.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Secrets cannot be read.
    #[error("failed to expand secrets: {0}")]
    Secrets(#[from] SecretsError),
    /// `init` failed.
    #[error("the engram cannot start: {0}")]
    Init(#[source] BoxError),
    /// The engram's own work failed. What it had sent by then was delivered.
    #[error("the engram failed: {0}")]
    Engram(#[source] BoxError),
    /// The hub ended the connection in a way that no retry can help.
    #[error("{0}")]
    Refused(#[source] Ended),
    /// As many connections as were allowed have failed.
    #[error("no connection after {tries} tries: {last}")]
    GaveUp {
        /// How many.
        tries: u32,
        /// How the last ended.
        last: Ended,
    },
    /// The step's time was over (batch).
    #[error("the engram took longer than its step may")]
    Timeout,
}

impl RunError {
    /// Exit status for a process that ends with it: 124 for a timeout, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Timeout => 124,
            _ => 1,
        }
    }
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SendError {
    /// It cannot be: a fault of the engram. A retry does not help.
    #[error(transparent)]
    Message(#[from] EncodeError),
    /// The run is over.
    #[error("the engram's run is over")]
    Closed,
    /// There is no room for more that is not settled ([`Outbound::try_send`] only).
    #[error("too much is not settled yet")]
    Full,
}
