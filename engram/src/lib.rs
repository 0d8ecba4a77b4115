//! SDK for engrams: programs that stream packets through the hub (spec 3).
//!
//! Messages, their rules and their wire form; who an engram is; how it finds its hub.

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
