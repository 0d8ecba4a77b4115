//! How long to wait before the next connection.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::start::{Retries, Tunables};

/// Waits that double, jittered by a fifth either way, up to a limit. A session that
/// became ready begins anew.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    base: Duration,
    max: Duration,
    retries: Retries,
    /// Tries since a session was ready.
    tries: u32,
}

impl Backoff {
    pub(crate) fn new(tunables: &Tunables) -> Self {
        Self {
            base: tunables.backoff_base,
            max: tunables.backoff_max.max(tunables.backoff_base),
            retries: tunables.retries,
            tries: 0,
        }
    }

    /// The wait before the next try; `None` when there have been enough.
    pub(crate) fn next(&mut self, jitter: &mut Jitter) -> Option<Duration> {
        if let Retries::AtMost(most) = self.retries
            && self.tries >= most
        {
            return None;
        }
        let doubled = self.base.saturating_mul(1 << self.tries.min(20));
        self.tries = self.tries.saturating_add(1);
        let jittered = doubled.min(self.max).mul_f64(0.8 + 0.4 * jitter.next());
        Some(jittered.min(self.max))
    }

    pub(crate) fn became_ready(&mut self) {
        self.tries = 0;
    }
}

/// Numbers that are hard to guess, so that engrams that lost one hub do not come back as
/// one.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new() -> Self {
        Self::seeded(RandomState::new().build_hasher().finish())
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, of 64 bits (splitmix64).
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// The next number, from 0 to below 1.
    fn next(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
