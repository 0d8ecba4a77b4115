//! The deciding core of the hub, sans-IO.
//!
//! `now` and input go in, [`Actions`] come out. Nothing here reads a clock, opens a socket, spawns
//! a task or draws a random number, and every collection iterates in a fixed order, so the same
//! input always gives the same output (spec 7: the simulator replays a seed bit for bit).
//!
//! | folder | decides |
//! | --- | --- |
//! | [`route`] | who is downstream of whom: a Story's graph, compiled once |
//! | [`decide`] | whether a packet takes an edge, and what is changed in it: what Stories ask |
//! | [`deliver`] | what waits for whom: queues, bounds, owners of steps, heartbeats |
//!
//! [`Engine`] ties them together; [`account`] keeps the identity
//! `accepted = delivered + dropped + queued + in flight` (spec 2.4 rule 7).

pub mod account;
pub mod decide;
pub mod deliver;
mod engine;
pub mod ids;
pub mod latency;
pub mod mutant;
pub mod route;

pub use account::{DropReason, EdgeCounts, RefuseReason};
pub use deliver::{IgnoredReceipts, Pieces};
pub use engine::{
    Accepts, Actions, Bound, CUT, Contract, Directive, EdgeName, EdgeSnapshot, Engine, Event,
    Inbound, Interrupt, Limits, Measured, Receipt, Refusal, Registration, RunName, SessionSnapshot,
    Snapshot, Taken, Unbound,
};
pub use ids::{ConnId, Generation, Millis, Moment, RunId, StepIndex};
