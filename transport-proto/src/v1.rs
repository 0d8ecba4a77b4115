//! Generated types of `transport.v1`: messages with [`bytes::Bytes`] for every
//! bytes field and ordered maps, tonic clients and servers, and the descriptors
//! for reflection. Made by `build.rs` from `proto/`; never used on the data path.

#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::unwrap_used,
    clippy::large_futures
)]

tonic::include_proto!("transport.v1");

/// The encoded `FileDescriptorSet` of the contract, with its imports (for reflection).
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/transport.v1.descriptors.bin"));
