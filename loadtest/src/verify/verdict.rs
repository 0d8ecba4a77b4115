//! Owns the verdict: which differences between sent and received are faults.
//!
//! | missing message | counts as |
//! | --- | --- |
//! | the hub's drop counters of its edge cover it | dropped by policy (allowed for best_effort) |
//! | one end of its edge was cut on purpose | lost with the connection (allowed for best_effort) |
//! | otherwise | lost, unexplained: fails |
//!
//! Duplicated, reordered, corrupted and misrouted messages always fail.
//!
//! On at_least_once edges nothing excuses a missing message, a message that comes again under its
//! own identity is a redelivery and no fault, and every message must have been acknowledged to its
//! producer, after all its consumers had it.

use super::{EdgeTracker, Example, Fault, FaultCounts};

/// What became of one edge.
#[derive(Clone, Debug)]
pub struct EdgeOutcome {
    /// Story of the run, as the hub's counters name it.
    pub story: String,
    /// Sending step, `run/step`.
    pub from: String,
    /// Receiving step, `run/step`.
    pub to: String,
    /// Sending step, as the hub's counters name it.
    pub from_step: String,
    /// Receiving step, as the hub's counters name it.
    pub to_step: String,
    /// Messages the producer handed to its connection.
    pub sent: u64,
    /// What the consumer saw.
    pub tracker: EdgeTracker,
    /// Drops that the hub counted on this edge; `None` when it was not asked.
    pub dropped_by_hub: Option<u64>,
    /// Whether a connection of either end was cut on purpose.
    pub cut: bool,
    /// An at_least_once edge: neither drops nor cuts excuse a missing message.
    pub guaranteed: bool,
}

/// What a numbering producer has heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// The producer, `run/step`.
    pub from: String,
    /// Messages it has sent.
    pub sent: u64,
    /// Up to which of them it has heard that they are settled.
    pub settled: u64,
}

/// The account of a whole run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// Faults with their first examples; `Lost` holds only what nobody explains.
    pub faults: FaultCounts,
    /// Missing messages that the hub counted as dropped.
    pub dropped: u64,
    /// Missing messages of edges that were cut on purpose.
    pub lost_with_connection: u64,
    /// Why the run failed; empty when it passed.
    pub reasons: Vec<String>,
}

impl Judgement {
    /// Whether nothing was wrong.
    pub fn passed(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// Judges a run by the faults its streams saw, by what is missing on its edges, and by what its
/// producers have not heard.
pub fn judge(seen: FaultCounts, edges: &[EdgeOutcome], heard: &[Acknowledged]) -> Judgement {
    let mut judgement = Judgement {
        faults: seen,
        ..Judgement::default()
    };
    for edge in edges {
        judgement.settle(edge);
    }
    for producer in heard {
        judgement.hear(producer);
    }
    let hub_was_asked = edges
        .iter()
        .all(|edge| edge.guaranteed || edge.dropped_by_hub.is_some());
    for fault in Fault::ALL {
        let count = judgement.faults.count(fault);
        if count == 0 {
            continue;
        }
        let hint = if fault == Fault::Lost && !hub_was_asked {
            " (the hub's drop counters could not be read: give --admin HOST:PORT)"
        } else {
            ""
        };
        judgement
            .reasons
            .push(format!("{count} {}{hint}", fault.name()));
    }
    judgement
}

impl Judgement {
    fn settle(&mut self, edge: &EdgeOutcome) {
        let missing = edge.tracker.missing(edge.sent);
        let dropped = missing.min(edge.dropped_by_hub.unwrap_or(0));
        self.dropped += dropped;
        let rest = if edge.guaranteed {
            missing
        } else {
            missing - dropped
        };
        if edge.cut && !edge.guaranteed {
            self.lost_with_connection += rest;
            return;
        }
        self.faults.add_many(Fault::Lost, rest, || Example {
            from: edge.from.clone(),
            to: edge.to.clone(),
            sequence: edge.tracker.first_missing(edge.sent).map(|s| s.0),
            at_seconds: None,
            detail: format!(
                "{missing} of {} missing on this edge, {dropped} of them counted as dropped by the hub",
                edge.sent
            ),
        });
    }
}

impl Judgement {
    fn hear(&mut self, producer: &Acknowledged) {
        let open = producer.sent.saturating_sub(producer.settled);
        self.faults
            .add_many(Fault::Unacknowledged, open, || Example {
                from: producer.from.clone(),
                to: "the hub".to_owned(),
                sequence: Some(producer.settled),
                at_seconds: None,
                detail: format!(
                    "acknowledged up to {} of {} by the end",
                    producer.settled, producer.sent
                ),
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Sequence;

    fn edge(sent: u64, received: &[u64], dropped: Option<u64>) -> EdgeOutcome {
        let mut tracker = EdgeTracker::default();
        for n in received {
            tracker.see(Sequence(*n));
        }
        EdgeOutcome {
            story: "load".into(),
            from: "load/p".into(),
            to: "load/c".into(),
            from_step: "p".into(),
            to_step: "c".into(),
            sent,
            tracker,
            dropped_by_hub: dropped,
            cut: false,
            guaranteed: false,
        }
    }

    #[test]
    fn all_received_passes() {
        let judgement = judge(FaultCounts::default(), &[edge(3, &[0, 1, 2], Some(0))], &[]);
        assert!(judgement.passed());
    }

    #[test]
    fn a_loss_that_the_hub_does_not_count_fails_and_names_the_first_message() {
        let judgement = judge(FaultCounts::default(), &[edge(4, &[0, 2], Some(1))], &[]);
        assert_eq!(judgement.faults.count(Fault::Lost), 1);
        assert_eq!(judgement.dropped, 1);
        let example = judgement.faults.example(Fault::Lost).unwrap();
        assert_eq!(example.sequence, Some(1));
        assert_eq!(judgement.reasons, ["1 lost"]);
    }

    #[test]
    fn drops_that_the_hub_counts_pass_as_drops() {
        let judgement = judge(FaultCounts::default(), &[edge(4, &[0, 2], Some(2))], &[]);
        assert!(judgement.passed());
        assert_eq!(judgement.dropped, 2);
    }

    #[test]
    fn drops_of_one_edge_do_not_excuse_another() {
        let edges = [edge(2, &[0, 1], Some(5)), edge(2, &[0], Some(0))];
        let judgement = judge(FaultCounts::default(), &edges, &[]);
        assert_eq!(judgement.faults.count(Fault::Lost), 1);
    }

    #[test]
    fn without_the_hubs_counters_every_missing_message_is_lost_and_the_text_says_why() {
        let judgement = judge(FaultCounts::default(), &[edge(2, &[0], None)], &[]);
        assert!(judgement.reasons[0].contains("--admin"));
    }

    #[test]
    fn what_a_cut_connection_took_along_is_no_fault() {
        let mut cut = edge(3, &[0], Some(0));
        cut.cut = true;
        let judgement = judge(FaultCounts::default(), &[cut], &[]);
        assert!(judgement.passed());
        assert_eq!(judgement.lost_with_connection, 2);
    }

    #[test]
    fn every_other_fault_fails_whatever_the_hub_counts() {
        for fault in [
            Fault::Duplicated,
            Fault::Reordered,
            Fault::Corrupted,
            Fault::Misrouted,
            Fault::Misnumbered,
            Fault::AckedEarly,
        ] {
            let mut seen = FaultCounts::default();
            seen.note(fault, || example(1.0));
            let judgement = judge(seen, &[edge(1, &[0], Some(9))], &[]);
            assert_eq!(judgement.reasons, [format!("1 {}", fault.name())]);
        }
    }

    #[test]
    fn nothing_excuses_a_missing_message_on_a_guaranteed_edge() {
        let mut edge = edge(3, &[0], Some(1));
        edge.cut = true;
        edge.guaranteed = true;
        let judgement = judge(FaultCounts::default(), &[edge], &[]);
        assert_eq!(judgement.reasons, ["2 lost"]);
        assert_eq!((judgement.dropped, judgement.lost_with_connection), (1, 0));
    }

    #[test]
    fn what_a_producer_never_heard_fails_and_names_the_first() {
        let heard = |settled| Acknowledged {
            from: "load/p".into(),
            sent: 9,
            settled,
        };
        let judgement = judge(FaultCounts::default(), &[], &[heard(9), heard(7)]);
        assert_eq!(judgement.reasons, ["2 unacknowledged"]);
        let example = judgement.faults.example(Fault::Unacknowledged).unwrap();
        assert_eq!(
            (example.from.as_str(), example.sequence),
            ("load/p", Some(7))
        );
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
