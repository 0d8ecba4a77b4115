//! Owns judging: what arrived, in what order, how often, and whether that passes.
//!
//! Pure: knows nothing of sockets, clocks or the hub's own account, except the drop counters that
//! are handed in at the end.

mod edge;
mod fault;
mod identity;
mod verdict;

pub use edge::{EdgeTracker, Seen};
pub use fault::{Example, Fault, FaultCounts};
pub use identity::{Carried, Identities, Order, Payload};
pub use verdict::{Acknowledged, EdgeOutcome, Judgement, judge};
