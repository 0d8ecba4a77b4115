//! Peers that mean harm, on raw HTTP/2: theirs is ended, and others go on.
//!
//! Nothing here sleeps; what a peer may take is set low, so that the hub is soon fed up.
#![allow(missing_docs, unreachable_pub, reason = "tests")]

#[allow(dead_code, reason = "shared with the tests over sockets")]
#[path = "../sockets/client.rs"]
mod client;
mod neighbour;
mod raw;
#[allow(dead_code, reason = "shared with the tests over sockets")]
#[path = "../sockets/rig.rs"]
mod rig;

mod caps;
mod floods;
mod hang_up;
mod headers;
mod lengths;
mod slowloris;
