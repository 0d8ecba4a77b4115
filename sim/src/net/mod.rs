//! The hostile network: byte pipes with delay that are cut anywhere, go silent, or crawl.
//!
//! Owns bytes under way and when they arrive. Never knows what they mean.

use std::collections::VecDeque;

use crate::random::Random;
use crate::time::Nanos;

/// One direction of one connection.
#[derive(Debug, Default)]
pub struct Pipe {
    segments: VecDeque<(Nanos, Vec<u8>)>,
    /// Bytes under way.
    bytes: usize,
    /// When the last segment arrives; nothing overtakes it.
    last: Nanos,
    /// What is sent vanishes.
    dead: bool,
    /// Bytes that vanished: they fill the sender's buffers as if they were under way.
    vanished: usize,
}

/// How long bytes travel.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// Least latency.
    pub least: Nanos,
    /// Most latency.
    pub most: Nanos,
    /// Time between two segments, for a slow reader.
    pub spacing: Nanos,
}

impl Pipe {
    /// Sends bytes, cut into pieces; returns when each arrives.
    pub fn send(
        &mut self,
        now: Nanos,
        bytes: &[u8],
        speed: Speed,
        random: &mut Random,
    ) -> Vec<Nanos> {
        if self.dead {
            self.vanished += bytes.len();
            return Vec::new();
        }
        let mut arrivals = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let whole = random.chance(60) || rest.len() == 1;
            let at = if whole {
                rest.len()
            } else {
                random.between(1, rest.len() as u64 - 1) as usize
            };
            let (piece, more) = rest.split_at(at);
            let latency = Nanos(random.between(speed.least.0, speed.most.0));
            let earliest = self.last.after(speed.spacing);
            self.last = now.after(latency).max(earliest);
            self.segments.push_back((self.last, piece.to_vec()));
            self.bytes += piece.len();
            arrivals.push(self.last);
            rest = more;
        }
        arrivals
    }

    /// What has arrived by `now`.
    pub fn arrived(&mut self, now: Nanos) -> Vec<u8> {
        let mut out = Vec::new();
        while self.has_arrived(now) {
            let Some((_, segment)) = self.segments.pop_front() else {
                break;
            };
            self.bytes -= segment.len();
            out.extend(segment);
        }
        out
    }

    /// Whether something has arrived by `now` that was not taken yet.
    pub fn has_arrived(&self, now: Nanos) -> bool {
        self.segments.front().is_some_and(|s| s.0 <= now)
    }

    /// Bytes that the sender has not got rid of.
    pub fn unread(&self) -> usize {
        self.bytes + self.vanished
    }

    /// From now on nothing gets through; of what is under way only a part, cut at any byte.
    pub fn cut(&mut self, random: &mut Random) {
        self.dead = true;
        let mut left = random.between(0, self.bytes as u64) as usize;
        self.bytes = left;
        self.segments.retain_mut(|(_, segment)| {
            segment.truncate(left);
            left -= segment.len();
            !segment.is_empty()
        });
    }
}

/// The three directions of one connection.
#[derive(Debug, Default)]
pub struct Pipes {
    /// ProcessRequests.
    pub up: Pipe,
    /// ControlRequests: a stream of its own, so that the two race.
    pub control: Pipe,
    /// ProcessResponses.
    pub down: Pipe,
}

impl Pipes {
    /// Cuts every direction.
    pub fn cut(&mut self, random: &mut Random) {
        self.up.cut(random);
        self.control.cut(random);
        self.down.cut(random);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEED: Speed = Speed {
        least: Nanos(1),
        most: Nanos(100),
        spacing: Nanos(0),
    };

    #[test]
    fn bytes_arrive_in_order_whatever_their_latency() {
        let (mut pipe, mut random) = (Pipe::default(), Random::new(3));
        let sent: Vec<u8> = (0..200).collect();
        let mut last = Nanos(0);
        for part in sent.chunks(7) {
            for at in pipe.send(Nanos(0), part, SPEED, &mut random) {
                assert!(at >= last);
                last = at;
            }
        }
        assert_eq!(pipe.arrived(last), sent);
        assert_eq!(pipe.unread(), 0);
    }

    #[test]
    fn a_cut_lets_a_prefix_through_and_nothing_after_it() {
        for seed in 0..50 {
            let (mut pipe, mut random) = (Pipe::default(), Random::new(seed));
            let sent: Vec<u8> = (0..200).collect();
            pipe.send(Nanos(0), &sent, SPEED, &mut random);
            pipe.cut(&mut random);
            assert!(pipe.send(Nanos(0), &[9], SPEED, &mut random).is_empty());
            let got = pipe.arrived(Nanos(u64::MAX));
            assert!(sent.starts_with(&got));
        }
    }
}
