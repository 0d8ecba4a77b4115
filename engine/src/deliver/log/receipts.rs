//! Cumulative and single receipts (spec 2.4 rule 2).

use super::{Log, Outcome, Settled};

/// What a receipt turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ack {
    /// It released something, or repeats one that did.
    Known,
    /// It names what was never sent.
    Unknown,
}

impl Log {
    /// Releases everything of `partition` up to `through` that was sent on this connection. A
    /// cumulative receipt names no stream: what this stream never sent is no receipt of it.
    pub(crate) fn ack(&mut self, partition: &str, through: u64, out: &mut Vec<Settled>) -> Ack {
        let Some(partition) = self.partitions.index(partition) else {
            return Ack::Unknown;
        };
        if through > self.partitions.highest_sent(partition) {
            return Ack::Unknown;
        }
        while let Some((sequence, ordinal)) = self.partitions.first(partition) {
            if sequence > through {
                break;
            }
            if let Some(at) = self.index_of(ordinal).filter(|&at| !self.slots[at].settled) {
                if !self.is_out(at, true) {
                    break;
                }
                self.settle(at, Outcome::Delivered, out);
            }
            self.partitions.drop_first(partition);
        }
        self.trim();
        Ack::Known
    }

    /// Releases one sequence of `partition`, and no other.
    pub(crate) fn receipt(
        &mut self,
        partition: &str,
        sequence: u64,
        out: &mut Vec<Settled>,
    ) -> Ack {
        // Where sequences count per stream, a packet's partition says nothing of its identity.
        let name = if self.guarantee.per_partition {
            partition
        } else {
            ""
        };
        let Some(partition) = self.partitions.index(name) else {
            return Ack::Unknown;
        };
        if sequence == 0 || sequence > self.partitions.highest_sent(partition) {
            return Ack::Unknown;
        }
        let ordinal = self.partitions.find(partition, sequence);
        if let Some(at) = ordinal.and_then(|ordinal| self.index_of(ordinal)) {
            if self.slots[at].settled {
                return Ack::Known;
            }
            if !self.is_out(at, false) {
                return Ack::Unknown;
            }
            self.settle(at, Outcome::Delivered, out);
            self.trim();
        }
        Ack::Known
    }

    /// Whether the packet at `at`, with its whole chunk set, has been sent: on this connection, or
    /// at all.
    fn is_out(&self, at: usize, on_this_connection: bool) -> bool {
        let sent = |at: usize| {
            if on_this_connection {
                at < self.next
            } else {
                self.slots[at].deliveries > 0
            }
        };
        match self.slots[at].place.set {
            None => sent(at),
            Some(set) => {
                let mut chunks = self.sets.ordinals(set).iter();
                chunks.all(|&ordinal| self.index_of(ordinal).is_none_or(sent))
            }
        }
    }
}
