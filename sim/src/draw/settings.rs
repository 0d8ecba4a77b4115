//! What the Story of a world asks of delivery. Bounds are small, so that they fill.

use crate::oracle::{Pace, Promise};
use crate::random::Random;
use crate::time::Nanos;

/// A lane with bounds of its own (best_effort steps only).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Audio.
    Audio,
    /// Binary.
    Binary,
    /// Video.
    Video,
}

/// The settings of one step.
#[derive(Clone, Debug)]
pub struct StepSettings {
    /// What is promised on the edges to it.
    pub promise: Promise,
    /// Most packets that wait or are under way.
    pub max_messages: u64,
    /// Most bytes.
    pub max_bytes: u64,
    /// best_effort: the oldest give way.
    pub drop_oldest: bool,
    /// What paces its stream.
    pub pace: Pace,
    /// Messages granted.
    pub grant_messages: u64,
    /// Bytes granted.
    pub grant_bytes: u64,
    /// Most in flight.
    pub max_in_flight: Option<u64>,
    /// As a producer it hears what is settled after so many packets.
    pub ack_messages: u64,
    /// At the latest after so long.
    pub ack_delay: Nanos,
    /// Lanes with bounds of their own, in messages.
    pub lanes: Vec<(Lane, u64)>,
}

impl StepSettings {
    pub(super) fn draw(random: &mut Random) -> Self {
        let promise = if random.chance(25) {
            Promise::BestEffort
        } else {
            Promise::AtLeastOnce {
                dead_letter: random.chance(35),
                per_partition: random.chance(25),
                redelivery: random.chance(30).then(|| {
                    let wait = Nanos::millis(random.between(20, 300));
                    (wait, random.pick(&[0, 0, 2, 5]))
                }),
            }
        };
        let lanes = if promise == Promise::BestEffort && random.chance(40) {
            let lanes = [Lane::Audio, Lane::Binary, Lane::Video];
            lanes.map(|lane| (lane, random.between(1, 10))).to_vec()
        } else {
            Vec::new()
        };
        let max_messages = random.pick(&[1, 3, 8, 20, 60]);
        Self {
            promise,
            max_messages,
            max_bytes: random.pick(&[1_000, 4_000, 20_000, 200_000]),
            drop_oldest: random.chance(40),
            pace: random.pick(&[Pace::Free, Pace::Credits, Pace::Credits, Pace::Window]),
            grant_messages: random.pick(&[1, 2, 5, 30]),
            grant_bytes: random.pick(&[2_000, 50_000]),
            max_in_flight: random.chance(25).then(|| random.between(1, 6)),
            ack_messages: random.pick(&[0, 1, 3, 10]),
            ack_delay: Nanos::millis(random.pick(&[5, 50, 250])),
            lanes,
        }
    }
}
