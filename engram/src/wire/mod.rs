//! Messages as the contract carries them.
//!
//! Owns: encoding and decoding, identities for dedupe and receipts, reassembly of
//! chunks. Pure; never decides when something is sent.

mod chunks;
mod decode;
mod encode;

pub use chunks::{Assembly, Chunk, ChunkError, Reassembler};
#[cfg(feature = "testkit")]
pub(crate) use decode::decode_sent;
pub use decode::{Arrival, DecodeError, Drop, Identity, Receipt, decode};
pub(crate) use decode::{decode_chunked, receipt};
pub(crate) use encode::encode_buffer;
pub use encode::{EncodeError, encode};
