//! SDK for engrams: programs that stream packets through the hub (spec 3).
//!
//! Messages, their rules and their wire form; who an engram is and how it finds its hub;
//! and the connection itself: made anew when it is lost, with everything that is sent
//! numbered and kept until the hub says that it is settled, and with receipts that are
//! never dropped. An engram notices none of it.
//!
//! ```no_run
//! use engram::{BoxError, Context, Engram, Inbound, Outbound, RunError};
//! use engram::{StreamMessage, StreamingEngram};
//!
//! /// Answers every message with how many there were.
//! struct Counter;
//!
//! impl Engram<()> for Counter {}
//!
//! impl StreamingEngram<()> for Counter {
//!     async fn stream(
//!         &mut self,
//!         _: Context,
//!         mut inbound: Inbound,
//!         outbound: Outbound,
//!     ) -> Result<(), BoxError> {
//!         let mut count = 0;
//!         while let Some(message) = inbound.next().await {
//!             count += 1;
//!             let answer = StreamMessage::json(&serde_json::json!({ "count": count }))?;
//!             outbound.send(&answer).await?;
//!             message.done();
//!         }
//!         Ok(())
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), RunError> {
//!     // Reads BUBU_TRANSPORT_BINDING and runs until SIGINT or SIGTERM.
//!     engram::start_streaming(Counter).await?;
//!     Ok(())
//! }
//! ```
//!
//! What differs from the Go SDK: output is numbered and kept (there, the end of a
//! connection loses what was under way), receipts are never dropped, the count of
//! reconnects begins anew when a session was ready, `stream` is called once and not once
//! a connection, a packet that cannot be read is receipted, logged and left out in place of ending the
//! session, and hosts other than this machine are refused until TLS is built.

mod control;
mod error;
mod identity;
pub mod link;
mod message;
mod run;
mod session;
mod start;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod wire;

pub use control::{ControlDirective, Handshake, HandshakeError, default_reply, reconnects};
pub use error::{InvalidError, StructuredError};
pub use identity::{
    ExecutionContext, IdempotencyUnavailable, Secrets, SecretsError, StoryInfo, idempotency_key,
};
pub use message::{
    AudioFrame, BinaryFrame, InvalidMessage, Kind, MediaTime, StreamEnvelope, StreamMessage,
    TransportConfig, TransportDescriptor, UnixMillis, VideoFrame,
};
pub use run::{
    BatchEngram, BatchOutcome, BoxError, ConfigError, Context, ControlHandler, Engram, Impulse,
    Inbound, InboundMessage, Outbound, RunError, Runtime, SendError, StreamingEngram, start_batch,
    start_impulse, start_streaming,
};
pub use session::{Bounds, Stats};
pub use start::{
    Binding, BindingError, DurationError, Environment, Retries, SecurityModeError, Tunables,
    format_duration, is_plaintext, parse_duration, security_mode,
};
