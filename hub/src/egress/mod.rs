//! Putting messages on sockets: the sending side of a Process stream.
//!
//! Owns nothing but the way out: it pulls whole messages from the engine when HTTP/2 has room, many
//! per DATA frame, and ends the stream with its status. Never decides what is sent.

mod chunk;
mod writer;

pub(crate) use chunk::Chunk;
pub(crate) use writer::{Flow, Writer};
