//! Owns making the traffic: threads, streams, schedules and windows.
//!
//! One thread is one current-thread runtime with its share of the streams; a group (producers and
//! the consumers they reach) stays on one thread where it can. Threads share counters only.

mod consumer;
mod cut;
mod guarantee;
mod ledger;
mod outcome;
mod pacer;
mod producer;
mod receipts;
mod run;
mod schedule;
mod shared;
mod stock;
mod timeline;
mod worker;

pub use run::{Observer, RunError, RunOptions, Target, run};
pub use schedule::OpenLoop;
