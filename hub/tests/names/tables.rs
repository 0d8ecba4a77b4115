//! The names themselves.

/// A source and two sinks; one of the queues holds one packet only.
pub const STORY: &str = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports:
    - { name: t, transportRef: grpc, streaming: { observability: { watermark: { enabled: true } } } }
    - { name: narrow, transportRef: grpc, streaming: { backpressure: { buffer: { maxMessages: 1 } } } }
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
    - { name: a, ref: { name: a }, transport: t, needs: [src] }
    - { name: b, ref: { name: b }, transport: narrow, needs: [src] }
";

/// Key, default as `hub.toml` writes it (`None`: no value), another value that it takes.
pub const KEYS: &[(&str, Option<&str>, &str)] = &[
    ("listen.grpc", Some("127.0.0.1:9000"), "127.0.0.1:0"),
    ("listen.admin", Some("127.0.0.1:9090"), "127.0.0.1:0"),
    ("data.dir", None, "/var/lib/hub"),
    ("heartbeat.interval", Some("10s"), "250ms"),
    ("heartbeat.timeout", Some("30s"), "1m30s"),
    ("state.ttl", Some("10m"), "1h"),
    ("drain.deadline", Some("30s"), "5s"),
    ("refusal.delay_max", Some("2s"), "1s"),
    ("runs.auto_create", Some("false"), "true"),
    ("runs.default_ttl", Some("0s"), "10m"),
    ("limits.max_message_bytes", Some("10MiB"), "1MiB"),
    ("limits.max_streams", Some("2000"), "10000"),
    ("limits.max_connections", Some("16384"), "100"),
    ("limits.max_connections_per_peer", None, "10"),
    ("limits.max_streams_per_peer", None, "10"),
    ("limits.control_frames_per_second", Some("20000"), "1000"),
    ("limits.max_downstreams", Some("64"), "128"),
    ("limits.queue_budget_bytes", None, "1GiB"),
    ("limits.output_bytes", Some("64KiB"), "65536"),
    ("recording.dir", None, "/var/lib/hub/recordings"),
    ("secrets.dir", None, "/run/secrets"),
    (
        "events.subscribers",
        Some("[{ type = \"jsonl\", path = \"hub-events.jsonl\" }]"),
        "[]",
    ),
    ("dead_letter.path", None, "/var/lib/hub/dead.jsonl"),
    ("log.format", None, "json"),
    ("log.level", Some("info"), "debug"),
];

/// Name without its prefix, type, labels.
pub const METRICS: &[(&str, &str, &[&str])] = &[
    (
        "packets_accepted_total",
        "counter",
        &["from", "story", "to"],
    ),
    (
        "packets_delivered_total",
        "counter",
        &["from", "story", "to"],
    ),
    (
        "packets_dropped_total",
        "counter",
        &["from", "reason", "story", "to"],
    ),
    ("packets_refused_total", "counter", &["reason"]),
    ("queue_packets", "gauge", &["from", "story", "to"]),
    ("queue_bytes", "gauge", &["from", "story", "to"]),
    ("in_flight_packets", "gauge", &["from", "story", "to"]),
    ("paused", "gauge", &["from", "story", "to"]),
    ("forward_seconds", "histogram", &["from", "story", "to"]),
    ("evaluate_seconds", "histogram", &["from", "story"]),
    ("event_time_lag_seconds", "histogram", &["from", "story"]),
    ("streams", "gauge", &[]),
    ("runs", "gauge", &[]),
    ("registrations_total", "counter", &["code"]),
    ("heartbeats_total", "counter", &["direction"]),
    ("events_total", "counter", &["type"]),
];

/// Types of events.
pub const EVENTS: &[&str] = &[
    "run.created",
    "run.ready",
    "run.ended",
    "run.degraded",
    "step.connected",
    "step.disconnected",
    "step.superseded",
    "step.duel",
    "step.unknown",
    "story.loaded",
    "story.refused",
    "drop.burst",
    "packet.dead_letter",
    "producer.paused",
    "producer.resumed",
    "hub.started",
    "hub.draining",
];

/// What the API says of a step, and of an edge.
pub const STEP: &str = "id connected generation epoch peer binding";
pub const EDGE: &str = "from to policy accepted delivered dropped queued queuedBytes inFlight paused \
                    culprit";
