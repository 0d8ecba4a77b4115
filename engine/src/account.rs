//! Counting what happened to packets (spec 2.4 rule 7, 2.5).
//!
//! Owns the closed set of drop reasons and the per-edge counters. Counters only grow; what is
//! queued is read from the queues themselves, so the identity
//! `accepted = delivered + dropped + queued + in flight` can be checked, not assumed.

/// Why a packet ended on one edge without being delivered (metric label `reason`, closed set).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(
    missing_docs,
    reason = "each variant is the spec's word for itself, see `as_str`"
)]
pub enum DropReason {
    Oversize,
    LaneFull,
    LaneOversize,
    DropOldest,
    Expired,
    Interrupted,
    NoRoute,
    Invalid,
    Schema,
    Expression,
    FanInTimeout,
    ChunkTimeout,
    MaxDownstreams,
    Duplicate,
    MaxBuffers,
    Budget,
    DeadLetter,
    Evicted,
    Superseded,
    Shutdown,
}

impl DropReason {
    /// Every reason, in the order of the spec.
    pub const ALL: [DropReason; 20] = [
        Self::Oversize,
        Self::LaneFull,
        Self::LaneOversize,
        Self::DropOldest,
        Self::Expired,
        Self::Interrupted,
        Self::NoRoute,
        Self::Invalid,
        Self::Schema,
        Self::Expression,
        Self::FanInTimeout,
        Self::ChunkTimeout,
        Self::MaxDownstreams,
        Self::Duplicate,
        Self::MaxBuffers,
        Self::Budget,
        Self::DeadLetter,
        Self::Evicted,
        Self::Superseded,
        Self::Shutdown,
    ];

    /// The label value (spec 2.5).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oversize => "oversize",
            Self::LaneFull => "lane_full",
            Self::LaneOversize => "lane_oversize",
            Self::DropOldest => "drop_oldest",
            Self::Expired => "expired",
            Self::Interrupted => "interrupted",
            Self::NoRoute => "no_route",
            Self::Invalid => "invalid",
            Self::Schema => "schema",
            Self::Expression => "expression",
            Self::FanInTimeout => "fan_in_timeout",
            Self::ChunkTimeout => "chunk_timeout",
            Self::MaxDownstreams => "max_downstreams",
            Self::Duplicate => "duplicate",
            Self::MaxBuffers => "max_buffers",
            Self::Budget => "budget",
            Self::DeadLetter => "dead_letter",
            Self::Evicted => "evicted",
            Self::Superseded => "superseded",
            Self::Shutdown => "shutdown",
        }
    }
}

/// Why a packet was dropped whole at the door, before any edge took it (spec 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RefuseReason {
    /// It breaks a limit of the contract.
    Invalid,
    /// Its step has nobody downstream.
    NoRoute,
    /// Its connection no longer owns the step.
    Superseded,
    /// The hub is shutting down.
    Shutdown,
    /// It belongs to a turn that an interrupt has ended.
    Interrupted,
    /// Its run has ended.
    Ended,
}

impl RefuseReason {
    /// Every reason.
    pub const ALL: [RefuseReason; 6] = [
        Self::Invalid,
        Self::NoRoute,
        Self::Superseded,
        Self::Shutdown,
        Self::Interrupted,
        Self::Ended,
    ];

    /// The label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NoRoute => "no_route",
            Self::Superseded => "superseded",
            Self::Shutdown => "shutdown",
            Self::Interrupted => "interrupted",
            Self::Ended => "ended",
        }
    }
}

/// Counters of one edge of one run. They never decrease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EdgeCounts {
    /// Packets that were routed onto this edge.
    pub accepted: u64,
    /// Packets handed to the socket (best_effort) or receipted (at_least_once).
    pub delivered: u64,
    /// Packets that were sent again (at_least_once), once for each time.
    pub replayed: u64,
    dropped: [u64; DropReason::ALL.len()],
}

impl EdgeCounts {
    /// Counts one packet that ended as `reason`.
    pub fn drop_one(&mut self, reason: DropReason) {
        self.dropped[reason as usize] += 1;
    }

    /// Packets that ended as `reason`.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Packets that ended without delivery, for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Adds the counts of another edge, for labels that several runs share.
    pub fn add(&mut self, other: &EdgeCounts) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.replayed += other.replayed;
        for (mine, theirs) in self.dropped.iter_mut().zip(other.dropped) {
            *mine += theirs;
        }
    }
}

/// Packets dropped whole at the door, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefuseCounts([u64; RefuseReason::ALL.len()]);

impl RefuseCounts {
    /// Counts one packet refused for `reason`.
    pub fn refuse_one(&mut self, reason: RefuseReason) {
        self.0[reason as usize] += 1;
    }

    /// Packets refused for `reason`.
    pub fn get(&self, reason: RefuseReason) -> u64 {
        self.0[reason as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drop_reason_has_its_own_counter_and_label() {
        let mut counts = EdgeCounts::default();
        for (at, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
            for _ in 0..=at {
                counts.drop_one(reason);
            }
        }
        for (at, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(counts.dropped(reason), at as u64 + 1);
        }
        let mut labels: Vec<_> = DropReason::ALL.iter().map(|r| r.as_str()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), DropReason::ALL.len());
    }

    #[test]
    fn every_refuse_reason_has_its_own_counter() {
        let mut counts = RefuseCounts::default();
        counts.refuse_one(RefuseReason::NoRoute);
        for (at, reason) in RefuseReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
            assert_eq!(
                counts.get(reason),
                u64::from(reason == RefuseReason::NoRoute)
            );
        }
    }
}
