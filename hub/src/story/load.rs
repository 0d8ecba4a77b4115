//! Files and folders to a [`Snapshot`].

use std::path::PathBuf;
use std::sync::Arc;

use super::{Note, Problems, Snapshot, Warning};

/// What the process's configuration says about loading.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Whether `[recording] dir` is set; without it, a recording is a warning and stays off.
    pub recording_dir: bool,
    /// `backpressure.buffer.maxMessages` where no level says otherwise.
    pub buffer_messages: u64,
    /// `backpressure.buffer.maxBytes` where no level says otherwise, in bytes.
    pub buffer_bytes: u64,
    /// Cap of `routing.maxDownstreams`.
    pub max_downstreams: u64,
}

impl LoadOptions {
    /// The options that follow from a configuration.
    pub fn from_config(config: &crate::config::Config) -> Self {
        Self {
            recording_dir: config.recording.dir.is_some(),
            buffer_messages: config.limits.buffer_messages,
            buffer_bytes: config.limits.buffer_bytes,
            max_downstreams: config.limits.max_downstreams,
        }
    }
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self::from_config(&crate::config::Config::default())
    }
}

/// What came of a load that was not refused.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Stories and runs.
    pub snapshot: Arc<Snapshot>,
    /// What loads, but not as its author may think.
    pub warnings: Vec<Warning>,
    /// What is accepted but not built yet.
    pub notes: Vec<Note>,
}

/// Loads files and folders (recursively `*.yaml`, `*.yml`).
///
/// # Errors
/// [`Problems`] lists everything that is wrong with any of the files.
pub fn load(_paths: &[PathBuf], _options: &LoadOptions) -> Result<Loaded, Problems> {
    Ok(Loaded {
        snapshot: Arc::new(Snapshot::default()),
        warnings: Vec::new(),
        notes: Vec::new(),
    })
}

/// Loads one text as if it were a file called `name`.
///
/// # Errors
/// [`Problems`] lists everything that is wrong with the text.
pub fn load_str(_name: &str, _yaml: &str, _options: &LoadOptions) -> Result<Loaded, Problems> {
    load(&[], &LoadOptions::default())
}
