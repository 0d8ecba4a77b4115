//! How long a refusal waits before it is sent (spec 2.2).
//!
//! Owns a small memory of who was refused lately. A refused client redials at once, thousands of
//! times a second, so each further refusal of the same (peer, key) waits twice as long, up to
//! `refusal.delay_max`. Bounded: it forgets what is old, and the oldest when it is full.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use dashmap::DashMap;

/// First delay; doubles with each refusal of the same peer and key.
const FIRST: Duration = Duration::from_millis(10);
/// After this long without a refusal a peer starts afresh.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// Most (peer, key) pairs remembered.
const MOST: usize = 4096;
/// Longest key remembered, in bytes: it comes from the network.
const LONGEST_KEY: usize = 256;

/// Who was refused lately and how often.
#[derive(Debug)]
pub(crate) struct Refusals {
    recent: DashMap<(IpAddr, Box<str>), (u32, Instant)>,
    delay_max: Duration,
}

impl Refusals {
    pub(crate) fn new(delay_max: Duration) -> Self {
        Self {
            recent: DashMap::new(),
            delay_max,
        }
    }

    /// Notes a refusal at `now` and tells how long to wait before saying so.
    pub(crate) fn delay(&self, peer: IpAddr, key: &str, now: Instant) -> Duration {
        if self.recent.len() >= MOST {
            self.recent
                .retain(|_, (_, last)| now.saturating_duration_since(*last) < FORGET_AFTER);
        }
        if self.recent.len() >= MOST {
            // Full of recent refusals: an attack. Everyone new waits longest.
            return self.delay_max;
        }
        let key = key.get(..LONGEST_KEY).unwrap_or(key);
        let key = if key.len() > LONGEST_KEY { "" } else { key };
        let mut entry = self.recent.entry((peer, key.into())).or_insert((0, now));
        let (count, last) = entry.value_mut();
        if now.saturating_duration_since(*last) >= FORGET_AFTER {
            *count = 0;
        }
        *last = now;
        let delay = FIRST.saturating_mul(1u32.checked_shl(*count).unwrap_or(u32::MAX));
        *count = count.saturating_add(1).min(31);
        delay.min(self.delay_max)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_delay_doubles_up_to_the_maximum_and_is_forgotten() {
        let refusals = Refusals::new(Duration::from_millis(50));
        let now = Instant::now();
        let delays: Vec<_> = (0..5)
            .map(|_| refusals.delay(PEER, "a", now).as_millis())
            .collect();
        assert_eq!(delays, [10, 20, 40, 50, 50]);
        assert_eq!(
            refusals.delay(PEER, "b", now).as_millis(),
            10,
            "keys do not share a delay"
        );
        assert_eq!(
            refusals.delay(PEER, "a", now + FORGET_AFTER).as_millis(),
            10
        );
    }

    #[test]
    fn memory_is_bounded_whatever_the_keys() {
        let refusals = Refusals::new(Duration::from_secs(2));
        let now = Instant::now();
        for n in 0..MOST + 100 {
            refusals.delay(PEER, &format!("{n}"), now);
        }
        assert!(refusals.recent.len() <= MOST);
        assert_eq!(
            refusals.delay(PEER, "one more", now),
            Duration::from_secs(2)
        );
    }

    #[test]
    fn a_full_memory_forgets_those_who_were_refused_long_ago() {
        let refusals = Refusals::new(Duration::from_secs(2));
        let now = Instant::now();
        for n in 0..MOST {
            refusals.delay(PEER, &format!("{n}"), now);
        }
        let later = now + FORGET_AFTER;
        assert_eq!(refusals.delay(PEER, "new", later), FIRST);
        assert_eq!(refusals.recent.len(), 1);
    }

    #[test]
    fn a_peer_starts_afresh_after_the_last_refusal_not_the_first() {
        let refusals = Refusals::new(Duration::from_secs(2));
        let now = Instant::now();
        let nearly = FORGET_AFTER - Duration::from_secs(1);
        let delays: Vec<_> = [now, now + nearly, now + 2 * nearly]
            .map(|at| refusals.delay(PEER, "a", at).as_millis())
            .into();
        assert_eq!(delays, [10, 20, 40]);
    }

    #[test]
    fn of_a_long_key_the_beginning_counts() {
        let refusals = Refusals::new(Duration::from_secs(2));
        let (now, rest) = (Instant::now(), "x".repeat(LONGEST_KEY));
        let delays = ["a", "b", "a"].map(|first| {
            let key = format!("{first}{rest}");
            refusals.delay(PEER, &key, now).as_millis()
        });
        assert_eq!(delays, [10, 10, 20]);
        assert!(
            refusals
                .recent
                .iter()
                .all(|e| e.key().1.len() <= LONGEST_KEY)
        );
    }

    #[test]
    fn a_key_that_is_long_or_cut_inside_a_character_is_taken() {
        let refusals = Refusals::new(Duration::from_secs(2));
        let key = "\u{e9}".repeat(1000) + "x";
        assert_eq!(refusals.delay(PEER, &key, Instant::now()).as_millis(), 10);
        assert_eq!(
            refusals
                .delay(PEER, &format!("a{key}"), Instant::now())
                .as_millis(),
            10
        );
    }
}
