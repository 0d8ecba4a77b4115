//! The wire contract `transport.v1` (spec 1): what the bytes of a packet mean,
//! which limits they must keep, and how a packet is forwarded without being
//! decoded.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`limits`], [`names`] | the numbers and the metadata keys of the contract |
//! | [`contract`] | tables of every message: field names, numbers, types, limits |
//! | [`mod@validate`] | the complete, table-driven judgement of any message (slow path) |
//! | [`merged`] | any message decoded by its table, merged (slow path) |
//! | [`view`] | one pass over a packet: limits, UTF-8, offsets (hot path) |
//! | [`splice`] | a new packet from ranges of an old one and a new tail |
//! | [`envelope_json`] | members of the JSON envelope in a binary frame found and replaced |
//! | [`json`], [`packet_json`] | JSON as peers read it; structured packets as JSON; Structs to JSON and back |
//! | [`duration`] | durations in the notation of the peers |
//! | [`partition`], [`stream_type`] | names that are computed: partitions by hash, kinds of streams |
//! | [`wire`] | varints, tags and lengths |
//! | `v1` (feature `grpc`) | generated types, clients, servers, descriptors |
//!
//! No policy lives here: the crate says what is valid, never what to do about it.

pub mod contract;
pub mod duration;
pub mod envelope_json;
pub mod json;
pub mod limits;
mod malformed;
pub mod merged;
pub mod names;
pub mod packet_json;
pub mod partition;
pub mod splice;
pub mod stream_type;
mod text;
#[cfg(feature = "grpc")]
pub mod v1;
pub mod validate;
pub mod view;
mod violation;
pub mod wire;

pub use malformed::Malformed;
pub use violation::{Rule, Violation};
