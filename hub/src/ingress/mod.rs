//! Taking messages off sockets.
//!
//! Owns the accept loop, the HTTP/2 connections, the checks a stream passes before it is one, and
//! the cutting of bytes into messages. Hands packets to the engine; never keeps one.
//!
//! | file | does |
//! | --- | --- |
//! | `accept` | sockets, their options, the preface deadline |
//! | `connection` | one HTTP/2 connection; Process to us, the rest to tonic |
//! | `registration` | request metadata to a registration (spec 2.2) |
//! | `process` | one Process stream: read, deframe, route |
//! | `deframe` | gRPC messages out of DATA chunks |
//! | `refusal` | the growing delay of refusals |
//! | `status` | gRPC status codes and trailers |

mod accept;
mod connection;
mod deframe;
mod process;
mod refusal;
mod registration;
mod rewind;
mod status;

pub(crate) use accept::{Acceptor, accept};
pub(crate) use connection::Door;
pub(crate) use refusal::Refusals;
pub(crate) use registration::StartupCapabilities;
pub(crate) use status::{Status, code_name};
