//! Where configuration comes from, and which source wins:
//! defaults < `hub.toml` < the incumbent's environment names < `HUB__...` < `--set` < other flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::layers::{self, Entry};
use super::{Config, ConfigError, ConfigProblem, file};

/// What a configuration is made from; each later field overrides the earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `hub.toml`, if one is to be read; it must exist.
    pub file: Option<PathBuf>,
    /// Environment variables; only `HUB__...` and the incumbent's names are looked at.
    pub env: Vec<(String, String)>,
    /// `--set section.key=value`, in order of the command line.
    pub sets: Vec<String>,
    /// Other flags that stand for a key, in order of the command line.
    pub flags: Vec<FlagOverride>,
}

/// A flag that stands for a key, such as `--listen` for `listen.grpc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagOverride {
    /// The flag as it is written, for messages: `--listen`.
    pub flag: &'static str,
    /// The key that it sets: `listen.grpc`.
    pub key: &'static str,
    /// The text that it was given.
    pub value: String,
}

impl Sources {
    /// The environment of this process, without variables that are no text; no other source.
    pub fn of_process() -> Self {
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            env,
            ..Self::default()
        }
    }
}

impl Config {
    /// Loads the configuration. Addresses are not checked for exposure
    /// ([`Config::check_exposure`]).
    ///
    /// # Errors
    /// [`ConfigError`] lists every unknown key, value that does not fit, and unreadable file.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        // Files of events are relative to the config file, whoever names them (spec 10).
        let folder = sources.file.as_deref().and_then(Path::parent);
        if let Some(folder) = folder {
            config.events.settle_against(folder);
        }
        let mut problems = Vec::new();
        let mut origins = BTreeMap::new();
        let mut take = |entries: Vec<Entry>, problems: &mut Vec<_>| {
            for entry in entries {
                match layers::apply(&mut config, &entry, folder) {
                    Ok(()) => drop(origins.insert(entry.key, entry.origin)),
                    Err(problem) => problems.push(problem),
                }
            }
        };
        if let Some(path) = &sources.file {
            let entries = file::read(path, &mut problems);
            take(entries, &mut problems);
        }
        let entries = layers::aliases(&sources.env, &mut problems);
        take(entries, &mut problems);
        take(layers::environment(&sources.env), &mut problems);
        let entries = layers::sets(&sources.sets, &mut problems);
        take(entries, &mut problems);
        take(layers::flags(&sources.flags), &mut problems);
        if problems.is_empty() {
            problems.extend(contradiction(&config, &origins));
        }
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError { problems })
        }
    }
}

/// Values that fit alone but not together.
fn contradiction(config: &Config, origins: &BTreeMap<String, String>) -> Option<ConfigProblem> {
    let (interval, timeout) = (config.heartbeat.interval, config.heartbeat.timeout);
    if timeout > interval {
        return None;
    }
    let (key, origin) = ["heartbeat.timeout", "heartbeat.interval"]
        .into_iter()
        .find_map(|key| Some((key, origins.get(key)?)))?;
    Some(ConfigProblem {
        origin: origin.clone(),
        key: key.to_owned(),
        text: format!(
            "heartbeat.timeout ({timeout:?}) must be longer than heartbeat.interval \
             ({interval:?}), or every connection is closed"
        ),
    })
}
