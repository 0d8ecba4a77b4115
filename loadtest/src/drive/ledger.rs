//! Owns which of a producer's packets the hub has not settled, and which are sent again.
//!
//! A packet is made of its number and its intended time alone, so nothing but those is kept. What
//! the hub has settled (spec 2.4 rule 5) is forgotten; after a reconnect everything above that goes
//! out again, in order, before anything new.

use std::collections::VecDeque;

use crate::units::{Nanos, Sequence};

/// The unsettled packets of one producer.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Packets that are settled; the number of the last of them.
    settled: u64,
    /// Intended times of the packets after those, in order.
    intended: VecDeque<Nanos>,
    /// The next packet to be sent again; nothing is when it is that of a new one.
    again: u64,
}

/// The hub settled more than was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NeverSent;

impl Ledger {
    /// Packets that are settled.
    pub(super) fn settled(&self) -> u64 {
        self.settled
    }

    /// Packets that have been sent at least once.
    pub(super) fn sent(&self) -> u64 {
        self.settled + self.intended.len() as u64
    }

    /// Packets that are sent and not settled.
    pub(super) fn open(&self) -> u64 {
        self.intended.len() as u64
    }

    /// Notes that the next new packet is sent.
    pub(super) fn note(&mut self, intended: Nanos) {
        self.intended.push_back(intended);
        self.again = self.sent();
    }

    /// Forgets everything up to `ack`; the intended times of what is settled now, oldest first. An
    /// ack below the last one says nothing new.
    ///
    /// # Errors
    /// [`NeverSent`] when the ack is higher than what was sent; all that was sent is settled then.
    pub(super) fn settle(
        &mut self,
        ack: u64,
        mut each: impl FnMut(Nanos),
    ) -> Result<(), NeverSent> {
        let sent = self.sent();
        let fresh = ack.min(sent).saturating_sub(self.settled);
        for intended in self.intended.drain(..fresh as usize) {
            each(intended);
        }
        self.settled += fresh;
        self.again = self.again.max(self.settled);
        if ack > sent { Err(NeverSent) } else { Ok(()) }
    }

    /// Everything that is not settled is to be sent again.
    pub(super) fn rewind(&mut self) {
        self.again = self.settled;
    }

    /// Takes the next packet that is to be sent again.
    pub(super) fn take_again(&mut self) -> Option<(Sequence, Nanos)> {
        let at = self.again.checked_sub(self.settled)?;
        let intended = *self.intended.get(at as usize)?;
        let sequence = Sequence(self.again);
        self.again += 1;
        Some((sequence, intended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(count: u64) -> Ledger {
        let mut ledger = Ledger::default();
        for n in 0..count {
            ledger.note(Nanos(n * 10));
        }
        ledger
    }

    fn again(ledger: &mut Ledger) -> Vec<(u64, u64)> {
        let next = || ledger.take_again().map(|(s, i)| (s.0, i.0));
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn what_is_settled_is_forgotten_with_its_time() {
        let mut ledger = sent(4);
        let mut times = Vec::new();
        ledger.settle(3, |intended| times.push(intended.0)).unwrap();
        assert_eq!(times, [0, 10, 20]);
        assert_eq!((ledger.settled(), ledger.open(), ledger.sent()), (3, 1, 4));
    }

    #[test]
    fn after_a_reconnect_everything_above_the_last_ack_goes_out_again_in_order() {
        let mut ledger = sent(5);
        assert_eq!(again(&mut ledger), []);
        ledger.settle(2, |_| ()).unwrap();
        ledger.rewind();
        assert_eq!(again(&mut ledger), [(2, 20), (3, 30), (4, 40)]);
        assert_eq!(again(&mut ledger), []);
    }

    #[test]
    fn what_is_settled_meanwhile_is_not_sent_again() {
        let mut ledger = sent(5);
        ledger.rewind();
        assert_eq!(ledger.take_again(), Some((Sequence(0), Nanos(0))));
        ledger.settle(4, |_| ()).unwrap();
        assert_eq!(again(&mut ledger), [(4, 40)]);
    }

    #[test]
    fn an_older_ack_changes_nothing_and_one_for_the_future_is_an_error() {
        let mut ledger = sent(3);
        ledger.settle(2, |_| ()).unwrap();
        ledger.settle(1, |_| ()).unwrap();
        assert_eq!(ledger.settled(), 2);
        assert_eq!(ledger.settle(4, |_| ()), Err(NeverSent));
        assert_eq!((ledger.settled(), ledger.open()), (3, 0));
    }
}
