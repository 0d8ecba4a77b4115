//! Owns clients of the programs that do not speak the hub's protocol.
//!
//! Both put the same pre-built messages on a plain TCP socket in the same batches; only what stands
//! around a message differs. The client of HTTP/2 is `loadtest`'s own.

mod nats;
mod socket;
mod tcp;

pub use nats::{NatsMessages, NatsWire};
pub use socket::{TcpSink, TcpSource};
pub use tcp::TcpWire;
