//! Owns putting together what the threads saw: one account for the whole run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use super::consumer::path;
use super::guarantee::Guarantee;
use super::shared::Shared;
use super::worker::Outcome;
use crate::report::{Collected, GuaranteeSeen};
use crate::scenario::{EdgePlan, Pace, ProducerPlan};
use crate::units::{EdgeId, ProducerId};
use crate::verify::{Acknowledged, EdgeOutcome, EdgeTracker};

/// Merges the outcomes of all threads.
pub(super) fn collect(shared: &Shared, outcomes: Vec<Outcome>) -> Collected {
    let mut collected = Collected {
        scenario: shared.scenario.clone(),
        offered_per_second: offered(shared),
        ..Collected::default()
    };
    let mut trackers: BTreeMap<EdgeId, EdgeTracker> = BTreeMap::new();
    let mut cut = BTreeSet::new();
    let mut guarantee = GuaranteeSeen::default();
    let mut settled = BTreeMap::new();
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
        collected.cuts += outcome.cuts;
        settled.extend(outcome.guarantee.heard.iter().copied());
        add(&mut guarantee, outcome.guarantee);
    }
    if shared.scenario.is_guaranteed() {
        guarantee.heard = heard(shared, &settled);
        collected.guarantee = Some(guarantee);
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

/// Adds what one thread saw of at_least_once.
fn add(to: &mut GuaranteeSeen, of: Guarantee) {
    to.resent += of.resent;
    to.redelivered += of.redelivered;
    to.rerouted += of.rerouted;
    to.receipts += of.receipts;
    to.pauses += of.pauses;
    to.first_packet_nanos.extend(of.first_packets);
    to.first_ack_nanos.extend(of.first_acks);
    to.held_up_producers += of.held.len() as u64;
    to.held_up_seconds += of.held.iter().sum::<u64>() as f64 / 1e9;
}

/// What every producer has heard; one that gave no account has heard nothing.
fn heard(shared: &Shared, settled: &BTreeMap<ProducerId, u64>) -> Vec<Acknowledged> {
    let producers = shared.topology.producers.iter();
    let heard = |plan: &ProducerPlan| Acknowledged {
        from: path(&plan.name),
        sent: shared.producers[plan.id.0 as usize]
            .sent
            .load(Ordering::Relaxed),
        settled: settled.get(&plan.id).copied().unwrap_or(0),
    };
    producers.map(heard).collect()
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
        guaranteed: shared.scenario.is_guaranteed(),
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
