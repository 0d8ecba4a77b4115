//! Connections to a hub.
//!
//! Owns the trait that a transport implements and the two that there are: the connector
//! contract (Data and Control, spec 3) and `HubService.Process` (spec 2.2). They move
//! bytes and translate names; what is sent and when is the session's.

mod connector;
mod dial;
mod process;
mod raw;

use std::future::Future;

use bytes::Bytes;
use tokio::sync::mpsc;
use transport_proto::view::Dialect;

pub use connector::Connector;
pub use process::{Process, Registration};

use crate::control::{ControlDirective, reconnects};
pub use crate::session::CumulativeAck;
use crate::wire::Receipt;

/// Packets between the session and a socket; few, so that a pause and an interrupt reach
/// nearly all of them.
pub(crate) const IN_HAND: usize = 16;

/// What every connection of an engram says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// `hub-producer-epoch`: one for the life of the process.
    pub producer_epoch: String,
}

/// Something that connects to a hub.
pub trait Transport: Send + 'static {
    /// How packets number their fields on it.
    fn dialect(&self) -> Dialect;

    /// Makes a connection. Dropping what it gives ends the connection.
    fn connect(&mut self, hello: &Hello) -> impl Future<Output = Result<Connection, Ended>> + Send;
}

/// A connection, as four queues. Packets and the rest have their own, so that receipts
/// pass packets that wait.
#[derive(Debug)]
pub struct Connection {
    /// Whether the hub says `connector.ready` before anything may be sent.
    pub handshakes: bool,
    /// Packets to the hub, in the transport's dialect. Dropping it ends the side of the
    /// engram.
    pub packets_out: mpsc::Sender<Bytes>,
    /// The rest to the hub.
    pub control_out: mpsc::Sender<ControlOut>,
    /// Packets from the hub.
    pub packets_in: mpsc::Receiver<Bytes>,
    /// The rest from the hub; the last is how it ended.
    pub control_in: mpsc::Receiver<ControlIn>,
}

/// To the hub, beside packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlOut {
    /// One packet was completed.
    Receipt(Receipt),
    /// Packets were completed, credits come back.
    Ack(CumulativeAck),
    /// Anything else.
    Directive(ControlDirective),
}

/// From the hub, beside packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlIn {
    /// A directive.
    Directive(ControlDirective),
    /// What the hub says of the engram's own packets.
    Flow {
        /// Everything up to this number is settled; 0 says nothing.
        ack: u64,
        /// Whether to pause; `None` says nothing.
        pause: Option<bool>,
    },
    /// It is over.
    Ended(Ended),
}

/// How a connection ended, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} ({code}): {message}", if *.code == 0 { "the hub ended the connection" } else { "the hub says" })]
pub struct Ended {
    /// gRPC code; 0 for an end without error.
    pub code: i32,
    /// What the hub says.
    pub message: String,
}

impl Ended {
    /// An end for a reason of our own, after which another try may help.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            code: tonic::Code::Unavailable as i32,
            message: message.into(),
        }
    }

    /// An end after which no try can help.
    pub(crate) fn for_good(message: impl Into<String>) -> Self {
        Self {
            code: tonic::Code::FailedPrecondition as i32,
            message: message.into(),
        }
    }

    /// Whether another try may help.
    #[must_use]
    pub fn reconnects(&self) -> bool {
        reconnects(self.code, &self.message)
    }
}

impl From<tonic::Status> for Ended {
    fn from(status: tonic::Status) -> Self {
        Self {
            code: status.code() as i32,
            message: status.message().to_owned(),
        }
    }
}
