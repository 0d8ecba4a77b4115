//! Owns what is sent: the loads of the comparison, the same for every program.

use std::time::Duration;

use loadtest::packet::Kind;
use loadtest::scenario::{Flow, Pace, Scenario, Semantics};
use serde::Serialize;

/// Messages under way per producer, at most, unless told otherwise. Fits into a hub's default queue
/// of 1,000; the Story of a larger window asks for room for it.
pub const WINDOW: usize = 256;
/// Payload bytes under way per producer, at most (below a hub's queue of 10 MiB).
const WINDOW_BYTES: usize = 4 << 20;
/// Messages a second of the load that is not saturated.
const PACED: f64 = 5_000.0;

/// One load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Name in tables.
    pub name: &'static str,
    /// Payload bytes.
    pub size: usize,
    /// Streams that send.
    pub producers: u32,
    /// Streams that each of them reaches.
    pub fan_out: u32,
    /// Messages a second; `None`: saturated within the window.
    pub rate: Option<f64>,
    /// Messages under way per producer, at most.
    pub window: usize,
}

/// How long one measurement takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Traffic before the measured time.
    pub warmup: Duration,
    /// Measured time.
    pub measured: Duration,
}

impl Load {
    /// All loads, with at most `window` messages under way per producer, and at most 4 MiB.
    pub fn all(window: usize) -> Vec<Load> {
        let saturated = |name, size, producers, fan_out| Load {
            name,
            size,
            producers,
            fan_out,
            rate: None,
            window: (WINDOW_BYTES / size).clamp(1, window.max(1)),
        };
        vec![
            saturated("1-1 80 B", 80, 1, 1),
            saturated("1-1 640 B", 640, 1, 1),
            saturated("1-1 4 KiB", 4 << 10, 1, 1),
            saturated("1-1 64 KiB", 64 << 10, 1, 1),
            saturated("1-1 1 MiB", 1 << 20, 1, 1),
            saturated("1-8 640 B", 640, 1, 8),
            saturated("50 pairs 640 B", 640, 50, 1),
            Load {
                rate: Some(PACED),
                ..saturated("5,000/s 640 B", 640, 1, 1)
            },
        ]
    }

    /// The load generator's scenario of this load.
    pub fn scenario(&self, timing: Timing) -> Scenario {
        let pace = match self.rate {
            Some(rate) => Pace::Rate(rate),
            None => Pace::Window(u32::try_from(self.window).unwrap_or(u32::MAX)),
        };
        Scenario {
            name: "bench".to_owned(),
            namespace: "default".to_owned(),
            runs: 1,
            duration: timing.measured,
            warmup: timing.warmup,
            semantics: Semantics::BestEffort,
            flows: vec![Flow {
                name: "bench".to_owned(),
                kind: Kind::Audio,
                size: self.size,
                key_every: 0,
                key_size: 0,
                producers: self.producers,
                fan_out: self.fan_out,
                consumers: 0,
                pace,
            }],
            ..Scenario::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_load_can_be_run() {
        let timing = Timing {
            warmup: Duration::ZERO,
            measured: Duration::from_secs(1),
        };
        for load in Load::all(WINDOW) {
            assert!(load.scenario(timing).check().is_ok(), "{}", load.name);
        }
    }

    #[test]
    fn a_window_fits_in_a_hubs_queue() {
        for load in Load::all(WINDOW) {
            let bytes = load.window * (load.size + 300);
            assert!(load.window < 1000 && bytes < 10 << 20, "{}", load.name);
        }
    }
}
