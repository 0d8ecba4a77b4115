//! The shape of the configuration and its defaults; a test keeps `hub.toml` equal to them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ConfigError, ConfigProblem};

/// Everything a hub process can be told (spec 11). Cheap to clone, never changes once loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Where the hub listens.
    pub listen: Listen,
    /// Where durable state lives.
    pub data: Data,
    /// Liveness of connections (spec 2.6).
    pub heartbeat: Heartbeat,
    /// How long the state of an absent step is kept (spec 2.2).
    pub state: State,
    /// Ending the process (spec 2.7).
    pub drain: Drain,
    /// Refused registrations (spec 2.2).
    pub refusal: Refusal,
    /// Runs made on demand (spec 2.1).
    pub runs: RunDefaults,
    /// Process-wide limits (spec 2.8).
    pub limits: Limits,
    /// Recordings of packets.
    pub recording: Recording,
    /// Secrets of Stories in files.
    pub secrets: Secrets,
    /// Who hears of events.
    pub events: Events,
    /// Where packets go that no step could take.
    pub dead_letter: DeadLetter,
    /// The process's own log.
    pub log: Log,
}

impl Config {
    /// Refuses addresses other than loopback unless `listen.insecure` is set: the hub serves
    /// plain text. Whoever opens the listeners calls this first.
    ///
    /// # Errors
    /// [`ConfigError`] names every exposed address.
    pub fn check_exposure(&self) -> Result<(), ConfigError> {
        let exposed = [
            ("listen.grpc", self.listen.grpc),
            ("listen.admin", self.listen.admin),
        ];
        let problems: Vec<ConfigProblem> = exposed
            .into_iter()
            .filter(|(_, address)| !self.listen.insecure && !address.ip().is_loopback())
            .map(|(key, address)| ConfigProblem {
                origin: "configuration".to_owned(),
                key: key.to_owned(),
                text: format!(
                    "{address} is reachable from other machines and would be served in plain \
                     text; use a loopback address such as 127.0.0.1:{port}, or say --insecure",
                    port = address.port()
                ),
            })
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError { problems })
        }
    }
}

/// `[listen]`
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// gRPC: Process, health, reflection. Port 0 takes a free one.
    pub grpc: SocketAddr,
    /// Admin HTTP. Port 0 takes a free one.
    pub admin: SocketAddr,
    /// Allows addresses other than loopback without TLS.
    pub insecure: bool,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            grpc: SocketAddr::from((Ipv4Addr::LOCALHOST, 9000)),
            admin: SocketAddr::from((Ipv4Addr::LOCALHOST, 9090)),
            insecure: false,
        }
    }
}

/// `[data]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    /// Folder of the durable state; without it, `replay.mode: durable` is not available.
    pub dir: Option<PathBuf>,
}

/// `[heartbeat]` (spec 2.6)
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// Pause between heartbeats that the hub sends to every connected stream.
    pub interval: Duration,
    /// Silence after which a connection is closed.
    pub timeout: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
        }
    }
}

/// `[state]`
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// How long the state of a step with nobody connected is kept.
    pub ttl: Duration,
}

impl Default for State {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(600),
        }
    }
}

/// `[drain]`
#[derive(Clone, Debug, PartialEq)]
pub struct Drain {
    /// The longest a drain may take after SIGTERM.
    pub deadline: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
        }
    }
}

/// `[refusal]`
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The longest delay before a refused registration is answered.
    pub delay_max: Duration,
}

impl Default for Refusal {
    fn default() -> Self {
        Self {
            delay_max: Duration::from_secs(2),
        }
    }
}

/// `[runs]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunDefaults {
    /// Whether a registration for an unknown run of a known Story creates that run.
    pub auto_create: bool,
    /// How long after its last engram left a run on demand ends; zero means never.
    pub default_ttl: Duration,
}

/// `[limits]` (spec 2.8)
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Largest encoded message, in bytes, each way.
    pub max_message_bytes: u64,
    /// Most streams connected at once.
    pub max_streams: u64,
    /// Most gRPC connections at once.
    pub max_connections: u64,
    /// Most gRPC connections from one IP address; `None`: as many as there may be.
    pub max_connections_per_peer: Option<u64>,
    /// Most streams from one IP address; `None`: as many as there may be.
    pub max_streams_per_peer: Option<u64>,
    /// Most HTTP/2 frames without data that one connection may send in a second.
    pub control_frames_per_second: u64,
    /// Most downstream queues at once.
    pub max_queues: u64,
    /// Upper bound of every Story's `routing.maxDownstreams`.
    pub max_downstreams: u64,
    /// Bytes that all queues together may hold; `None` is a quarter of the memory limit.
    pub queue_budget_bytes: Option<u64>,
    /// Largest output of one template, in bytes.
    pub output_bytes: u64,
    /// `backpressure.buffer.maxMessages` of Stories that do not say.
    pub buffer_messages: u64,
    /// `backpressure.buffer.maxBytes` of Stories that do not say.
    pub buffer_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 10 << 20,
            max_streams: 2000,
            max_connections: 16_384,
            max_connections_per_peer: None,
            max_streams_per_peer: None,
            control_frames_per_second: 20_000,
            max_queues: 2000,
            max_downstreams: 64,
            queue_budget_bytes: None,
            output_bytes: 64 << 10,
            buffer_messages: 1000,
            buffer_bytes: 10 << 20,
        }
    }
}

impl Limits {
    /// Bytes that all queues together may hold: the key, else a quarter of `memory` (bytes).
    pub fn queue_budget(&self, memory: u64) -> u64 {
        self.queue_budget_bytes.unwrap_or(memory / 4)
    }
}

/// `[recording]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Folder of recordings; without it, recordings stay off.
    pub dir: Option<PathBuf>,
}

/// `[secrets]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Secrets {
    /// Folder with one sub-folder per secret.
    pub dir: Option<PathBuf>,
}

/// `[events]`
#[derive(Clone, Debug, PartialEq)]
pub struct Events {
    /// Who hears of events, in order; an explicit empty list means nobody.
    pub subscribers: Vec<Subscriber>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            subscribers: vec![Subscriber::Jsonl {
                path: PathBuf::from("hub-events.jsonl"),
            }],
        }
    }
}

impl Events {
    /// Makes relative paths relative to `folder`.
    pub(super) fn settle_against(&mut self, folder: &Path) {
        for subscriber in &mut self.subscribers {
            if let Subscriber::Jsonl { path } = subscriber
                && path.is_relative()
            {
                *path = folder.join(&*path);
            }
        }
    }
}

/// One entry of `[[events.subscribers]]` (spec 10 'Events').
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscriber {
    /// Appends one JSON line per event.
    Jsonl {
        /// The file; a relative path in a config file is relative to that file.
        path: PathBuf,
    },
    /// Takes events and does nothing with them.
    Noop,
}

/// `[dead_letter]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeadLetter {
    /// File that dead-lettered packets are appended to; without it, an event without payload.
    pub path: Option<PathBuf>,
}

/// `[log]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// `None`: human on a terminal, else JSON.
    pub format: Option<LogFormat>,
    /// The least severe level that is written.
    pub level: LogLevel,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Severity of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing at all.
    Off,
    /// Somebody must act.
    Error,
    /// Somebody should act.
    Warn,
    /// The life of the process and its runs.
    #[default]
    Info,
    /// Single connections.
    Debug,
    /// Single packets.
    Trace,
}
