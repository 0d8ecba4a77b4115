//! From the engine's counters to Prometheus text.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::latency::{BOUNDS_NANOS, Latency};
use engine::{DropReason, EdgeCounts, RefuseReason, Snapshot};
use metrics::{Label, counter, gauge, histogram};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use super::{Registrations, names};
use crate::ingress::code_name;

/// What the labels of an edge are: story, from, to.
type EdgeLabels = (Arc<str>, Arc<str>, Arc<str>);

/// One edge's figures, summed over the runs of its Story (labels never name runs).
#[derive(Clone, Default)]
struct EdgeFigures {
    counts: EdgeCounts,
    queued: u64,
    queued_bytes: u64,
    in_flight: u64,
    forward: Latency,
}

/// Keeps the metrics of one hub.
pub(crate) struct Publisher {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    registrations: Arc<Registrations>,
    /// Latency samples published so far.
    published: BTreeMap<EdgeLabels, Latency>,
}

impl Publisher {
    /// A publisher without figures yet.
    ///
    /// # Errors
    /// When the bucket bounds are refused (a broken build).
    pub(crate) fn new(
        registrations: Arc<Registrations>,
    ) -> Result<Self, metrics_exporter_prometheus::BuildError> {
        let bounds: Vec<f64> = BOUNDS_NANOS.iter().map(|&n| n as f64 / 1e9).collect();
        let forward = Matcher::Full(names::FORWARD_SECONDS.to_owned());
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(forward, &bounds)?
            .build_recorder();
        metrics::with_local_recorder(&recorder, || {
            for (name, help) in names::COUNTERS {
                metrics::describe_counter!(name, help);
            }
            for (name, help) in names::GAUGES {
                metrics::describe_gauge!(name, help);
            }
            for (name, help) in names::HISTOGRAMS {
                metrics::describe_histogram!(name, help);
            }
        });
        let handle = recorder.handle();
        Ok(Self {
            recorder,
            handle,
            registrations,
            published: BTreeMap::new(),
        })
    }

    /// Takes the figures of `snapshot` over and renders all metrics as Prometheus text.
    pub(crate) fn render(&mut self, snapshot: &Snapshot) -> String {
        let mut edges: BTreeMap<EdgeLabels, EdgeFigures> = BTreeMap::new();
        for edge in &snapshot.edges {
            let labels = (edge.story.clone(), edge.from.clone(), edge.to.clone());
            let figures = edges.entry(labels).or_default();
            figures.counts.add(&edge.counts);
            figures.queued += edge.queued;
            figures.queued_bytes += edge.queued_bytes;
            figures.in_flight += edge.in_flight;
            figures.forward.add(&edge.forward);
        }
        metrics::with_local_recorder(&self.recorder, || {
            publish_process(snapshot, &self.registrations);
            for (labels, figures) in &edges {
                publish_edge(labels, figures);
                let published = self.published.entry(labels.clone()).or_default();
                publish_latency(labels, &figures.forward, published);
            }
        });
        self.handle.run_upkeep();
        self.handle.render()
    }
}

fn publish_process(snapshot: &Snapshot, registrations: &Registrations) {
    for reason in RefuseReason::ALL {
        counter!(names::REFUSED, "reason" => reason.as_str())
            .absolute(snapshot.refused.get(reason));
    }
    for (code, count) in registrations.counts() {
        counter!(names::REGISTRATIONS, "code" => code_name(code)).absolute(count);
    }
    for (mode, count) in registrations.startup_counts() {
        counter!(names::STARTUP_CAPABILITIES, "mode" => mode).absolute(count);
    }
    let beats = snapshot.heartbeats;
    for (direction, count) in [
        ("out", beats.sent),
        ("in", beats.received),
        ("forwarded", beats.forwarded),
    ] {
        counter!(names::HEARTBEATS, "direction" => direction).absolute(count);
    }
    gauge!(names::STREAMS).set(snapshot.streams as f64);
    gauge!(names::RUNS).set(snapshot.runs as f64);
}

fn labels((story, from, to): &EdgeLabels) -> Vec<Label> {
    [("story", story), ("from", from), ("to", to)]
        .into_iter()
        .map(|(key, value)| Label::new(key, value.to_string()))
        .collect()
}

fn publish_edge(edge: &EdgeLabels, figures: &EdgeFigures) {
    let labels = labels(edge);
    counter!(names::ACCEPTED, labels.clone()).absolute(figures.counts.accepted);
    counter!(names::DELIVERED, labels.clone()).absolute(figures.counts.delivered);
    for reason in DropReason::ALL {
        let count = figures.counts.dropped(reason);
        if count > 0 {
            let mut labels = labels.clone();
            labels.push(Label::new("reason", reason.as_str()));
            counter!(names::DROPPED, labels).absolute(count);
        }
    }
    gauge!(names::QUEUE_PACKETS, labels.clone()).set(figures.queued as f64);
    gauge!(names::QUEUE_BYTES, labels.clone()).set(figures.queued_bytes as f64);
    gauge!(names::IN_FLIGHT, labels).set(figures.in_flight as f64);
}

/// Hands over the samples that came since the last time. Each bucket's samples are recorded at
/// their mean, so that bucket counts and the sum are exact.
fn publish_latency(edge: &EdgeLabels, now: &Latency, published: &mut Latency) {
    let histogram = histogram!(names::FORWARD_SECONDS, labels(edge));
    for (new, old) in now.buckets().iter().zip(published.buckets()) {
        let count = new.count.saturating_sub(old.count);
        if count > 0 {
            let mean = (new.sum_nanos - old.sum_nanos) as f64 / count as f64;
            histogram.record_many(mean / 1e9, usize::try_from(count).unwrap_or(usize::MAX));
        }
    }
    *published = now.clone();
}
