//! How clients behave.

use super::{StepScript, StepSettings, counts_credits, keeps};
use crate::oracle::Promise;
use crate::random::Random;
use crate::time::Nanos;
use crate::wire::Kind;

/// How a client produces.
#[derive(Clone, Debug)]
pub struct ProducerHabits {
    /// It declares `hub-producer-epoch` and resends from the last ack.
    pub numbers: bool,
    /// Payloads that it makes of its own accord.
    pub total: u32,
    /// Most time between two packets.
    pub gap: Nanos,
    /// Largest payload.
    pub size: u64,
    /// One in a hundred is this large instead.
    pub huge: u64,
    /// Percent of payloads sent as chunks.
    pub chunked: u64,
    /// It marks packets with their turn.
    pub turns: bool,
    /// Frames that it sends.
    pub kinds: Vec<Kind>,
    /// Partitions that it names; 0 is none.
    pub partitions: u64,
    /// It declares `hub-accept: pause` and stops when told.
    pub pauses: bool,
    /// It declares `hub-accept: control`.
    pub control: bool,
    /// Most payloads that it holds without an ack.
    pub window: usize,
}

/// How receipts are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Cumulative, beside packets.
    Cumulative,
    /// One by one, on the control channel.
    Singles,
}

/// How a client consumes.
#[derive(Clone, Debug)]
pub struct ConsumerHabits {
    /// How receipts are given.
    pub style: Style,
    /// Most time until a receipt is given.
    pub delay: Nanos,
    /// Percent of single receipts that are never given.
    pub loses: u64,
    /// Percent given twice.
    pub twice: u64,
    /// Singles leave in any order.
    pub shuffles: bool,
    /// Percent of moments at which it gives none at all.
    pub silent: u64,
    /// It returns credits.
    pub credits: bool,
    /// Time between two reads.
    pub slow: Nanos,
    /// It repeats its last cumulative receipt as soon as it connects.
    pub early: bool,
    /// Percent of receipts followed by one for somebody else's packet.
    pub foreign: u64,
    /// Bytes that the hub may have under way to it.
    pub window: usize,
}

impl ProducerHabits {
    pub(super) fn draw(random: &mut Random, interrupts: bool, source: bool) -> Self {
        let mut kinds = vec![Kind::Binary];
        if random.chance(50) {
            kinds.extend([Kind::Audio, Kind::None, Kind::Video]);
        }
        let chunked = if random.chance(40) {
            random.between(5, 30)
        } else {
            0
        };
        Self {
            numbers: random.chance(65),
            total: if source {
                random.between(10, 90) as u32
            } else {
                0
            },
            gap: Nanos::millis(random.pick(&[1, 10, 40])),
            size: random.pick(&[20, 200, 800]),
            huge: random.pick(&[800, 6_000]),
            chunked,
            turns: interrupts && (chunked > 0 || random.chance(70)),
            kinds,
            partitions: random.pick(&[0, 0, 1, 3]),
            pauses: random.chance(40),
            control: random.chance(30),
            window: random.pick(&[4, 20, 60]),
        }
    }
}

impl ConsumerHabits {
    pub(super) fn draw(random: &mut Random, settings: &StepSettings) -> Self {
        let slow = if random.chance(20) {
            random.between(5, 60)
        } else {
            0
        };
        Self {
            style: random.pick(&[Style::Cumulative, Style::Singles]),
            delay: Nanos::millis(random.pick(&[1, 10, 80])),
            loses: random.pick(&[0, 0, 10, 40]),
            twice: random.pick(&[0, 15]),
            shuffles: random.chance(50),
            silent: random.pick(&[0, 0, 30, 80]),
            credits: counts_credits(settings) && random.chance(70),
            slow: Nanos::millis(slow),
            early: random.chance(40),
            foreign: random.pick(&[0, 10, 40]),
            window: random.pick(&[400, 3_000, 30_000]),
        }
    }
}

/// A chunk set that ends half way leaves a gap that no cumulative receipt may pass. Where sets may
/// end so, everybody gives single receipts. Whether they may.
pub(super) fn settle(steps: &mut [StepScript], whole: bool) -> bool {
    let chunked = |s: &StepScript| s.producer.as_ref().is_some_and(|p| p.chunked > 0);
    let gives_up = |s: &StepScript| chunked(s) && s.producer.as_ref().is_some_and(|p| !p.numbers);
    let drops = |s: &StepScript| {
        matches!(
            s.settings.promise,
            Promise::AtLeastOnce {
                dead_letter: true,
                ..
            }
        )
    };
    let gaps = !whole || steps.iter().any(gives_up) || steps.iter().any(drops);
    if steps.iter().any(chunked) && gaps {
        for consumer in steps.iter_mut().filter_map(|s| s.consumer.as_mut()) {
            consumer.style = Style::Singles;
        }
    }
    for step in steps.iter_mut().filter(|s| !keeps(&s.settings)) {
        if let Some(consumer) = step.consumer.as_mut() {
            consumer.silent = 0;
        }
    }
    gaps || !steps.iter().any(chunked)
}
