//! Owns deriving a report from what was observed. Pure: the same observations give the same report.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::limit::{Evidence, limit};
use super::model::{
    Collected, ConnectReport, FaultReport, GeneratorReport, GuaranteeReport, HubReport, Measured,
    Observed, Report, TargetReport, Throughput, Verdict,
};
use crate::drive::Target;
use crate::measure::{Latencies, Percentiles, ProcessUse, SystemName};
use crate::verify::{Fault, Judgement, judge};

/// Format of the JSON report; changes only when a field changes its meaning.
const FORMAT: &str = "loadtest/1";

impl Report {
    /// Puts a report together.
    pub fn build(target: &Target, observed: Observed, mut collected: Collected) -> Report {
        if let Some(counters) = &observed.counters {
            for edge in &mut collected.edges {
                let drops = counters.dropped(&edge.story, &edge.from_step, &edge.to_step);
                edge.dropped_by_hub = Some(drops);
            }
        }
        let seen = std::mem::take(&mut collected.faults);
        let heard = collected.guarantee.as_ref().map(|g| &g.heard[..]);
        let judgement = judge(seen, &collected.edges, heard.unwrap_or_default());
        let measured = &observed.measured;
        let send_lag = Percentiles::of(&observed.latencies.send_lag);
        let counters = observed.counters.as_ref();
        Report {
            format: FORMAT.to_owned(),
            target: TargetReport {
                address: target.address.clone(),
                own_hub: target.own,
                pid: target.pid,
            },
            machine: SystemName::current(),
            interrupted: observed.interrupted,
            throughput: throughput(measured, &collected),
            latency_from: latency_from(&collected).to_owned(),
            latency_us: Percentiles::of(&observed.latencies.delivery),
            latency_curve: curve(&observed.latencies.delivery),
            faults: faults(&judgement),
            dropped: judgement.dropped,
            hub_drops: counters.map(|c| c.reasons().clone()),
            hub_refused: counters.map(|c| c.refused().clone()),
            lost_with_connection: judgement.lost_with_connection,
            hub_kills: 0,
            foreign: collected.foreign,
            stream_failures: collected.stream_failures,
            hub: hub(measured, observed.hub_at_end),
            generator: generator(measured, &collected, send_lag),
            connect: connect(&collected),
            at_least_once: guarantee(&collected, &observed.latencies),
            limit: limit(&Evidence {
                measured,
                collected: &collected,
                send_lag: &send_lag,
                machine: observed.machine,
                dropped: judgement.dropped,
                interrupted: observed.interrupted,
            }),
            verdict: verdict(&judgement, &collected, &observed),
            timeline: observed.samples,
            scenario: collected.scenario,
        }
    }
}

fn throughput(measured: &Measured, collected: &Collected) -> Throughput {
    let seconds = measured.seconds.max(1e-9);
    let edges = &collected.edges;
    Throughput {
        measured_seconds: measured.seconds,
        offered_per_second: collected.offered_per_second,
        sent_per_second: measured.sent as f64 / seconds,
        delivered_per_second: measured.delivered as f64 / seconds,
        megabytes_per_second: measured.media_bytes as f64 / seconds / 1e6,
        sent: edges.iter().map(|edge| edge.sent).sum(),
        delivered: edges.iter().map(|edge| edge.tracker.received()).sum(),
        unsent: collected.unsent,
    }
}

fn latency_from(collected: &Collected) -> &'static str {
    match collected.offered_per_second {
        Some(_) => "intended_send",
        None => "send",
    }
}

/// Latency at quantiles that close in on 1, as HDR plots show it.
fn curve(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let steps = (0..=50).map(|step| 1.0 - 10f64.powf(-f64::from(step) / 10.0));
    steps
        .take_while(|quantile| (1.0 - quantile) * histogram.len() as f64 >= 1.0)
        .map(|quantile| {
            let nanos = histogram.value_at_quantile(quantile);
            (quantile, (nanos as f64 / 100.0).round() / 10.0)
        })
        .collect()
}

fn faults(judgement: &Judgement) -> BTreeMap<String, FaultReport> {
    Fault::ALL
        .into_iter()
        .map(|fault| {
            let report = FaultReport {
                count: judgement.faults.count(fault),
                first: judgement.faults.example(fault).cloned(),
            };
            (fault.name().to_owned(), report)
        })
        .collect()
}

fn hub(measured: &Measured, at_end: Option<ProcessUse>) -> Option<HubReport> {
    let cpu_seconds = measured.hub_cpu_seconds?;
    Some(HubReport {
        cpu_seconds,
        cpus: cpu_seconds / measured.seconds.max(1e-9),
        cpu_us_per_message: per_message(cpu_seconds, measured.delivered),
        max_rss_bytes: at_end?.max_rss_bytes,
    })
}

fn generator(measured: &Measured, collected: &Collected, lag: Percentiles) -> GeneratorReport {
    GeneratorReport {
        cpu_seconds: measured.generator_cpu_seconds,
        cpu_us_per_message: per_message(measured.generator_cpu_seconds, measured.delivered),
        busiest_thread: measured.busiest_thread,
        send_lag_us: lag,
        blocked_seconds: collected.blocked_seconds,
        stalls: collected.stalls,
    }
}

fn per_message(cpu_seconds: f64, messages: u64) -> f64 {
    if messages == 0 {
        return 0.0;
    }
    cpu_seconds * 1e6 / messages as f64
}

fn connect(collected: &Collected) -> ConnectReport {
    ConnectReport {
        opened: collected.connect_nanos.len() as u64,
        latency_us: percentiles(&collected.connect_nanos),
        cuts: collected.cuts,
        reopened: collected.reconnect_nanos.len() as u64,
        reopen_latency_us: percentiles(&collected.reconnect_nanos),
        refused: collected.refusals.clone(),
    }
}

fn percentiles(nanos: &[u64]) -> Percentiles {
    let mut latencies = Latencies::default();
    for nanos in nanos {
        latencies.delivery.saturating_record(*nanos);
    }
    Percentiles::of(&latencies.delivery)
}

fn guarantee(collected: &Collected, latencies: &Latencies) -> Option<GuaranteeReport> {
    let seen = collected.guarantee.as_ref()?;
    let sent: u64 = seen.heard.iter().map(|producer| producer.sent).sum();
    let acknowledged = seen.heard.iter().map(|producer| producer.settled).sum();
    Some(GuaranteeReport {
        acknowledged,
        unacknowledged: sent.saturating_sub(acknowledged),
        ack_us: Percentiles::of(&latencies.settled),
        receipts: seen.receipts,
        resent: seen.resent,
        redelivered: seen.redelivered,
        rerouted: seen.rerouted,
        first_packet_us: percentiles(&seen.first_packet_nanos),
        first_ack_us: percentiles(&seen.first_ack_nanos),
        held_up_producers: seen.held_up_producers,
        held_up_seconds: seen.held_up_seconds,
        held_up_us: Percentiles::of(&latencies.held_up),
        pauses: seen.pauses,
    })
}

fn verdict(judgement: &Judgement, collected: &Collected, observed: &Observed) -> Verdict {
    let mut reasons = judgement.reasons.clone();
    if let Some(first) = &collected.first_stream_failure {
        let count = collected.stream_failures;
        reasons.push(format!("{count} streams broke off; first {first}"));
    }
    // A run that was ended early may not have got so far.
    if observed.measured.delivered == 0 && !observed.interrupted {
        reasons.push("nothing was delivered in the measured time".to_owned());
    }
    Verdict {
        passed: reasons.is_empty(),
        reasons,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Sequence;
    use crate::verify::{EdgeOutcome, EdgeTracker};

    fn collected(sent: u64, received: u64) -> Collected {
        let mut tracker = EdgeTracker::default();
        for n in 0..received {
            tracker.see(Sequence(n));
        }
        Collected {
            edges: vec![EdgeOutcome {
                story: "load".into(),
                from: "load/p".into(),
                to: "load/c".into(),
                from_step: "p".into(),
                to_step: "c".into(),
                sent,
                tracker,
                dropped_by_hub: None,
                cut: false,
                guaranteed: false,
            }],
            ..Collected::default()
        }
    }

    fn observed(delivered: u64) -> Observed {
        Observed {
            measured: Measured {
                seconds: 2.0,
                delivered,
                media_bytes: delivered * 1_000_000,
                hub_cpu_seconds: Some(1.0),
                ..Measured::default()
            },
            hub_at_end: Some(ProcessUse::default()),
            ..Observed::default()
        }
    }

    #[test]
    fn rates_and_costs_are_per_second_and_per_message() {
        let report = Report::build(&Target::default(), observed(100), collected(100, 100));
        assert_eq!(report.throughput.delivered_per_second, 50.0);
        assert_eq!(report.throughput.megabytes_per_second, 50.0);
        assert_eq!(report.hub.unwrap().cpu_us_per_message, 10_000.0);
        assert!(report.verdict.passed);
    }

    #[test]
    fn drops_count_for_the_edge_that_the_hub_names() {
        use crate::measure::HubCounters;
        let metrics =
            "hub_packets_dropped_total{story=\"load\",from=\"p\",to=\"c\",reason=\"expired\"} 3\n";
        let mut observed = observed(1);
        observed.counters = Some(HubCounters::parse(metrics));
        let report = Report::build(&Target::default(), observed, collected(10, 6));
        assert_eq!((report.dropped, report.faults["lost"].count), (3, 1));
        assert!(!report.verdict.passed);
    }

    #[test]
    fn a_run_that_delivered_nothing_fails_unless_it_was_ended_early() {
        let mut observed = observed(0);
        let report = Report::build(&Target::default(), observed.clone(), collected(0, 0));
        assert!(!report.verdict.passed);
        observed.interrupted = true;
        let report = Report::build(&Target::default(), observed, collected(0, 0));
        assert!(report.verdict.passed);
    }
}
