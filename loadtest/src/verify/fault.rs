//! Owns the ways for delivery to be wrong, and counting them with their first examples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A way for delivery to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Sent, never received, and nobody says why.
    Lost,
    /// Received twice by one consumer; on at_least_once edges, under two identities.
    Duplicated,
    /// Received after a later message of the same producer.
    Reordered,
    /// Bytes changed on the way, or no message of this generator at all.
    Corrupted,
    /// Received by a consumer that does not listen to this producer.
    Misrouted,
    /// Received without an identity, or under one that brought another message before.
    Misnumbered,
    /// Sent, and its producer never heard that it is settled.
    Unacknowledged,
    /// Settled by what its producer heard, before every consumer had it or before it was sent.
    AckedEarly,
}

impl Fault {
    /// All of them, in the order of reports.
    pub const ALL: [Fault; 8] = [
        Fault::Lost,
        Fault::Duplicated,
        Fault::Reordered,
        Fault::Corrupted,
        Fault::Misrouted,
        Fault::Misnumbered,
        Fault::Unacknowledged,
        Fault::AckedEarly,
    ];

    /// Whether only at_least_once runs can have it.
    pub fn is_of_guarantee(self) -> bool {
        matches!(
            self,
            Fault::Misnumbered | Fault::Unacknowledged | Fault::AckedEarly
        )
    }

    /// The word used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Lost => "lost",
            Fault::Duplicated => "duplicated",
            Fault::Reordered => "reordered",
            Fault::Corrupted => "corrupted",
            Fault::Misrouted => "misrouted",
            Fault::Misnumbered => "misnumbered",
            Fault::Unacknowledged => "unacknowledged",
            Fault::AckedEarly => "acked_early",
        }
    }
}

/// The first message that shows a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Step that sent it, `run/step`; empty when unknown.
    pub from: String,
    /// Step that received it, or should have.
    pub to: String,
    /// The producer's number of it, where it can be told.
    pub sequence: Option<u64>,
    /// Seconds since traffic started, where it was received.
    pub at_seconds: Option<f64>,
    /// What exactly was wrong.
    pub detail: String,
}

/// How often each fault was seen, with its first example.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultCounts(BTreeMap<Fault, (u64, Option<Example>)>);

impl FaultCounts {
    /// Counts one more; `example` is asked only for the first.
    pub fn note(&mut self, fault: Fault, example: impl FnOnce() -> Example) {
        let entry = self.0.entry(fault).or_default();
        entry.0 += 1;
        if entry.1.is_none() {
            entry.1 = Some(example());
        }
    }

    /// Adds another's counts; of two examples the earlier one stays.
    pub fn merge(&mut self, other: FaultCounts) {
        for (fault, (count, example)) in other.0 {
            let entry = self.0.entry(fault).or_default();
            entry.0 += count;
            let earlier = match (&entry.1, &example) {
                (Some(mine), Some(theirs)) => theirs.at_seconds < mine.at_seconds,
                (mine, _) => mine.is_none(),
            };
            if earlier {
                entry.1 = example;
            }
        }
    }

    /// How often it was seen.
    pub fn count(&self, fault: Fault) -> u64 {
        self.0.get(&fault).map_or(0, |entry| entry.0)
    }

    /// The first time it was seen.
    pub fn example(&self, fault: Fault) -> Option<&Example> {
        self.0.get(&fault).and_then(|entry| entry.1.as_ref())
    }

    pub(super) fn add_many(&mut self, fault: Fault, count: u64, example: impl FnOnce() -> Example) {
        if count > 0 {
            self.note(fault, example);
            if let Some(entry) = self.0.get_mut(&fault) {
                entry.0 += count - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_keeps_the_earliest_example() {
        let mut a = FaultCounts::default();
        a.note(Fault::Reordered, || example(2.0));
        let mut b = FaultCounts::default();
        b.note(Fault::Reordered, || example(1.0));
        b.note(Fault::Reordered, || example(3.0));
        a.merge(b);
        assert_eq!(a.count(Fault::Reordered), 3);
        let first = a.example(Fault::Reordered).unwrap();
        assert_eq!(first.at_seconds, Some(1.0));
    }

    fn example(at: f64) -> Example {
        Example {
            from: "load/p".into(),
            to: "load/c".into(),
            sequence: Some(0),
            at_seconds: Some(at),
            detail: String::new(),
        }
    }
}
