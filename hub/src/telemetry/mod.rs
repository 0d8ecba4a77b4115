//! Metrics and logs.
//!
//! Owns the names of all metrics (`names`) and turns the engine's counters into Prometheus text.
//! Nothing here runs per packet: counters live in the engine as plain integers and are copied when
//! somebody asks.

mod histogram;
mod log;
pub(crate) mod names;
mod publish;
mod registrations;
mod scribe;

pub use log::init as init_log;
pub(crate) use publish::Publisher;
pub(crate) use registrations::Registrations;
pub use scribe::Logging;
