//! Owns putting together what the threads saw: one account for the whole run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use super::consumer::path;
use super::shared::Shared;
use super::worker::Outcome;
use crate::report::Collected;
use crate::scenario::{EdgePlan, Pace};
use crate::units::EdgeId;
use crate::verify::{EdgeOutcome, EdgeTracker};

/// Merges the outcomes of all threads.
pub(super) fn collect(shared: &Shared, outcomes: Vec<Outcome>) -> Collected {
    let mut collected = Collected {
        scenario: shared.scenario.clone(),
        offered_per_second: offered(shared),
        ..Collected::default()
    };
    let mut trackers: BTreeMap<EdgeId, EdgeTracker> = BTreeMap::new();
    let mut cut = BTreeSet::new();
    for outcome in outcomes {
        trackers.extend(outcome.trackers);
        cut.extend(outcome.cut_edges);
        collected.faults.merge(outcome.faults);
        collected.foreign += outcome.foreign;
        collected.stream_failures += outcome.failures;
        collected.first_stream_failure = collected
            .first_stream_failure
            .take()
            .or(outcome.first_failure);
        collected.connect_nanos.extend(outcome.connects);
        collected.reconnect_nanos.extend(outcome.reconnects);
        for (code, count) in outcome.refusals {
            *collected.refusals.entry(code).or_default() += count;
        }
        collected.unsent += outcome.unsent;
        collected.blocked_seconds += outcome.blocked_nanos as f64 / 1e9;
        collected.stalls += outcome.stalls;
    }
    let edges = shared.topology.edges.iter().enumerate();
    collected.edges = edges
        .map(|(number, plan)| {
            let id = EdgeId(number as u32);
            let tracker = trackers.remove(&id).unwrap_or_default();
            edge(shared, plan, tracker, cut.contains(&id))
        })
        .collect();
    collected
}

fn edge(shared: &Shared, plan: &EdgePlan, tracker: EdgeTracker, cut: bool) -> EdgeOutcome {
    let producer = &shared.topology.producers[plan.producer].name;
    let consumer = &shared.topology.consumers[plan.consumer].name;
    EdgeOutcome {
        story: producer.run.clone(),
        from: path(producer),
        to: path(consumer),
        from_step: producer.step.clone(),
        to_step: consumer.step.clone(),
        sent: shared.producers[plan.producer].sent.load(Ordering::Relaxed),
        tracker,
        dropped_by_hub: None,
        cut,
    }
}

/// Deliveries a second that the schedules ask for; `None` when a flow sends what it can.
fn offered(shared: &Shared) -> Option<f64> {
    shared
        .scenario
        .flows
        .iter()
        .map(|flow| match flow.pace {
            Pace::Rate(rate) => Some(rate * f64::from(flow.producers) * f64::from(flow.fan_out)),
            Pace::Window(_) => None,
        })
        .sum()
}
