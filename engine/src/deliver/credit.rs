//! What one connection may be sent before it returns credits (spec 2.5).
//!
//! Owns the credits of the present connection. They are counted from its start and hold from the
//! first FlowControl that carries some, messages and bytes each on their own: many clients send
//! none, or only acks, and would stall.

use crate::route::{Credits, FlowMode, FlowPlan};

/// The credits of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credit {
    grant: Credits,
    left: Credits,
    /// Whether the peer has ever returned messages, and bytes.
    counts: (bool, bool),
    /// Whether credits are in use at all.
    used: bool,
}

impl Credit {
    pub(crate) fn new(plan: &FlowPlan) -> Self {
        let grant = Credits {
            messages: plan.grant.messages.max(1),
            bytes: plan.grant.bytes.max(1),
        };
        Self {
            grant,
            left: grant,
            counts: (false, false),
            used: plan.mode == FlowMode::Credits,
        }
    }

    /// A new connection: the full grant.
    pub(crate) fn reset(&mut self) {
        self.left = self.grant;
        self.counts = (false, false);
    }

    /// Whether a packet of `len` bytes may be sent; a full grant admits one of any size.
    pub(crate) fn admits(&self, len: usize) -> bool {
        let messages = !self.counts.0 || self.left.messages > 0;
        let bytes =
            !self.counts.1 || self.left.bytes >= len as u64 || self.left.bytes == self.grant.bytes;
        messages && bytes
    }

    /// Whether anything is held back at all: the peer has returned credits.
    #[inline]
    pub(crate) fn holds_back(&self) -> bool {
        self.counts.0 || self.counts.1
    }

    /// Counts a packet of `len` bytes as sent.
    pub(crate) fn spend(&mut self, len: usize) {
        self.spend_all(1, len);
    }

    /// Counts packets of `bytes` bytes in all as sent.
    pub(crate) fn spend_all(&mut self, messages: u64, bytes: usize) {
        self.left.messages = self.left.messages.saturating_sub(messages);
        self.left.bytes = self.left.bytes.saturating_sub(bytes as u64);
    }

    /// A packet of `len` bytes that was counted was not sent after all.
    pub(crate) fn regain(&mut self, len: usize) {
        self.left.messages = (self.left.messages + 1).min(self.grant.messages);
        self.left.bytes = (self.left.bytes + len as u64).min(self.grant.bytes);
    }

    /// The peer returns credits; there are never more than the grant.
    pub(crate) fn give(&mut self, messages: u32, bytes: u32) {
        if !self.used {
            return;
        }
        let Credits {
            messages: most,
            bytes: most_bytes,
        } = self.grant;
        self.left.messages = (self.left.messages + u64::from(messages)).min(most);
        self.left.bytes = (self.left.bytes + u64::from(bytes)).min(most_bytes);
        self.counts.0 |= messages > 0;
        self.counts.1 |= bytes > 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credit(messages: u64, bytes: u64) -> Credit {
        Credit::new(&FlowPlan {
            grant: Credits { messages, bytes },
            ..FlowPlan::default()
        })
    }

    #[test]
    fn a_client_that_returns_no_credits_is_never_held_up() {
        let mut credit = credit(2, 100);
        for _ in 0..50 {
            assert!(credit.admits(1000));
            credit.spend(1000);
        }
    }

    #[test]
    fn what_was_sent_before_the_first_credits_counts_too() {
        let mut credit = credit(5, 1000);
        for _ in 0..5 {
            credit.spend(10);
        }
        credit.give(1, 0);
        assert!(credit.admits(10));
        credit.spend(10);
        assert!(!credit.admits(10), "one was returned, one was sent");
    }

    #[test]
    fn returned_credits_never_exceed_the_grant_and_a_full_grant_admits_any_size() {
        let mut credit = credit(2, 100);
        credit.give(50, 5000);
        assert!(credit.admits(2 << 20));
        credit.spend(2 << 20);
        assert!(!credit.admits(1));
        credit.give(0, 99);
        assert!(!credit.admits(100));
        credit.give(0, 1);
        assert!(credit.admits(2 << 20));
        credit.spend(1);
        assert!(!credit.admits(1), "both messages are spent");
    }
}
