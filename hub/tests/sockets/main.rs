//! The hub over real sockets: one behaviour a file.
//!
//! Every test starts a hub of its own on loopback, waits for conditions with a deadline, and never
//! sleeps.
#![allow(missing_docs, unreachable_pub, reason = "tests")]

#[allow(dead_code, reason = "shared with the tests behind faults")]
mod client;
mod connections;
mod rig;

mod admin;
mod bad_packets;
mod drain;
mod draining;
mod endings;
mod events;
mod fan_out;
mod guarantees;
mod heartbeat;
mod large;
mod last_words;
mod programs;
mod reconnect;
mod registration;
mod runs;
mod silent_sockets;
mod small_frames;
mod stuck;
