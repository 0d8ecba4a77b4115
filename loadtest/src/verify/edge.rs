//! Owns the account of one edge: which sequence numbers of a producer have reached a consumer.
//!
//! One bit per message, from the first word that still has a hole. Exact, whatever the order, as
//! long as a message is not more than 4 Mi messages behind the newest; what is older than that is
//! settled as missing, and turning up after all it counts as a duplicate (a fault either way).

use std::collections::VecDeque;

use crate::units::Sequence;

/// How far behind the newest message a late one may come and still be told from a duplicate.
pub(super) const MAX_WINDOW: u64 = 1 << 22;

/// What an arrival was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Later than all before it.
    InOrder,
    /// New, but a later one was already there.
    Late,
    /// Was there before.
    Duplicate,
}

/// Arrivals of one producer's messages at one consumer.
#[derive(Clone, Debug, Default)]
pub struct EdgeTracker {
    /// Arrival bits from sequence `base` on; word 0 has a hole, or is the newest.
    words: VecDeque<u64>,
    /// Sequence of bit 0 of word 0; a multiple of 64, never decreases.
    base: u64,
    /// Highest sequence seen plus one; never decreases.
    position: u64,
    /// Distinct messages seen.
    received: u64,
    /// Lowest missing sequence below `base`, given up on.
    first_settled_missing: Option<u64>,
}

impl EdgeTracker {
    /// Notes an arrival.
    pub fn see(&mut self, sequence: Sequence) -> Seen {
        let number = sequence.0;
        if number < self.base {
            return Seen::Duplicate;
        }
        let in_order = number >= self.position;
        if in_order {
            self.position = number.saturating_add(1);
            self.bound(number);
        }
        let word = ((number - self.base) / 64) as usize;
        while self.words.len() <= word {
            self.words.push_back(0);
        }
        let bit = 1u64 << (number % 64);
        if self.words[word] & bit != 0 {
            return Seen::Duplicate;
        }
        self.words[word] |= bit;
        self.received += 1;
        while self.words.len() > 1 && self.words.front() == Some(&u64::MAX) {
            self.words.pop_front();
            self.base += 64;
        }
        if in_order { Seen::InOrder } else { Seen::Late }
    }

    /// Highest sequence seen plus one: everything below has arrived, is late, or is lost.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Distinct messages seen.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// How many of the first `sent` messages have not arrived.
    pub fn missing(&self, sent: u64) -> u64 {
        sent.saturating_sub(self.received)
    }

    /// The first of the first `sent` messages that has not arrived.
    pub fn first_missing(&self, sent: u64) -> Option<Sequence> {
        if let Some(first) = self.first_settled_missing {
            return Some(Sequence(first));
        }
        let hole = self.words.iter().enumerate().find_map(|(i, word)| {
            (*word != u64::MAX).then(|| self.base + i as u64 * 64 + u64::from(word.trailing_ones()))
        });
        let first = hole.unwrap_or(self.base + self.words.len() as u64 * 64);
        (first < sent).then_some(Sequence(first))
    }

    /// Gives up on what lies more than 4 Mi messages behind `newest`.
    fn bound(&mut self, newest: u64) {
        let keep_from = newest.saturating_sub(MAX_WINDOW) / 64 * 64;
        while self.base < keep_from {
            let word = match self.words.pop_front() {
                Some(word) => word,
                None => {
                    // Nothing seen in between: the whole gap is missing.
                    self.settle_gap(keep_from);
                    return;
                }
            };
            if word != u64::MAX {
                let first = self.base + u64::from(word.trailing_ones());
                self.first_settled_missing.get_or_insert(first);
            }
            self.base += 64;
        }
    }

    fn settle_gap(&mut self, until: u64) {
        self.first_settled_missing.get_or_insert(self.base);
        self.base = until;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_in_order_leave_nothing_missing() {
        let mut edge = EdgeTracker::default();
        for n in 0..1000 {
            assert_eq!(edge.see(Sequence(n)), Seen::InOrder);
        }
        assert_eq!(edge.missing(1000), 0);
        assert_eq!(edge.first_missing(1000), None);
        assert!(edge.words.len() <= 1, "full words are given back");
    }

    #[test]
    fn a_hole_is_missing_until_it_is_filled_late() {
        let mut edge = EdgeTracker::default();
        edge.see(Sequence(0));
        assert_eq!(edge.see(Sequence(2)), Seen::InOrder);
        assert_eq!(edge.first_missing(3), Some(Sequence(1)));
        assert_eq!(edge.see(Sequence(1)), Seen::Late);
        assert_eq!(edge.missing(3), 0);
    }

    #[test]
    fn the_tail_that_never_came_is_missing() {
        let mut edge = EdgeTracker::default();
        for n in 0..64 {
            edge.see(Sequence(n));
        }
        assert_eq!(edge.missing(70), 6);
        assert_eq!(edge.first_missing(70), Some(Sequence(64)));
        assert_eq!(EdgeTracker::default().first_missing(1), Some(Sequence(0)));
    }

    #[test]
    fn the_same_message_again_is_a_duplicate_even_after_its_word_was_given_back() {
        let mut edge = EdgeTracker::default();
        for n in 0..200 {
            edge.see(Sequence(n));
        }
        assert_eq!(edge.see(Sequence(3)), Seen::Duplicate);
        assert_eq!(edge.see(Sequence(199)), Seen::Duplicate);
        assert_eq!(edge.received(), 200);
    }

    #[test]
    fn a_jump_of_any_size_keeps_the_window_bounded_and_the_count_exact() {
        let mut edge = EdgeTracker::default();
        edge.see(Sequence(0));
        edge.see(Sequence(1 << 40));
        assert!(edge.words.len() as u64 <= MAX_WINDOW / 64 + 1);
        assert_eq!(edge.missing((1 << 40) + 1), (1 << 40) - 1);
        assert_eq!(edge.first_missing((1 << 40) + 1), Some(Sequence(1)));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set(arrivals in proptest::collection::vec(0u64..300, 0..600)) {
            let mut edge = EdgeTracker::default();
            let mut set = BTreeSet::new();
            for n in arrivals {
                let highest = set.last().copied();
                let expected = if !set.insert(n) {
                    Seen::Duplicate
                } else if highest.is_none_or(|h| n > h) {
                    Seen::InOrder
                } else {
                    Seen::Late
                };
                prop_assert_eq!(edge.see(Sequence(n)), expected);
            }
            let missing: Vec<u64> = (0..300).filter(|n| !set.contains(n)).collect();
            prop_assert_eq!(edge.missing(300), missing.len() as u64);
            prop_assert_eq!(edge.first_missing(300), missing.first().map(|n| Sequence(*n)));
            prop_assert_eq!(edge.position(), set.last().map_or(0, |n| n + 1));
        }
    }
}
