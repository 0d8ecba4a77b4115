//! Load generator and verifier for the hub.
//!
//! Sends media-like traffic through a hub (or any other relay, see [`wire`]), checks every message
//! that arrives, and reports throughput, latency and cost. Data flows one way: [`scenario`] says
//! what to send, [`packet`] builds it, [`drive`] sends and receives it over a [`wire`], [`verify`]
//! judges what arrived, [`measure`] reads what it cost, [`report`] shows it.
//!
//! Latency in open-loop runs counts from the moment a message was *meant* to be sent, so that a
//! hub that makes the generator wait cannot hide it.

pub mod cli;
pub mod drive;
pub mod hub_process;
pub mod measure;
pub mod packet;
pub mod report;
pub mod scenario;
pub mod units;
pub mod verify;
pub mod wire;
