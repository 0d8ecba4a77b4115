//! The built binary as its users start it: a process, its two pipes, its exit status.
//!
//! Every test waits for lines, ends of pipes or metrics with a deadline, and never sleeps.
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod engram;
mod eval;
#[allow(dead_code, reason = "shared with the goals")]
mod process;

mod addresses;
mod drain;
mod events;
mod ready;
mod stories;
