//! What waits for whom.
//!
//! Owns, per step of a run, the queue of packets that wait for it, who may speak as it (fencing)
//! and its heartbeats. State belongs to the step, not to a connection: it survives disconnects
//! (spec 2.2). Never decides who is downstream; that is `route`.

mod connector;
mod credit;
mod encode;
mod fence;
pub(crate) mod join;
mod keyframe;
mod lanes;
mod log;
mod origin;
mod producer;
mod queue;
mod session;
mod spool;

pub use fence::{Fence, FenceVerdict};
pub use session::IgnoredReceipts;
pub use spool::Pieces;

pub(crate) use connector::{Assemblies, Encoder, Manner, Towards, Unfit};
pub(crate) use encode::{Encoded, SHARE_ABOVE, Sink, wire_len};
pub(crate) use keyframe::starts_decoding;
pub(crate) use log::{Ack, ChunkVerdict, Item, Log, Outcome, Place, SetKey, Settled, Staged};
pub(crate) use origin::{ChunkPlace, Hears, Origin};
pub(crate) use queue::{Entry, Queue};
pub(crate) use session::{Outbox, Session, frameless, hub_heartbeat};
