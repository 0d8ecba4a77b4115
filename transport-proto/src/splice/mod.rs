//! Forwarding without decoding (spec 1, "Shapes worth knowing"; spec 6, "The path").
//!
//! A forwarded packet is ranges of the original bytes ([`Kept`]) and a tail of new
//! fields ([`put_metadata`], [`put_inputs`], [`put_payload`], [`put_envelope`]):
//! concatenated messages merge, so what is appended wins. What must be *replaced*
//! rather than merged (a Struct, a metadata key, an envelope) is cut out first.
//!
//! Nothing here judges limits: the hub checks size and pairs after a splice.

mod envelope;
mod frame;
mod kept;
mod parted;
mod rest;
mod tail;

pub use envelope::{Identity, envelope_len, put_envelope, put_partitioned_envelope};
pub use frame::{put_binary_frame, put_envelope_frame};
pub use kept::{Cut, Kept};
pub use parted::{MediaPieces, Parted, Parting};
pub use tail::{
    GRPC_HEAD_LEN, inputs_len, metadata_len, payload_len, process_head_len, put_flow,
    put_grpc_head, put_inputs, put_metadata, put_payload, put_process_head,
};
