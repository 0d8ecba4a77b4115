//! Owns judging: what arrived, in what order, how often, and whether that passes.
//!
//! Pure: knows nothing of sockets, clocks or the hub's own account, except the drop counters that
//! are handed in at the end.

mod edge;
mod verdict;

pub use edge::{EdgeTracker, Seen};
pub use verdict::{EdgeOutcome, Example, Fault, FaultCounts, Judgement, judge};
