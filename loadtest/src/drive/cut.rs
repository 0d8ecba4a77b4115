//! Owns whom a cut hits: waves that take a part of the streams, and single cuts that take a
//! producer's and a consumer's connection in turn. The same numbers give the same streams.

use tokio::sync::watch;

use super::shared::Shared;

/// Where one stream is among the cuts.
#[derive(Debug)]
pub(super) struct Cuts<'s> {
    shared: &'s Shared,
    /// Its number: producers first, then consumers.
    stream: usize,
    wave: watch::Receiver<u64>,
    cut: watch::Receiver<u64>,
    /// Number of the last single cut that was looked at.
    seen: u64,
}

impl<'s> Cuts<'s> {
    /// All cuts so far are none of this stream's business.
    pub(super) fn new(shared: &'s Shared, stream: usize) -> Cuts<'s> {
        Cuts {
            shared,
            stream,
            wave: shared.wave.clone(),
            cut: shared.cut.clone(),
            seen: 0,
        }
    }

    /// Waits for a cut that hits this stream; forever without any.
    pub(super) async fn next(&mut self) {
        loop {
            // A channel that is gone says that the run is over.
            let hit = tokio::select! {
                changed = self.wave.changed() => match changed {
                    Ok(()) => self.wave_hits(),
                    Err(_) => return std::future::pending().await,
                },
                changed = self.cut.changed() => match changed {
                    Ok(()) => self.cut_hits(),
                    Err(_) => return std::future::pending().await,
                },
            };
            if hit {
                return;
            }
        }
    }

    fn wave_hits(&mut self) -> bool {
        let fraction = self.shared.scenario.storm.map_or(0.0, |s| s.fraction);
        hit_by(*self.wave.borrow_and_update(), self.stream, fraction)
    }

    fn cut_hits(&mut self) -> bool {
        let last = *self.cut.borrow_and_update();
        let seed = self.shared.scenario.cut.map_or(0, |cut| cut.seed);
        let topology = &self.shared.topology;
        let of = (topology.producers.len(), topology.consumers.len());
        let first = std::mem::replace(&mut self.seen, last) + 1;
        (first..=last).any(|cut| target(seed, cut, of) == self.stream)
    }
}

/// Whether a wave of cuts hits a stream: the same for every run, spread evenly over the streams.
fn hit_by(wave: u64, stream: usize, fraction: f64) -> bool {
    ((mixed(wave << 32 ^ stream as u64) >> 11) as f64 / (1u64 << 53) as f64) < fraction
}

/// The stream that single cut number `cut` (from 1) hits: odd ones a producer, even ones a consumer.
fn target(seed: u64, cut: u64, (producers, consumers): (usize, usize)) -> usize {
    let draw = mixed(mixed(seed.wrapping_add(1)) ^ cut) >> 16;
    let among = |count: usize| (draw % count.max(1) as u64) as usize;
    if cut % 2 == 1 {
        among(producers)
    } else {
        producers + among(consumers)
    }
}

fn mixed(value: u64) -> u64 {
    value
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(29)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_hits_about_its_fraction_and_other_streams_next_time() {
        let hit = |wave| -> Vec<usize> {
            let streams = 0..1000;
            streams.filter(|s| hit_by(wave, *s, 0.3)).collect()
        };
        assert!((200..400).contains(&hit(1).len()));
        assert_ne!(hit(1), hit(2));
        assert_eq!((0..1000).filter(|s| hit_by(7, *s, 1.0)).count(), 1000);
    }

    #[test]
    fn single_cuts_take_turns_between_producers_and_consumers_by_the_seed() {
        let hits = |seed| -> Vec<usize> { (1..=40).map(|n| target(seed, n, (5, 9))).collect() };
        for (place, stream) in hits(3).into_iter().enumerate() {
            assert_eq!(stream < 5, place % 2 == 0);
            assert!(stream < 14);
        }
        assert_eq!(hits(3), hits(3));
        assert_ne!(hits(3), hits(4));
        let mut all = hits(3);
        all.sort_unstable();
        all.dedup();
        assert!(all.len() > 8, "{all:?}");
    }
}
