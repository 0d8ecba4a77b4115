//! Events: what people and programs around the hub may want to know (spec 10, 11).
//!
//! Owns the names of all events, their envelope, and their way to subscribers. Nothing here runs
//! per packet, and nobody who tells an event ever waits:
//!
//! ```text
//! data plane ── Reporter ──┐ at most so many of a kind a second; the rest is counted
//! start, stop ─────────────┴─▶ Outlet ──▶ bounded mailbox ──▶ writer thread ──▶ subscribers
//!                               full: counted                              └──▶ feed (SSE)
//! ```
//!
//! | file | does |
//! | --- | --- |
//! | `event` | what can be told, and its names |
//! | `envelope` | the form in which it leaves, and the rules for it |
//! | `render` | from the one to the other |
//! | `limiter` | how many of a kind |
//! | `reporter` | the data plane's end |
//! | `outlet` | the mailbox and its writer |
//! | `jsonl` | the file |

mod envelope;
mod event;
mod jsonl;
mod limiter;
mod outlet;
mod render;
mod reporter;

pub(crate) use event::{Event, StepName, detail};
pub(crate) use outlet::{Feed, Item, Outlet, Tally, Writer};
pub(crate) use reporter::Reporter;
