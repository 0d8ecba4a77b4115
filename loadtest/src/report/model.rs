//! Owns the figures of a run: what was observed, and the report that is made of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limit::Limit;
use crate::measure::{HubCounters, Latencies, MachineUse, Percentiles, ProcessUse, SystemName};
use crate::scenario::Scenario;
use crate::verify::{Acknowledged, EdgeOutcome, Example, FaultCounts};

/// What happened between two moments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Time between them.
    pub seconds: f64,
    /// Messages received.
    pub delivered: u64,
    /// Payload bytes of those.
    pub media_bytes: u64,
    /// Messages sent, counted once per consumer they are meant for.
    pub sent: u64,
    /// CPU seconds of the target, where it can be read.
    pub hub_cpu_seconds: Option<f64>,
    /// CPU seconds of the generator.
    pub generator_cpu_seconds: f64,
    /// Part of its time that the busiest generator thread worked, 0 to 1.
    pub busiest_thread: f64,
}

/// What the orchestration of a run saw.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Ended early on request.
    pub interrupted: bool,
    /// What the hub counted during the run.
    pub counters: Option<HubCounters>,
    /// The measured window.
    pub measured: Measured,
    /// The machine at both ends of it.
    pub machine: Option<(MachineUse, MachineUse)>,
    /// The target's process at its end.
    pub hub_at_end: Option<ProcessUse>,
    /// Latencies of messages intended within it.
    pub latencies: Latencies,
    /// Samples over time.
    pub samples: Vec<Sample>,
}

/// What the streams of a run saw.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// What was run.
    pub scenario: Scenario,
    /// Deliveries a second that were asked for; `None` flat out.
    pub offered_per_second: Option<f64>,
    /// Account of every edge.
    pub edges: Vec<EdgeOutcome>,
    /// Faults that consumers saw.
    pub faults: FaultCounts,
    /// Messages of an earlier run.
    pub foreign: u64,
    /// Streams that ended by themselves.
    pub stream_failures: u64,
    /// The first of them, with its reason.
    pub first_stream_failure: Option<String>,
    /// Time to be accepted of every stream opened at the start.
    pub connect_nanos: Vec<u64>,
    /// Time to be back of every stream that was cut or broke.
    pub reconnect_nanos: Vec<u64>,
    /// Attempts that were not accepted, by gRPC code.
    pub refusals: BTreeMap<String, u64>,
    /// Scheduled and never sent.
    pub unsent: u64,
    /// Time that producers waited for the target to take more, added up.
    pub blocked_seconds: f64,
    /// Full windows that were given up.
    pub stalls: u64,
    /// Connections that were cut on purpose.
    pub cuts: u64,
    /// What at_least_once adds; `None` for best_effort.
    pub guarantee: Option<GuaranteeSeen>,
}

/// What the streams of a run saw of at_least_once.
#[derive(Clone, Debug, Default)]
pub struct GuaranteeSeen {
    /// What each producer has heard.
    pub heard: Vec<Acknowledged>,
    /// Packets that producers sent again.
    pub resent: u64,
    /// Packets that came again under their own identity.
    pub redelivered: u64,
    /// Payloads that came again under another identity because the hub was killed.
    pub rerouted: u64,
    /// Receipts that consumers sent.
    pub receipts: u64,
    /// Times that a producer was told to pause.
    pub pauses: u64,
    /// From dialling again to a consumer's first packet.
    pub first_packet_nanos: Vec<u64>,
    /// From dialling again to the first ack that a producer heard.
    pub first_ack_nanos: Vec<u64>,
    /// Producers that had something to send and could not.
    pub held_up_producers: u64,
    /// For how long, added up.
    pub held_up_seconds: f64,
}

/// One moment of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since traffic began.
    pub at_seconds: f64,
    /// Messages sent a second, counted once per consumer they are meant for.
    pub sent_per_second: f64,
    /// Messages received a second.
    pub delivered_per_second: f64,
    /// Payload megabytes received a second.
    pub megabytes_per_second: f64,
    /// Latency since the last sample.
    pub latency_us: Percentiles,
    /// Messages sent and not received yet: in queues and sockets.
    pub under_way: u64,
    /// Duplicated, reordered, corrupted and misrouted messages so far.
    pub faults: u64,
    /// CPUs that the target used, where it can be read.
    pub hub_cpu: Option<f64>,
    /// Resident bytes of the target, where they can be read.
    pub hub_rss_bytes: Option<u64>,
    /// CPUs that the generator used.
    pub generator_cpu: f64,
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `loadtest/1`.
    pub format: String,
    /// What was run.
    pub scenario: Scenario,
    /// What it was run against.
    pub target: TargetReport,
    /// What machine the generator ran on.
    pub machine: SystemName,
    /// Ended early on request.
    pub interrupted: bool,
    /// How much.
    pub throughput: Throughput,
    /// `intended_send` (open loop) or `send` (flat out): what latency counts from.
    pub latency_from: String,
    /// How late, in microseconds.
    pub latency_us: Percentiles,
    /// Latency at rising quantiles, for plots: (quantile, microseconds).
    pub latency_curve: Vec<(f64, f64)>,
    /// What was wrong.
    pub faults: BTreeMap<String, FaultReport>,
    /// Missing messages that the hub counted as dropped by policy.
    pub dropped: u64,
    /// The hub's drops by reason; `null` when it could not be asked.
    pub hub_drops: Option<BTreeMap<String, u64>>,
    /// Packets the hub refused at its door, by reason.
    pub hub_refused: Option<BTreeMap<String, u64>>,
    /// Missing messages of connections that were cut on purpose.
    pub lost_with_connection: u64,
    /// How often the hub was killed on purpose.
    pub hub_kills: u64,
    /// Messages of an earlier run that were still queued.
    pub foreign: u64,
    /// Streams that ended by themselves.
    pub stream_failures: u64,
    /// Cost of the hub; `null` when its process cannot be read.
    pub hub: Option<HubReport>,
    /// Cost and punctuality of the generator.
    pub generator: GeneratorReport,
    /// How streams were accepted.
    pub connect: ConnectReport,
    /// What at_least_once cost and held; `null` for best_effort.
    #[serde(default)]
    pub at_least_once: Option<GuaranteeReport>,
    /// Samples over time.
    pub timeline: Vec<Sample>,
    /// Who was the limit.
    pub limit: Limit,
    /// Whether it passed.
    pub verdict: Verdict,
}

/// What a run was run against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetReport {
    /// Where it listened.
    pub address: String,
    /// Whether this run started it.
    pub own_hub: bool,
    /// Its process, where it is on this machine and known.
    pub pid: Option<u32>,
}

/// How much was sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Length of the measured window.
    pub measured_seconds: f64,
    /// Deliveries a second asked for; `null` flat out.
    pub offered_per_second: Option<f64>,
    /// Messages sent a second, counted once per consumer they are meant for.
    pub sent_per_second: f64,
    /// Messages received a second.
    pub delivered_per_second: f64,
    /// Payload megabytes received a second.
    pub megabytes_per_second: f64,
    /// Messages sent in the whole run, counted once per consumer.
    pub sent: u64,
    /// Different messages received in the whole run.
    pub delivered: u64,
    /// Scheduled messages that were never sent.
    pub unsent: u64,
}

/// One fault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultReport {
    /// How often.
    pub count: u64,
    /// The first one.
    pub first: Option<Example>,
}

/// Cost of the hub in the measured window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HubReport {
    /// CPU seconds, user and system.
    pub cpu_seconds: f64,
    /// CPUs in use, on average.
    pub cpus: f64,
    /// CPU microseconds per message received.
    pub cpu_us_per_message: f64,
    /// Most resident bytes so far.
    pub max_rss_bytes: u64,
}

/// Cost and punctuality of the generator in the measured window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorReport {
    /// CPU seconds, user and system.
    pub cpu_seconds: f64,
    /// CPU microseconds per message received.
    pub cpu_us_per_message: f64,
    /// Part of its time that the busiest thread worked, 0 to 1.
    pub busiest_thread: f64,
    /// How late messages were sent though the hub took everything, in microseconds.
    pub send_lag_us: Percentiles,
    /// Seconds that producers waited for the hub to take more, added up.
    pub blocked_seconds: f64,
    /// Full windows without progress for two seconds.
    pub stalls: u64,
}

/// How streams were accepted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConnectReport {
    /// Streams accepted before the traffic.
    pub opened: u64,
    /// From dialling to acceptance, in microseconds.
    pub latency_us: Percentiles,
    /// Connections cut on purpose.
    #[serde(default)]
    pub cuts: u64,
    /// Streams accepted again after a cut.
    pub reopened: u64,
    /// From the cut to acceptance, refused attempts included, in microseconds.
    pub reopen_latency_us: Percentiles,
    /// Attempts that were not accepted, by gRPC code or `unreachable`.
    pub refused: BTreeMap<String, u64>,
}

/// What at_least_once cost and held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GuaranteeReport {
    /// Messages that their producers heard to be settled, each counted once.
    pub acknowledged: u64,
    /// Messages that they never heard of.
    pub unacknowledged: u64,
    /// From intended send (open loop) or send (flat out) to the ack, in microseconds.
    pub ack_us: Percentiles,
    /// Receipts that consumers sent.
    pub receipts: u64,
    /// Packets that producers sent again after a reconnect.
    pub resent: u64,
    /// Packets that came again under their own identity.
    pub redelivered: u64,
    /// Payloads that came again under another identity because the hub was killed.
    pub rerouted: u64,
    /// From dialling again to a consumer's first packet, in microseconds.
    pub first_packet_us: Percentiles,
    /// From dialling again to the first ack that a producer heard, in microseconds.
    pub first_ack_us: Percentiles,
    /// Producers that had something to send and could not: the hub took nothing, had told them to
    /// pause, or had not settled enough of their window.
    pub held_up_producers: u64,
    /// For how long, added up, in seconds.
    pub held_up_seconds: f64,
    /// How late messages were sent for that reason (open loop), in microseconds.
    pub held_up_us: Percentiles,
    /// Times that a producer was told to pause (`--accept-pause`).
    pub pauses: u64,
}

/// Whether a run passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Nothing was wrong.
    pub passed: bool,
    /// What was.
    pub reasons: Vec<String>,
}
