//! Environment and command line to entries, and entries onto a [`Config`].

use std::path::Path;

use toml::de::DeValue;

use super::file;
use super::keys::{self, Key, Kind};
use super::value::Value;
use super::{Config, ConfigProblem, FlagOverride};

/// One key with a value, and where it was said.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// `section.key`, known or not.
    pub(super) key: String,
    pub(super) value: Value,
    /// `FILE:LINE`, an environment variable, or a flag.
    pub(super) origin: String,
}

impl Entry {
    fn problem(&self, text: String) -> ConfigProblem {
        ConfigProblem {
            origin: self.origin.clone(),
            key: self.key.clone(),
            text,
        }
    }
}

/// Names of the incumbent's environment (spec 2.8) and the keys that they stand for.
const ALIASES: &[(&str, &str)] = &[
    ("BUBU_HUB_BUFFER_MAX_MESSAGES", "limits.buffer_messages"),
    ("BUBU_HUB_BUFFER_MAX_BYTES", "limits.buffer_bytes"),
    ("BUBU_HUB_MAX_ACTIVE_STREAMS", "limits.max_streams"),
    ("BUBU_HUB_MAX_BUFFERS", "limits.max_queues"),
    ("BUBU_HUB_MAX_DOWNSTREAMS", "limits.max_downstreams"),
    ("BUBU_GRPC_MAX_RECV_BYTES", "limits.max_message_bytes"),
    ("BUBU_GRPC_MAX_SEND_BYTES", "limits.max_message_bytes"),
    ("BUBU_GRPC_HEARTBEAT_INTERVAL", "heartbeat.interval"),
];

/// The incumbent's names for TLS, which must never be ignored: the hub would serve plain text.
const TLS_NAMES: &[&str] = &[
    "BUBU_HUB_TLS_CERT_FILE",
    "BUBU_HUB_TLS_KEY_FILE",
    "BUBU_HUB_CA_FILE",
];

/// The incumbent's names, where set; an empty value counts as not set. Where the two message
/// sizes differ, the smaller one holds both ways.
pub(super) fn aliases(env: &[(String, String)], problems: &mut Vec<ConfigProblem>) -> Vec<Entry> {
    let set = |wanted: &str| {
        env.iter()
            .find(|(name, value)| name == wanted && !value.trim().is_empty())
            .map(|(_, value)| value.trim())
    };
    for name in TLS_NAMES.iter().filter(|name| set(name).is_some()) {
        problems.push(ConfigProblem {
            origin: (*name).to_owned(),
            key: String::new(),
            text: "TLS listeners are not built yet; unset it and keep to loopback, or put a \
                   proxy with TLS in front"
                .to_owned(),
        });
    }
    let mut entries: Vec<Entry> = ALIASES
        .iter()
        .filter_map(|(name, key)| {
            Some(Entry {
                key: (*key).to_owned(),
                value: Value::Text(set(name)?.to_owned()),
                origin: (*name).to_owned(),
            })
        })
        .collect();
    let size = |entry: &Entry| match &entry.value {
        Value::Text(text) if entry.key == "limits.max_message_bytes" => text.parse::<u64>().ok(),
        _ => None,
    };
    // The last one set wins, so the smaller one goes last.
    entries.sort_by_key(|entry| std::cmp::Reverse(size(entry)));
    entries
}

/// `HUB__SECTION__KEY` of the environment, in order of the names.
pub(super) fn environment(env: &[(String, String)]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = env
        .iter()
        .filter_map(|(name, value)| {
            let key = name.strip_prefix("HUB__")?;
            let key = key.to_ascii_lowercase().replace("__", ".");
            Some(Entry {
                value: from_text(&key, value),
                key,
                origin: name.clone(),
            })
        })
        .collect();
    entries.sort_by(|a, b| a.origin.cmp(&b.origin));
    entries
}

/// `--set section.key=value`.
pub(super) fn sets(sets: &[String], problems: &mut Vec<ConfigProblem>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for set in sets {
        match set.split_once('=') {
            Some((key, value)) => entries.push(Entry {
                key: key.trim().to_owned(),
                value: from_text(key.trim(), value.trim()),
                origin: "--set".to_owned(),
            }),
            None => problems.push(ConfigProblem {
                origin: "--set".to_owned(),
                key: String::new(),
                text: format!("{set:?} has no '='; write --set section.key=value"),
            }),
        }
    }
    entries
}

/// Flags that stand for a key.
pub(super) fn flags(flags: &[FlagOverride]) -> Vec<Entry> {
    flags
        .iter()
        .map(|flag| Entry {
            key: flag.key.to_owned(),
            value: from_text(flag.key, &flag.value),
            origin: flag.flag.to_owned(),
        })
        .collect()
}

/// Text as it is; for a list, the TOML value that the text writes.
fn from_text(key: &str, text: &str) -> Value {
    let list = keys::find(key).is_some_and(|key| key.kind == Kind::Subscribers);
    match list.then(|| DeValue::parse(text)) {
        Some(Ok(value)) => file::plain(value.get_ref()),
        _ => Value::Text(text.to_owned()),
    }
}

/// Sets the entry's key, or says why not.
pub(super) fn apply(
    config: &mut Config,
    entry: &Entry,
    folder: Option<&Path>,
) -> Result<(), ConfigProblem> {
    match keys::find(&entry.key) {
        Some(Key { set, .. }) => {
            set(config, &entry.value, folder).map_err(|text| entry.problem(text))
        }
        None if entry.key == "listeners" || entry.key.starts_with("listeners.") => Err(entry
            .problem(
                "more listeners and TLS are not built yet; use listen.grpc and listen.admin"
                    .to_owned(),
            )),
        None => Err(entry.problem(unknown(&entry.key))),
    }
}

/// What to say of a key that does not exist, with the nearest one that does.
fn unknown(key: &str) -> String {
    let section = key.split('.').next().unwrap_or_default();
    let in_section = keys_in(section);
    if let Some(near) = nearest(key) {
        format!("no such key; did you mean {near}?")
    } else if in_section.is_empty() {
        let mut sections: Vec<&str> = keys::KEYS
            .iter()
            .filter_map(|key| key.name.split('.').next())
            .collect();
        sections.dedup();
        format!("no such section; there are {}", sections.join(", "))
    } else {
        format!("no such key; [{section}] has {}", in_section.join(", "))
    }
}

fn keys_in(section: &str) -> Vec<&'static str> {
    keys::KEYS
        .iter()
        .filter_map(|key| key.name.split_once('.'))
        .filter(|(known, _)| *known == section)
        .map(|(_, name)| name)
        .collect()
}

/// Within a section that there is, its name says nothing about how near two keys are.
fn nearest(key: &str) -> Option<&'static str> {
    let likeness = |known: &'static str| match (key.split_once('.'), known.split_once('.')) {
        (Some((section, name)), Some((same, other))) if section == same => {
            strsim::jaro_winkler(name, other)
        }
        _ => strsim::jaro_winkler(key, known),
    };
    keys::KEYS
        .iter()
        .map(|known| (likeness(known.name), known.name))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
