//! Deterministic simulator of the delivery core (spec 7).
//!
//! One seed is one world: producers, a hub process that crashes and restarts, consumers, and a
//! hostile network, all in virtual time. Real bytes cross it. An oracle that shares nothing with
//! the core under test judges every step of it.
//!
//! | folder | owns |
//! | --- | --- |
//! | [`random`], [`time`] | chance and time |
//! | [`wire`] | bytes, written and read by hand |
//! | [`net`] | pipes that delay, cut, and swallow |
//! | [`draw`] | what a seed decides beforehand |
//! | `client`, `hub` | who plays: producers and consumers, the shell around one engine |
//! | [`world`] | the agenda: who does what when, what goes wrong |
//! | [`oracle`] | what must hold |
//! | [`cli`] | the command line |

pub mod cli;
mod client;
pub mod draw;
mod hub;
pub mod net;
pub mod oracle;
pub mod random;
pub mod time;
pub mod wire;
pub mod world;
