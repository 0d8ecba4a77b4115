//! What a world exercised: nobody should trust a simulator that exercises nothing.

use std::fmt;

macro_rules! seen {
    ($($(#[$doc:meta])* $field:ident: $name:literal,)*) => {
        /// Counts of what happened in a world, or in many.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Seen {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl Seen {
            /// Every count with its name.
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$(($name, self.$field),)*]
            }

            /// Adds the counts of another world.
            pub fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
            }
        }
    };
}

seen! {
    /// Events of the world's agenda.
    events: "events",
    /// Packets that the hub routed.
    routed: "packets routed",
    /// Packets that the hub sent.
    sent: "packets sent",
    /// Receipts that released a packet.
    receipted: "packets receipted",
    /// Receipts that released nothing.
    receipts_ignored: "receipts ignored",
    /// Registrations after the first of a step.
    reconnects: "reconnects",
    /// Packets sent again on a new connection.
    replayed: "packets replayed",
    /// Packets sent again on the same connection.
    redelivered: "packets redelivered",
    /// Hub processes killed.
    crashes: "hub crashes",
    /// Payloads seen under a second identity after a hub crash.
    twice_after_crash: "payloads seen twice after a crash",
    /// Packets of numbering producers that came again within one hub life.
    resends: "resends of numbering producers",
    /// Acks told to numbering producers.
    acks: "acks to producers",
    /// Packets that were not taken for now.
    blocked: "packets blocked",
    /// PAUSE signals.
    pauses: "pause signals",
    /// RESUME signals.
    resumes: "resume signals",
    /// Barge-ins.
    interrupts: "interrupts",
    /// Directives to clients that act on control.
    directives: "directives",
    /// Packets ended by them.
    interrupted: "packets interrupted",
    /// Packets refused because their turn was over.
    refused_turns: "packets of a past turn refused",
    /// Chunk sets that went out whole.
    chunk_sets: "chunk sets delivered",
    /// Registrations of a lower generation that were refused.
    lower_refused: "lower generations refused",
    /// Registrations of a higher generation.
    handoffs: "handoffs",
    /// Same-generation takeovers of a present owner.
    takeovers: "takeovers",
    /// Takeovers refused.
    duels: "duels refused",
    /// Packets and receipts on superseded connections.
    stale: "messages on superseded connections",
    /// Receipts that named another stream or epoch.
    foreign: "foreign receipts",
    /// Cumulative receipts before anything was sent on the connection.
    early_acks: "acks before anything was sent",
    /// Credits returned.
    credits: "flows with credits",
    /// Packets that ended at a bound on an at_least_once edge.
    dead_lettered: "packets dead-lettered",
    /// Packets given up because their step stayed away.
    evicted: "packets evicted",
    /// Packets dropped on best_effort edges.
    best_effort_drops: "best_effort drops",
    /// Sequences that never went out.
    holes: "holes in a sequence",
    /// Connections cut.
    cuts: "connections cut",
    /// Connections that went silent.
    half_open: "half-open connections",
    /// Producer processes that were replaced by one that knows nothing.
    producer_restarts: "client processes replaced",
    /// Receipts that a client lost.
    receipts_lost: "receipts lost by clients",
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, n) in self.all() {
            writeln!(f, "  {n:>12}  {name}")?;
        }
        Ok(())
    }
}
