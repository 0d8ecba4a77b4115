//! Engrams against hubs: in memory, a connector server of the tests' own, and the real
//! hub over loopback.

mod batch;
mod connector;
mod endings;
mod hostile;
mod memory;
mod process;
mod proxy;
mod scene;
mod secrets;
mod server;
