//! The process's configuration: what `hub.toml`, the environment and the command line say
//! (spec 11 'Configuration').
//!
//! Owns: the typed [`Config`] with its documented defaults, and where each value may come from
//! ([`Sources`]). Precedence: defaults < `hub.toml` < environment < `--set` and flags.
//! Never does: read a Story, open a socket, or look at the environment by itself.

mod error;
mod file;
pub mod keys;
mod layers;
mod memory;
mod model;
mod print;
mod schema;
mod sources;
mod subscribers;
mod unbuilt;
pub mod units;
mod value;

pub use error::{ConfigError, ConfigProblem, EXIT_CONFIG};
pub use memory::memory_limit;
pub use model::{
    Config, Data, DeadLetter, Drain, Events, Heartbeat, Limits, Listen, Log, LogFormat, LogLevel,
    Recording, Refusal, RunDefaults, Secrets, State, Subscriber,
};
pub use schema::schema;
pub use sources::{FlagOverride, Sources};
pub use unbuilt::UNBUILT;
