//! Where configuration comes from, and which source wins.

use std::path::PathBuf;

use super::{Config, ConfigError};

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

impl Config {
    /// Loads the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] lists every unknown key, value that does not fit, and unreadable file.
    pub fn load(_sources: &Sources) -> Result<Self, ConfigError> {
        Ok(Self::default())
    }
}
