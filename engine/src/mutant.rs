//! Deliberate faults, each of which the simulator must find (spec 7).
//!
//! Without the feature `mutants` no fault can be turned on and the questions cost nothing.

/// One deliberate fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// A packet is left out of a replay.
    SkipReplayedPacket,
    /// What is new goes out before what must be replayed.
    ReplayAfterNew,
    /// A restarted hub goes on under its old epoch.
    ReuseEpochAfterRestart,
    /// A receipt for another stream releases a packet.
    ReleaseOnForeignReceipt,
    /// A receipt that names an older epoch releases a packet of the new one.
    LateAckOfOldEpoch,
    /// A full at_least_once edge drops without counting.
    SilentDropAtBound,
    /// A producer is told that a packet is settled when its first edge has settled it.
    AckBeforeLastEdge,
    /// What a producer resends is routed again.
    RouteResendTwice,
    /// A resent chunk that was never routed is taken for routed.
    LoseNumberedChunk,
    /// An older generation may take a step over.
    AcceptLowerGeneration,
    /// A dropped packet is never settled.
    ForgetHole,
    /// An interrupt ends packets of the turn that it opens.
    InterruptDropsNewerTurn,
    /// A new connection goes on with the credits of the old one.
    CreditsLeakOnReconnect,
    /// An interrupted packet is counted twice.
    CountDropTwice,
}

impl Mutant {
    /// Every fault.
    pub const ALL: [Mutant; 14] = [
        Self::SkipReplayedPacket,
        Self::ReplayAfterNew,
        Self::ReuseEpochAfterRestart,
        Self::ReleaseOnForeignReceipt,
        Self::LateAckOfOldEpoch,
        Self::SilentDropAtBound,
        Self::AckBeforeLastEdge,
        Self::RouteResendTwice,
        Self::LoseNumberedChunk,
        Self::AcceptLowerGeneration,
        Self::ForgetHole,
        Self::InterruptDropsNewerTurn,
        Self::CreditsLeakOnReconnect,
        Self::CountDropTwice,
    ];

    /// The fault's name, as the simulator takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SkipReplayedPacket => "skip-replayed-packet",
            Self::ReplayAfterNew => "replay-after-new",
            Self::ReuseEpochAfterRestart => "reuse-epoch-after-restart",
            Self::ReleaseOnForeignReceipt => "release-on-foreign-receipt",
            Self::LateAckOfOldEpoch => "late-ack-of-old-epoch",
            Self::SilentDropAtBound => "silent-drop-at-bound",
            Self::AckBeforeLastEdge => "ack-before-last-edge",
            Self::RouteResendTwice => "route-resend-twice",
            Self::LoseNumberedChunk => "lose-numbered-chunk",
            Self::AcceptLowerGeneration => "accept-lower-generation",
            Self::ForgetHole => "forget-hole",
            Self::InterruptDropsNewerTurn => "interrupt-drops-newer-turn",
            Self::CreditsLeakOnReconnect => "credits-leak-on-reconnect",
            Self::CountDropTwice => "count-drop-twice",
        }
    }
}

#[cfg(feature = "mutants")]
thread_local! {
    static CURRENT: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Turns one fault on for this thread, or all of them off.
#[cfg(feature = "mutants")]
pub fn set(mutant: Option<Mutant>) {
    CURRENT.with(|current| current.set(mutant));
}

/// Whether `mutant` is turned on.
#[cfg(feature = "mutants")]
pub(crate) fn is(mutant: Mutant) -> bool {
    CURRENT.with(std::cell::Cell::get) == Some(mutant)
}

/// No fault can be turned on.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub(crate) const fn is(_: Mutant) -> bool {
    false
}
