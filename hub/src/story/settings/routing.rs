//! Where packets go, what meets at a join, and what is seen of them.

use std::time::Duration;

use crate::story::Located;

/// `routing`
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    /// `mode`; p2p is served by the hub.
    pub mode: RoutingMode,
    /// `fanOut`
    pub fan_out: FanOut,
    /// `maxDownstreams`, capped by `limits.max_downstreams`.
    pub max_downstreams: u64,
    /// `rules`
    pub rules: Vec<Rule>,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            mode: RoutingMode::Auto,
            fan_out: FanOut::Sequential,
            max_downstreams: 32,
            rules: Vec::new(),
        }
    }
}

/// `routing.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoutingMode {
    /// The hub chooses: through the hub.
    #[default]
    Auto,
    /// Through the hub.
    Hub,
    /// Asked for peer to peer; served by the hub.
    P2p,
}

/// `routing.fanOut`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanOut {
    /// Targets in declared order.
    #[default]
    Sequential,
    /// Targets in any order.
    Parallel,
}

/// One of `routing.rules`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// `name`
    pub name: Option<String>,
    /// `when`; absent or blank: always.
    pub when: Option<Located>,
    /// `action`
    pub action: RuleAction,
    /// `target.steps` as written (ids or names); empty: all downstream steps.
    pub targets: Vec<String>,
}

/// `routing.rules[].action`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleAction {
    /// Makes the list an allowlist.
    #[default]
    Allow,
    /// Beats allow.
    Deny,
}

/// `fanIn`
#[derive(Clone, Debug, PartialEq)]
pub struct FanIn {
    /// `mode`
    pub mode: FanInMode,
    /// `quorum`; `None` with mode quorum: all.
    pub quorum: Option<u32>,
    /// `timeoutSeconds`; `None`: never.
    pub timeout: Option<Duration>,
    /// `maxEntries`
    pub max_entries: u64,
    /// `onTimeout`
    pub on_timeout: OnTimeout,
}

impl Default for FanIn {
    fn default() -> Self {
        Self {
            mode: FanInMode::All,
            quorum: None,
            timeout: Some(Duration::from_secs(30)),
            max_entries: 1000,
            on_timeout: OnTimeout::Drop,
        }
    }
}

/// `fanIn.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanInMode {
    /// Every upstream.
    #[default]
    All,
    /// The first one.
    Any,
    /// So many.
    Quorum,
}

/// `fanIn.onTimeout`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// Counted and dropped.
    #[default]
    Drop,
    /// Delivered with what there is.
    Partial,
}

/// `partitioning`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partitioning {
    /// `mode`
    pub mode: PartitionMode,
    /// `key`; `None`: the first present of the well-known metadata keys (spec 2.3).
    pub key: Option<String>,
    /// `partitions`; 0: as many as there are hash values.
    pub partitions: u32,
    /// `sticky`: keeps a partition that is already set.
    pub sticky: bool,
}

/// `partitioning.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartitionMode {
    /// No partition.
    #[default]
    None,
    /// The producer's, else the key's value.
    Preserve,
    /// By the key's hash.
    Hash,
}

/// `observability`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observability {
    /// `metrics`
    pub metrics: MetricsSettings,
    /// `tracing`
    pub tracing: Tracing,
    /// `watermark`
    pub watermark: Watermark,
}

/// `observability.metrics`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsSettings {
    /// `enabled`
    pub enabled: bool,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `observability.tracing`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tracing {
    /// `enabled`
    pub enabled: bool,
    /// `sampleRate`, percent.
    pub sample_rate: f64,
    /// `samplePolicy`
    pub sample_policy: SamplePolicy,
}

impl Default for Tracing {
    fn default() -> Self {
        Self {
            enabled: true,
            sample_rate: 100.0,
            sample_policy: SamplePolicy::Rate,
        }
    }
}

/// `observability.tracing.samplePolicy`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SamplePolicy {
    /// By `sampleRate`.
    #[default]
    Rate,
    /// Every packet.
    Always,
    /// None.
    Never,
}

/// `observability.watermark`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watermark {
    /// `enabled`
    pub enabled: bool,
    /// `timestampSource`
    pub timestamp_source: Option<String>,
}

/// `recording`
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// `mode`
    pub mode: RecordingMode,
    /// `sampleRate`, percent.
    pub sample_rate: f64,
    /// `retentionSeconds`; `None`: for ever.
    pub retention: Option<Duration>,
    /// `redactFields`: dotted paths.
    pub redact_fields: Vec<String>,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            mode: RecordingMode::Off,
            sample_rate: 100.0,
            retention: None,
            redact_fields: Vec::new(),
        }
    }
}

/// `recording.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordingMode {
    /// Nothing.
    #[default]
    Off,
    /// Without payload and frame.
    Metadata,
    /// Everything.
    Payload,
}
