//! Putting messages on sockets: the response body of a Process stream.
//!
//! Owns nothing but the way out: it pulls whole messages from the engine when HTTP/2 has room, many
//! per DATA frame, and ends the stream with its status. Never decides what is sent.

mod body;
mod chunk;

pub(crate) use body::{HubBody, ProcessBody};
pub(crate) use chunk::Chunk;
