//! The bytes that cross the simulated network, written and read by hand (spec 1).
//!
//! Owns a small encoder and decoder of the messages that the worlds use. Shares no code with the
//! core under test nor with the hub's own view of a packet, so that clients and oracle read what is
//! really on the wire.

mod deframe;
mod read;
mod tag;
mod write;

pub use deframe::Deframer;
pub use read::{Control, Envelope, Flow, Kind, Packet, Process, control, process};
pub use tag::{Payload, Tag};
pub use write::{
    EnvelopeOut, FlowOut, PacketOut, control_request, framed, packet, process_request,
};

/// Metadata key that names a payload, see [`Tag`].
pub const TAG_KEY: &str = "tag";
/// Metadata key of a packet's turn (spec 2.5).
pub const TURN_KEY: &str = "bubu.turn";
/// Metadata key of control on a stream that has no control channel (spec 2.5).
pub const CONTROL_KEY: &str = "hub-control";
/// Metadata key that makes a packet a heartbeat (spec 2.6).
pub const HEARTBEAT_KEY: &str = "bubu-heartbeat";
/// Custom action of a receipt for one sequence (spec 2.4 rule 2).
pub const DELIVERED: &str = "downstream.delivered";
/// Custom action of a barge-in (spec 2.5).
pub const INTERRUPT: &str = "interrupt";

/// FNV-1a, 64 bits: digests of payloads and of whole histories.
pub fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, &b| {
        (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Where [`fnv`] starts.
pub const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
