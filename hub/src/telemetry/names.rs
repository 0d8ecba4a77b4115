//! The names of all metrics (spec 11). Scripts and dashboards rely on them.

/// Packets that were routed onto an edge.
pub(crate) const ACCEPTED: &str = "hub_packets_accepted_total";
/// Packets handed to the socket, or receipted.
pub(crate) const DELIVERED: &str = "hub_packets_delivered_total";
/// Packets that ended on an edge without delivery.
pub(crate) const DROPPED: &str = "hub_packets_dropped_total";
/// Packets sent again after a reconnect or a late receipt.
pub(crate) const REPLAYED: &str = "hub_packets_replayed_total";
/// Receipts that released nothing.
pub(crate) const RECEIPTS_IGNORED: &str = "hub_receipts_ignored_total";
/// Whether producers wait for a step.
pub(crate) const PAUSED: &str = "hub_paused";
/// Packets dropped whole at the door.
pub(crate) const REFUSED: &str = "hub_packets_refused_total";
/// Packets that wait.
pub(crate) const QUEUE_PACKETS: &str = "hub_queue_packets";
/// Bytes that wait.
pub(crate) const QUEUE_BYTES: &str = "hub_queue_bytes";
/// Packets sent and not yet receipted.
pub(crate) const IN_FLIGHT: &str = "hub_in_flight_packets";
/// Time from the producer's socket to the consumer's.
pub(crate) const FORWARD_SECONDS: &str = "hub_forward_seconds";
/// Time that it takes to decide what becomes of a packet.
pub(crate) const EVALUATE_SECONDS: &str = "hub_evaluate_seconds";
/// Time from the event time of a packet to its arrival.
pub(crate) const EVENT_TIME_LAG_SECONDS: &str = "hub_event_time_lag_seconds";
/// Streams registered now.
pub(crate) const STREAMS: &str = "hub_streams";
/// Runs known now.
pub(crate) const RUNS: &str = "hub_runs";
/// Registrations by gRPC code.
pub(crate) const REGISTRATIONS: &str = "hub_registrations_total";
/// Heartbeats by direction.
pub(crate) const HEARTBEATS: &str = "hub_heartbeats_total";
/// What clients say of their startup capabilities.
pub(crate) const STARTUP_CAPABILITIES: &str = "hub_startup_capabilities_total";
/// Events by type.
pub(crate) const EVENTS: &str = "hub_events_total";

/// Name and help text of each metric.
pub(crate) const COUNTERS: [(&str, &str); 10] = [
    (ACCEPTED, "Packets routed onto an edge."),
    (
        DELIVERED,
        "Packets handed to the socket (best_effort) or receipted (at_least_once).",
    ),
    (
        DROPPED,
        "Packets that ended on an edge without delivery, by reason.",
    ),
    (
        REPLAYED,
        "Packets sent again after a reconnect or a late receipt.",
    ),
    (
        RECEIPTS_IGNORED,
        "Receipts that released nothing, by reason: they name another stream or epoch, or a \
         sequence that was never sent.",
    ),
    (REFUSED, "Packets dropped whole at the door, by reason."),
    (REGISTRATIONS, "Registrations of streams, by gRPC code."),
    (HEARTBEATS, "Heartbeats, by direction."),
    (
        STARTUP_CAPABILITIES,
        "Registrations by what the client says of its startup capabilities.",
    ),
    (EVENTS, "Events that subscribers were told, by type."),
];

/// Name and help text of each gauge.
pub(crate) const GAUGES: [(&str, &str); 6] = [
    (QUEUE_PACKETS, "Packets that wait for a step."),
    (QUEUE_BYTES, "Bytes that wait for a step, on the wire."),
    (IN_FLIGHT, "Packets sent and not yet receipted."),
    (
        PAUSED,
        "1 while the producers of `from` wait for `to` to make room.",
    ),
    (STREAMS, "Streams registered now."),
    (RUNS, "Runs known now."),
];

/// Name and help text of each histogram.
pub(crate) const HISTOGRAMS: [(&str, &str); 3] = [
    (
        FORWARD_SECONDS,
        "Seconds from the producer's socket to the consumer's.",
    ),
    (
        EVALUATE_SECONDS,
        "Seconds that it took to decide what becomes of a packet of a step.",
    ),
    (
        EVENT_TIME_LAG_SECONDS,
        "Seconds from the event time of a packet to its arrival (watermark).",
    ),
];
