//! From the engine's counters to Prometheus text.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::latency::Latency;
use engine::{DropReason, EdgeCounts, Measured, RefuseReason, Snapshot};
use metrics::{Label, counter, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::{Registrations, histogram, names};
use crate::events::Tally;
use crate::ingress::code_name;

/// What the labels of an edge are: story, from, to.
pub(super) type EdgeLabels = (Arc<str>, Arc<str>, Arc<str>);

/// One edge's figures, summed over the runs of its Story (labels never name runs).
#[derive(Clone, Default)]
struct EdgeFigures {
    counts: EdgeCounts,
    queued: u64,
    queued_bytes: u64,
    in_flight: u64,
    /// Whether any run's producer waits.
    paused: bool,
    forward: Latency,
}

/// Keeps the metrics of one hub.
pub(crate) struct Publisher {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    registrations: Arc<Registrations>,
    events: Arc<Tally>,
}

impl Publisher {
    /// A publisher without figures yet.
    pub(crate) fn new(registrations: Arc<Registrations>, events: Arc<Tally>) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            for (name, help) in names::COUNTERS {
                metrics::describe_counter!(name, help);
            }
            for (name, help) in names::GAUGES {
                metrics::describe_gauge!(name, help);
            }
        });
        let handle = recorder.handle();
        Self {
            recorder,
            handle,
            registrations,
            events,
        }
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
            figures.paused |= edge.paused;
            figures.forward.add(&edge.forward);
        }
        metrics::with_local_recorder(&self.recorder, || {
            publish_process(snapshot, &self.registrations);
            for (kind, count) in self.events.counts() {
                counter!(names::EVENTS, "type" => kind).absolute(count);
            }
            for (labels, figures) in &edges {
                publish_edge(labels, figures);
            }
            publish_ignored(snapshot);
        });
        let mut text = self.handle.render();
        let forward = edges.iter().map(|((story, from, to), figures)| {
            let labels = format!("story=\"{story}\",from=\"{from}\",to=\"{to}\"");
            (labels, &figures.forward)
        });
        histogram::render(&mut text, names::FORWARD_SECONDS, forward);
        let steps = measured(snapshot);
        let series = |of: fn(&Measured) -> &Latency| {
            steps.iter().map(move |((story, from), measured)| {
                let labels = format!("story=\"{story}\",from=\"{from}\"");
                (labels, of(measured))
            })
        };
        histogram::render(&mut text, names::EVALUATE_SECONDS, series(|m| &m.evaluate));
        histogram::render(&mut text, names::EVENT_TIME_LAG_SECONDS, series(|m| &m.lag));
        text
    }
}

/// What is measured of packets, by Story and the step that emits them.
fn measured(snapshot: &Snapshot) -> BTreeMap<(Arc<str>, Arc<str>), Measured> {
    let mut steps = BTreeMap::<_, Measured>::new();
    for session in &snapshot.sessions {
        if let Some(measured) = &session.measured {
            let labels = (session.story.clone(), session.step.clone());
            let all = steps.entry(labels).or_default();
            all.evaluate.add(&measured.evaluate);
            all.lag.add(&measured.lag);
        }
    }
    steps
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
    gauge!(names::IN_FLIGHT, labels.clone()).set(figures.in_flight as f64);
    gauge!(names::PAUSED, labels.clone()).set(f64::from(u8::from(figures.paused)));
    if figures.counts.replayed > 0 {
        counter!(names::REPLAYED, labels).absolute(figures.counts.replayed);
    }
}

/// A receipt that is ignored names no edge, so `from` is empty.
fn publish_ignored(snapshot: &Snapshot) {
    let mut ignored: BTreeMap<(EdgeLabels, &str), u64> = BTreeMap::new();
    for session in &snapshot.sessions {
        let edge = (session.story.clone(), Arc::from(""), session.step.clone());
        let (foreign, unknown) = (session.ignored.foreign, session.ignored.unknown);
        *ignored.entry((edge.clone(), "foreign")).or_default() += foreign;
        *ignored.entry((edge, "unknown")).or_default() += unknown;
    }
    for ((edge, reason), count) in ignored.into_iter().filter(|(_, count)| *count > 0) {
        let mut labels = labels(&edge);
        labels.push(Label::new("reason", reason));
        counter!(names::RECEIPTS_IGNORED, labels).absolute(count);
    }
}
