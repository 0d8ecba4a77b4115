//! Keys that are read and checked, and have no effect until what they are for is built.
//!
//! Owns: which these are. Never does: refuse one; who sets it is told.

use super::Config;

/// Their names. What speaks of one says so: `hub.toml`, the JSON schema, and this.
pub const UNBUILT: &[&str] = &[
    "data.dir",
    "runs.auto_create",
    "runs.default_ttl",
    "limits.max_queues",
    "recording.dir",
    "secrets.dir",
    "dead_letter.path",
];

impl Config {
    /// A text for each key that was given another value than its default and has no effect.
    pub fn without_effect(&self) -> Vec<String> {
        let usual = Config::default().values();
        let set = self.values().into_iter();
        let set = set.filter(|value| UNBUILT.contains(&value.0) && !usual.contains(value));
        set.map(|(name, _)| format!("{name} has no effect: what it is for is not built yet"))
            .collect()
    }
}
