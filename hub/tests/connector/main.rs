//! Engrams that connect directly, over real sockets, in the order that their SDK goes by: both
//! streams are opened, nothing is said on either, the hub speaks first.
#![allow(missing_docs, unreachable_pub, reason = "tests")]

#[path = "../sockets/client.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod client;
#[path = "../sockets/rig.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod rig;

mod engram;
mod raw;

mod batch;
mod bindings;
mod codecs;
mod control;
mod deadly;
mod endings;
mod framing;
mod handshake;
mod mixed;
mod receipts;
mod shapes;
mod violations;
