//! The hub behind a network that fails: one behaviour a file.
//!
//! Every test starts a hub of its own on loopback and, where it needs one, a [`proxy::Proxy`] in
//! front of it; it waits for conditions with a deadline, and never sleeps.
#![allow(missing_docs, unreachable_pub, reason = "tests")]

#[allow(dead_code, reason = "shared with the tests over sockets")]
#[path = "../sockets/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the tests of the binary")]
#[path = "../binary/process.rs"]
mod process;
mod proxy;
#[allow(dead_code, reason = "shared with the tests over sockets")]
#[path = "../sockets/rig.rs"]
mod rig;
mod traffic;

mod drain;
mod half_close;
mod kill;
mod network_cut;
mod reconnect;
mod slices;
mod slow_consumer;
mod storm;
mod superseded;
