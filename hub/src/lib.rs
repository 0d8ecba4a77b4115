//! The hub: a realtime media streaming gateway for Stories of engrams.
//!
//! Data flows one way through the modules: [`ingress`] takes messages off sockets, the `engine`
//! crate decides, [`egress`] puts messages on sockets. [`config`] and [`story`] are read before
//! anything is served; [`admin`] and [`telemetry`] look on.
#![warn(missing_docs)]

pub mod admin;
pub mod app;
mod background;
pub mod binding;
pub mod check;
pub mod cli;
pub mod config;
pub mod control;
pub mod demo;
pub mod egress;
pub mod eval;
mod events;
pub mod ingress;
mod plane;
pub mod story;
pub mod telemetry;
mod wall;
