//! The bounds that an engine keeps, and where its clocks begin.

use std::time::Duration;

use crate::ids::Moment;

/// Process-wide limits and clocks (spec 2.8, 11).
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest encoded message that a receiver accepts, in bytes.
    pub max_message_bytes: usize,
    /// Most streams that are registered at once.
    pub max_streams: usize,
    /// Bytes that may wait in all queues together.
    pub queue_budget_bytes: usize,
    /// Time between heartbeats to a connected stream, before jitter.
    pub heartbeat_interval: Duration,
    /// How long a step's state outlives its last connection.
    pub state_ttl: Duration,
    /// Age past which a packet for an absent step is expired when its Story names none.
    pub absent_max_age: Duration,
    /// The time at moment zero, in nanoseconds since 1970: what programs take for the time counts
    /// from there until [`Engine::set_clock`](super::Engine::set_clock) says otherwise.
    pub started_at_nanos: i64,
    /// What measures how long programs take; `None` does not. Nothing is decided by it.
    pub stopwatch: Option<fn() -> Moment>,
    /// Where chance begins for programs that ask for it; another one at every start.
    pub seed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 10 * 1024 * 1024,
            max_streams: 2000,
            queue_budget_bytes: 256 * 1024 * 1024,
            heartbeat_interval: Duration::from_secs(10),
            state_ttl: Duration::from_secs(600),
            absent_max_age: Duration::from_secs(10),
            started_at_nanos: 0,
            stopwatch: None,
            seed: 0,
        }
    }
}
