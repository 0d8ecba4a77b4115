//! Taking messages off sockets.
//!
//! Owns the accept loop, the HTTP/2 connections, the checks a stream passes before it is one, and
//! the cutting of bytes into messages. Hands packets to the engine; never keeps one.
//!
//! | file | does |
//! | --- | --- |
//! | `accept` | sockets, their options, the preface deadline |
//! | `connection` | one HTTP/2 connection and its streams, as one task |
//! | `calls` | which parts of a connection have something to do |
//! | `keep_alive` | PINGs, and giving up a peer that is gone |
//! | `rewind`, `inlet`, `meter` | how much is read in one turn, and which frames cost too much |
//! | `read_ahead` | one read of a socket that has much to say, and not one for each half of a frame |
//! | `greeting` | the first bytes to a client, written at once |
//! | `peers` | connections and streams by peer |
//! | `turnstile` | storms of connections, let through a few at a time |
//! | `usher` | quiet connections that all have something at once, likewise |
//! | `ticket` | places in the lines of these two |
//! | `request` | what becomes of a request; Process to us, the rest to tonic |
//! | `tonic_bridge` | requests that tonic answers |
//! | `connector` | engrams that connect directly: Data and Control |
//! | `registration` | request metadata to a registration (spec 2.2) |
//! | `process` | one Process stream: read, deframe, route |
//! | `deframe` | gRPC messages out of DATA chunks, large media left where it came |
//! | `refusal` | the growing delay of refusals |
//! | `status` | gRPC status codes and trailers |

mod accept;
mod calls;
mod connection;
mod connector;
mod deframe;
mod greeting;
mod inlet;
mod keep_alive;
mod meter;
mod peers;
mod process;
mod read_ahead;
mod refusal;
mod registration;
mod request;
mod rewind;
mod status;
mod ticket;
mod tonic_bridge;
mod turnstile;
mod usher;

pub(crate) use accept::{Acceptor, accept};
pub(crate) use connector::{
    AUDIO_CHANNELS, AUDIO_CODEC, AUDIO_RATE, BINARY_TYPE, Capabilities, Catalog, VIDEO_CODEC,
    VIDEO_PROFILE,
};
pub(crate) use keep_alive::Watch;
pub(crate) use peers::Peers;
pub(crate) use refusal::Refusals;
pub(crate) use registration::StartupCapabilities;
pub(crate) use request::Door;
pub(crate) use status::{Status, code_name};
pub(crate) use turnstile::Turnstile;
pub(crate) use usher::Usher;
