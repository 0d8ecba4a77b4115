//! The table of configuration keys (spec 11 'Configuration'): one line a key. Everything that
//! speaks of keys reads it: the loader, `hub.toml`'s test, the JSON schema.
//!
//! Owns: names, defaults as text, ranges, and how a value gets into [`Config`].

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::value::{Refused, Value, address, boolean, bytes, count, duration, path, word};
use super::{Config, LogFormat, LogLevel, subscribers};

/// What a key takes; says what the JSON schema says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `IP:PORT`
    Address,
    /// Go style duration.
    Duration,
    /// Bytes, or `KiB/MiB/GiB`.
    Bytes,
    /// A whole number.
    Count,
    /// `true` or `false`.
    Boolean,
    /// A path; empty takes the value away.
    Path,
    /// One of these words; empty means the default.
    Word(&'static [&'static str]),
    /// A list of tables.
    Subscribers,
}

/// Takes a value into a configuration; the folder is that of the config file, if it came from one.
type Setter = fn(&mut Config, &Value, Option<&Path>) -> Result<(), Refused>;

/// One key of the configuration.
pub struct Key {
    /// `section.key`
    pub name: &'static str,
    /// The default as `hub.toml` writes it; `None`: no value.
    pub default: Option<&'static str>,
    /// What it takes.
    pub kind: Kind,
    /// What it is for, one sentence.
    pub about: &'static str,
    pub(super) set: Setter,
}

/// The key of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
const FROM_ZERO: RangeInclusive<Duration> = Duration::ZERO..=YEAR;
const FROM_ONE_MS: RangeInclusive<Duration> = Duration::from_millis(1)..=YEAR;
const MANY: RangeInclusive<u64> = 1..=1_000_000;
const MIB: u64 = 1 << 20;

/// Every key, in the order of `hub.toml`.
pub const KEYS: &[Key] = &[
    Key {
        name: "listen.grpc",
        default: Some("\"127.0.0.1:9000\""),
        kind: Kind::Address,
        about: "gRPC: Process, health, reflection; port 0 takes a free one.",
        set: |c, v, _| put(&mut c.listen.grpc, address(v)),
    },
    Key {
        name: "listen.admin",
        default: Some("\"127.0.0.1:9090\""),
        kind: Kind::Address,
        about: "Admin HTTP; port 0 takes a free one.",
        set: |c, v, _| put(&mut c.listen.admin, address(v)),
    },
    Key {
        name: "listen.insecure",
        default: Some("false"),
        kind: Kind::Boolean,
        about: "Serve plain text on addresses other than loopback.",
        set: |c, v, _| put(&mut c.listen.insecure, boolean(v)),
    },
    Key {
        name: "data.dir",
        default: None,
        kind: Kind::Path,
        about: "Folder of the durable state. Not built yet: no effect.",
        set: |c, v, _| put(&mut c.data.dir, path(v)),
    },
    Key {
        name: "heartbeat.interval",
        default: Some("\"10s\""),
        kind: Kind::Duration,
        about: "Pause between the heartbeats that the hub sends.",
        set: |c, v, _| put(&mut c.heartbeat.interval, duration(v, FROM_ONE_MS)),
    },
    Key {
        name: "heartbeat.timeout",
        default: Some("\"30s\""),
        kind: Kind::Duration,
        about: "Silence after which a connection is closed.",
        set: |c, v, _| put(&mut c.heartbeat.timeout, duration(v, FROM_ONE_MS)),
    },
    Key {
        name: "state.ttl",
        default: Some("\"10m\""),
        kind: Kind::Duration,
        about: "How long the state of a step with nobody connected is kept.",
        set: |c, v, _| put(&mut c.state.ttl, duration(v, FROM_ZERO)),
    },
    Key {
        name: "drain.deadline",
        default: Some("\"30s\""),
        kind: Kind::Duration,
        about: "The longest a drain may take after SIGTERM.",
        set: |c, v, _| put(&mut c.drain.deadline, duration(v, FROM_ZERO)),
    },
    Key {
        name: "refusal.delay_max",
        default: Some("\"2s\""),
        kind: Kind::Duration,
        about: "The longest delay before a refused registration is answered.",
        set: |c, v, _| put(&mut c.refusal.delay_max, duration(v, FROM_ZERO)),
    },
    Key {
        name: "runs.auto_create",
        default: Some("false"),
        kind: Kind::Boolean,
        about: "Whether registering for an unknown run of a known Story creates it. Not built yet: no effect.",
        set: |c, v, _| put(&mut c.runs.auto_create, boolean(v)),
    },
    Key {
        name: "runs.default_ttl",
        default: Some("\"0s\""),
        kind: Kind::Duration,
        about: "How long after its last engram left a run on demand ends; 0s: never. Not built yet: no effect.",
        set: |c, v, _| put(&mut c.runs.default_ttl, duration(v, FROM_ZERO)),
    },
    Key {
        name: "limits.max_message_bytes",
        default: Some("\"10MiB\""),
        kind: Kind::Bytes,
        about: "Largest encoded message, each way.",
        set: |c, v, _| put(&mut c.limits.max_message_bytes, bytes(v, 1024..=256 * MIB)),
    },
    Key {
        name: "limits.max_streams",
        default: Some("2000"),
        kind: Kind::Count,
        about: "Most streams connected at once.",
        set: |c, v, _| put(&mut c.limits.max_streams, count(v, MANY)),
    },
    Key {
        name: "limits.max_connections",
        default: Some("16384"),
        kind: Kind::Count,
        about: "Most gRPC connections at once; one more is closed at once.",
        set: |c, v, _| put(&mut c.limits.max_connections, count(v, MANY)),
    },
    Key {
        name: "limits.max_connections_per_peer",
        default: None,
        kind: Kind::Count,
        about: "Most of them from one IP address; limits.max_connections if not set.",
        set: |c, v, _| put(&mut c.limits.max_connections_per_peer, unless_empty(v)),
    },
    Key {
        name: "limits.max_streams_per_peer",
        default: None,
        kind: Kind::Count,
        about: "Most streams from one IP address; limits.max_streams if not set.",
        set: |c, v, _| put(&mut c.limits.max_streams_per_peer, unless_empty(v)),
    },
    Key {
        name: "limits.control_frames_per_second",
        default: Some("20000"),
        kind: Kind::Count,
        about: "Most HTTP/2 frames without data that one connection may send in a second.",
        set: |c, v, _| {
            put(
                &mut c.limits.control_frames_per_second,
                count(v, 100..=100_000_000),
            )
        },
    },
    Key {
        name: "limits.max_queues",
        default: Some("2000"),
        kind: Kind::Count,
        about: "Most downstream queues at once. Not built yet: no effect.",
        set: |c, v, _| put(&mut c.limits.max_queues, count(v, MANY)),
    },
    Key {
        name: "limits.max_downstreams",
        default: Some("64"),
        kind: Kind::Count,
        about: "Upper bound of every Story's routing.maxDownstreams.",
        set: |c, v, _| put(&mut c.limits.max_downstreams, count(v, 1..=1024)),
    },
    Key {
        name: "limits.queue_budget_bytes",
        default: None,
        kind: Kind::Bytes,
        about: "Bytes that all queues together may hold; a quarter of the memory limit if not set.",
        set: |c, v, _| {
            let unset = matches!(v, Value::Text(text) if text.is_empty());
            let budget = if unset {
                Ok(None)
            } else {
                bytes(v, MIB..=u64::MAX).map(Some)
            };
            put(&mut c.limits.queue_budget_bytes, budget)
        },
    },
    Key {
        name: "limits.output_bytes",
        default: Some("\"64KiB\""),
        kind: Kind::Bytes,
        about: "Largest output of one template.",
        set: |c, v, _| put(&mut c.limits.output_bytes, bytes(v, 1..=16 * MIB)),
    },
    Key {
        name: "limits.buffer_messages",
        default: Some("1000"),
        kind: Kind::Count,
        about: "backpressure.buffer.maxMessages of Stories that do not say.",
        set: |c, v, _| put(&mut c.limits.buffer_messages, count(v, MANY)),
    },
    Key {
        name: "limits.buffer_bytes",
        default: Some("\"10MiB\""),
        kind: Kind::Bytes,
        about: "backpressure.buffer.maxBytes of Stories that do not say.",
        set: |c, v, _| put(&mut c.limits.buffer_bytes, bytes(v, 1..=u64::MAX)),
    },
    Key {
        name: "recording.dir",
        default: None,
        kind: Kind::Path,
        about: "Folder of recordings; without it they stay off. Not built yet: no effect.",
        set: |c, v, _| put(&mut c.recording.dir, path(v)),
    },
    Key {
        name: "secrets.dir",
        default: None,
        kind: Kind::Path,
        about: "Folder with one sub-folder per secret. Not built yet: no effect.",
        set: |c, v, _| put(&mut c.secrets.dir, path(v)),
    },
    Key {
        name: "events.subscribers",
        default: Some("[{ type = \"jsonl\", path = \"hub-events.jsonl\" }]"),
        kind: Kind::Subscribers,
        about: "Who hears of events, in order; an empty list: nobody.",
        set: |c, v, folder| put(&mut c.events.subscribers, subscribers::read(v, folder)),
    },
    Key {
        name: "dead_letter.path",
        default: None,
        kind: Kind::Path,
        about: "File of dead-lettered packets; without it, an event without payload. Not built yet: no effect.",
        set: |c, v, _| put(&mut c.dead_letter.path, path(v)),
    },
    Key {
        name: "log.format",
        default: None,
        kind: Kind::Word(&["human", "json"]),
        about: "How log lines look; human on a terminal, else json, if not set.",
        set: |c, v, _| {
            let words = [
                ("", None),
                ("human", Some(LogFormat::Human)),
                ("json", Some(LogFormat::Json)),
            ];
            put(&mut c.log.format, word(v, &words))
        },
    },
    Key {
        name: "log.level",
        default: Some("\"info\""),
        kind: Kind::Word(&["off", "error", "warn", "info", "debug", "trace"]),
        about: "The least severe level that is written.",
        set: |c, v, _| {
            let words = [
                ("off", LogLevel::Off),
                ("error", LogLevel::Error),
                ("warn", LogLevel::Warn),
                ("info", LogLevel::Info),
                ("debug", LogLevel::Debug),
                ("trace", LogLevel::Trace),
            ];
            put(&mut c.log.level, word(v, &words))
        },
    },
];

/// A count, or nothing where nothing is written.
fn unless_empty(value: &Value) -> Result<Option<u64>, Refused> {
    if matches!(value, Value::Text(text) if text.is_empty()) {
        return Ok(None);
    }
    count(value, MANY).map(Some)
}

fn put<T>(slot: &mut T, value: Result<T, Refused>) -> Result<(), Refused> {
    *slot = value?;
    Ok(())
}
