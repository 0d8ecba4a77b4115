//! Owns how messages travel: the small interface behind which a transport hides.
//!
//! The payloads, windows, schedules, checks and measurements above it are the same for every
//! transport, which is what makes figures of two of them comparable. [`GrpcWire`] is the hub's own
//! (`HubService.Process` on raw HTTP/2); other drivers implement the same four traits.

mod deframe;
mod grpc;

use std::future::Future;
use std::task::{Context, Poll};

use bytes::Bytes;
use thiserror::Error;

pub use deframe::LengthPrefixed;
pub use grpc::{GrpcWire, put_prefix};

use crate::scenario::StepName;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends.
    Producer,
    /// Receives.
    Consumer,
}

/// One stream as a transport sees it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What it registers as.
    pub name: StepName,
    /// What it is for.
    pub role: Role,
    /// Steps whose messages it receives; empty for a producer.
    pub upstream: Vec<StepName>,
    /// Under which name it numbers its own packets and hears what is settled; `None`: it does not.
    pub producer_epoch: Option<String>,
    /// Whether it stops sending when it is told to.
    pub accepts_pause: bool,
}

/// A transport. Made anew on every generator thread, so it may keep a pool without locks.
pub trait Wire: 'static {
    /// Writing half of a stream.
    type Sink: Sink + 'static;
    /// Reading half of a stream.
    type Source: Source + 'static;
    /// Cuts the bytes that are read into messages.
    type Deframe: Deframe + 'static;

    /// Opens and registers one stream. Returns when the other side has accepted it.
    fn open(
        &self,
        peer: &Peer,
    ) -> impl Future<Output = Result<(Self::Sink, Self::Source), OpenError>>;

    /// What stands before and after each message of `len` bytes that `peer` sends.
    fn framing(&self, peer: &Peer, len: usize) -> (Vec<u8>, Vec<u8>);

    /// A fresh deframer.
    fn deframe(&self) -> Self::Deframe;
}

/// Writing half of a stream.
pub trait Sink {
    /// Hands over as much of `batch` as the transport takes now; ready when all of it is.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Bytes,
    ) -> Poll<Result<(), StreamError>>;

    /// Says that nothing more will be sent.
    fn finish(&mut self);

    /// Breaks the connection under the stream without a goodbye.
    fn sever(&mut self);
}

/// Reading half of a stream.
pub trait Source {
    /// The next bytes; `None` at the end of the stream. Taking a chunk makes room for the next.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>>;

    /// Breaks the connection under the stream without a goodbye.
    fn sever(&mut self);
}

/// Cuts a stream of chunks into messages.
pub trait Deframe {
    /// Calls `each` with every message that `chunk` completes.
    ///
    /// # Errors
    /// When the bytes cannot be a message; the stream cannot go on.
    fn push(&mut self, chunk: Bytes, each: impl FnMut(&[u8])) -> Result<(), StreamError>;
}

/// Why a stream could not be opened.
#[derive(Clone, Debug, Error)]
pub enum OpenError {
    /// Nothing answers at the address. Waiting for it to start may help.
    #[error(
        "cannot reach {address}: {reason}; is the hub running there? (without --target, loadtest starts its own)"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// The other side refused the stream, with its gRPC status.
    #[error("{step} was refused with status {code}: {message}")]
    Refused {
        /// Which step asked.
        step: String,
        /// gRPC status code.
        code: u32,
        /// Its message.
        message: String,
    },
    /// The other side does not speak this transport, or hung up.
    #[error("{address} broke off while {step} registered: {reason}")]
    Broken {
        /// Where.
        address: String,
        /// Which step asked.
        step: String,
        /// What went wrong.
        reason: String,
    },
}

impl OpenError {
    /// gRPC status of a refusal.
    pub fn code(&self) -> Option<u32> {
        match self {
            OpenError::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}

/// Why an open stream ended before its time.
#[derive(Clone, Debug, Error)]
#[error("{reason}")]
pub struct StreamError {
    /// gRPC status, where one was sent.
    pub code: Option<u32>,
    /// What went wrong.
    pub reason: String,
}

impl StreamError {
    /// An error without a status.
    pub fn new(reason: impl Into<String>) -> StreamError {
        StreamError {
            code: None,
            reason: reason.into(),
        }
    }
}
