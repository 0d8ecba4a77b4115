//! The configuration as its users meet it: sources, precedence, and what a mistake is told.

#![allow(clippy::unwrap_used)] // helpers of tests unwrap like tests

mod defaults;
mod environment;
mod file;
mod together;

use std::fs;
use std::path::{Path, PathBuf};

use hub::config::{Config, ConfigError, Sources};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn from_env(env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&Sources {
        env: env.iter().map(|(name, value)| pair(name, value)).collect(),
        ..Sources::default()
    })
}

fn from_sets(sets: &[&str]) -> Result<Config, ConfigError> {
    Config::load(&Sources {
        sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        ..Sources::default()
    })
}

/// Loads a config file with this text; paths in messages are the bare file name.
fn from_file(text: &[u8]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.toml");
    fs::write(&path, text).unwrap();
    Config::load(&Sources {
        file: Some(path),
        ..Sources::default()
    })
    .map_err(|error| {
        let prefix = format!("{}/", folder.path().display());
        error.to_string().replace(&prefix, "")
    })
}

#[track_caller]
fn refused(result: Result<Config, ConfigError>, texts: &[&str]) {
    let error = result.expect_err("was accepted");
    assert_eq!(error.exit_code(), 64);
    let shown = error.to_string();
    for text in texts {
        assert!(shown.contains(text), "{text:?} is not in {shown:?}");
    }
}
