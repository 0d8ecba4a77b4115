//! A configuration as TOML that loads to the same configuration (`hub config print`).

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use toml::Value;

use super::{Config, LogFormat, LogLevel, Subscriber};

impl Config {
    /// Every key with its value in force; keys without a value are left out.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        let mut section = "";
        for (name, value) in self.values() {
            let Some((in_section, key)) = name.split_once('.') else {
                continue;
            };
            if in_section != section {
                section = in_section;
                // Writing to a String never fails.
                let _ = writeln!(out, "[{section}]");
            }
            let _ = writeln!(out, "{key} = {value}");
        }
        out
    }

    /// Every key that has a value, with it.
    pub(super) fn values(&self) -> Vec<(&'static str, Value)> {
        let l = &self.limits;
        let values = [
            ("listen.grpc", Some(text(self.listen.grpc))),
            ("listen.admin", Some(text(self.listen.admin))),
            (
                "listen.insecure",
                Some(Value::Boolean(self.listen.insecure)),
            ),
            ("data.dir", path(&self.data.dir)),
            ("heartbeat.interval", duration(self.heartbeat.interval)),
            ("heartbeat.timeout", duration(self.heartbeat.timeout)),
            ("state.ttl", duration(self.state.ttl)),
            ("drain.deadline", duration(self.drain.deadline)),
            ("refusal.delay_max", duration(self.refusal.delay_max)),
            (
                "runs.auto_create",
                Some(Value::Boolean(self.runs.auto_create)),
            ),
            ("runs.default_ttl", duration(self.runs.default_ttl)),
            ("limits.max_message_bytes", number(l.max_message_bytes)),
            ("limits.max_streams", number(l.max_streams)),
            ("limits.max_connections", number(l.max_connections)),
            (
                "limits.max_connections_per_peer",
                l.max_connections_per_peer.and_then(number),
            ),
            (
                "limits.max_streams_per_peer",
                l.max_streams_per_peer.and_then(number),
            ),
            (
                "limits.control_frames_per_second",
                number(l.control_frames_per_second),
            ),
            ("limits.max_queues", number(l.max_queues)),
            ("limits.max_downstreams", number(l.max_downstreams)),
            (
                "limits.queue_budget_bytes",
                l.queue_budget_bytes.and_then(number),
            ),
            ("limits.output_bytes", number(l.output_bytes)),
            ("limits.buffer_messages", number(l.buffer_messages)),
            ("limits.buffer_bytes", number(l.buffer_bytes)),
            ("recording.dir", path(&self.recording.dir)),
            ("secrets.dir", path(&self.secrets.dir)),
            (
                "events.subscribers",
                Some(subscribers(&self.events.subscribers)),
            ),
            ("dead_letter.path", path(&self.dead_letter.path)),
            ("log.format", self.log.format.map(|f| text(format_word(f)))),
            ("log.level", Some(text(level_word(self.log.level)))),
        ];
        values
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

fn number(value: u64) -> Option<Value> {
    Some(Value::Integer(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn path(value: &Option<PathBuf>) -> Option<Value> {
    value.as_ref().map(|p| text(p.display()))
}

/// In the largest unit that says it exactly, as Go writes durations.
fn duration(value: Duration) -> Option<Value> {
    let nanos = value.as_nanos();
    let units = [
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| nanos.is_multiple_of(*size))?;
    Some(text(format!("{}{unit}", nanos / size)))
}

fn subscribers(list: &[Subscriber]) -> Value {
    let table = |subscriber: &Subscriber| {
        let mut table = toml::Table::new();
        match subscriber {
            Subscriber::Jsonl { path } => {
                table.insert("type".to_owned(), text("jsonl"));
                table.insert("path".to_owned(), text(path.display()));
            }
            Subscriber::Noop => {
                table.insert("type".to_owned(), text("noop"));
            }
        }
        Value::Table(table)
    };
    Value::Array(list.iter().map(table).collect())
}

fn format_word(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Human => "human",
        LogFormat::Json => "json",
    }
}

fn level_word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Off => "off",
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}
