//! What the hub is compared with, and how: small relays that do less or do it differently, clients
//! for the ones that speak another protocol, and one interleaved run over all of them (spec 6).
//!
//! | module | owns |
//! | --- | --- |
//! | [`routes`] | who a relay forwards to, as a file |
//! | [`relay`] | what every relay program does: arguments, socket options, the ready line, SIGTERM |
//! | [`wire`] | clients of raw TCP and of NATS behind the load generator's interface |
//! | [`program`] | starting and ending the programs under comparison |
//! | [`load`] | what is sent |
//! | [`compare`] | rounds, medians, ratios, gates, and how they are shown |
//!
//! Traffic, windows, checks and measurements are those of `loadtest`, the same for every program.

pub mod compare;
pub mod load;
pub mod program;
pub mod relay;
pub mod routes;
pub mod wire;
