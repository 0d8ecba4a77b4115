//! What waits for whom.
//!
//! Owns, per step of a run, the queue of packets that wait for it, who may speak as it (fencing)
//! and its heartbeats. State belongs to the step, not to a connection: it survives disconnects
//! (spec 2.2). Never decides who is downstream; that is `route`.

mod encode;
mod fence;
mod queue;
mod session;
mod spool;

pub use fence::{Fence, FenceVerdict};

pub(crate) use encode::{Encoded, SHARE_ABOVE, wire_len};
pub(crate) use queue::Entry;
pub(crate) use session::{Session, hub_heartbeat};
pub use spool::Pieces;
