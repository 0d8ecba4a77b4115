//! Secrets: literals, `env:PREFIX`, `file:/path` (spec 3). They never show in a text.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::message::quoted;
use crate::start::Environment;

const REDACTED: &str = "[redacted secrets]";
/// What [`Secrets::redacted`] shows for each value.
const REDACTED_VALUE: &str = "[REDACTED]";
const MAX_FILES: usize = 256;
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Secrets by name. Debug, Display and serde show that there are some, and nothing else.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, String>);

/// What could not be expanded, one line each. Paths and values are left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .lines.join("\n"))]
pub struct SecretsError {
    lines: Vec<String>,
    /// What could be expanded all the same.
    pub partial: Secrets,
}

impl Secrets {
    /// Expands descriptors by logical name: `env:PREFIX` takes every variable whose name
    /// begins so, `file:PATH` a file or all files of a folder (256 files, 1 MiB each,
    /// 8 MiB in all; no symbolic links), anything else is the secret itself.
    ///
    /// # Errors
    /// [`SecretsError`] names what failed and has the rest.
    pub fn expand<'a>(
        descriptors: impl IntoIterator<Item = (&'a str, &'a str)>,
        environment: &Environment,
    ) -> Result<Self, SecretsError> {
        let descriptors: BTreeMap<&str, &str> = descriptors.into_iter().collect();
        let mut secrets = Self::default();
        let mut lines = Vec::new();
        for (name, descriptor) in descriptors {
            let (source, outcome) = secrets.expand_one(name, descriptor, environment);
            if let Err(reason) = outcome {
                let name = quoted(name);
                lines.push(format!(
                    "secret expansion failed: secret {name} ({source}): {reason}"
                ));
            }
        }
        if lines.is_empty() {
            Ok(secrets)
        } else {
            let partial = secrets;
            Err(SecretsError { lines, partial })
        }
    }

    /// The secrets that `BUBU_SECRET_*` describe.
    ///
    /// # Errors
    /// As [`expand`](Self::expand).
    pub fn of(environment: &Environment) -> Result<Self, SecretsError> {
        let described = environment.with_prefix("BUBU_SECRET_");
        let named = described.filter(|(name, _)| !name.ends_with("_NAME") && !name.contains("__"));
        Self::expand(named, environment)
    }

    fn expand_one(
        &mut self,
        name: &str,
        descriptor: &str,
        environment: &Environment,
    ) -> (&'static str, Result<(), String>) {
        if let Some(prefix) = descriptor.strip_prefix("env:") {
            ("env", self.expand_env(prefix.trim(), environment))
        } else if let Some(path) = descriptor.strip_prefix("file:") {
            ("file", self.expand_path(path.trim()))
        } else {
            let name = name.trim();
            if !name.is_empty() {
                self.0.insert(name.to_owned(), descriptor.to_owned());
            }
            ("literal", Ok(()))
        }
    }

    fn expand_env(&mut self, prefix: &str, environment: &Environment) -> Result<(), String> {
        if prefix.is_empty() {
            return invalid("env secret prefix must not be empty");
        }
        for (key, value) in environment.with_prefix(prefix) {
            self.add(key.trim(), value.to_owned());
        }
        Ok(())
    }

    fn expand_path(&mut self, path: &str) -> Result<(), String> {
        if path.is_empty() {
            return invalid("file secret path must not be empty");
        }
        let path = Path::new(path.trim_end_matches('/'));
        let about = fs::symlink_metadata(path).map_err(|error| failed("lstat", &error))?;
        if about.is_symlink() {
            return invalid("file secret path must not be a symlink");
        }
        let mut files = Files::default();
        if about.is_dir() {
            files.read_folder(path, "")?;
        } else if about.is_file() {
            let key = path.file_name().unwrap_or_default().to_string_lossy();
            files.read_file(path, key.into_owned())?;
        } else {
            return invalid("file secret path must reference a regular file or directory");
        }
        for (key, value) in files.found {
            self.add(&key, value);
        }
        Ok(())
    }

    /// Adds what a file or a variable says: never in place of another.
    fn add(&mut self, key: &str, value: String) {
        if !key.is_empty() {
            self.0.entry(key.to_owned()).or_insert(value);
        }
    }

    /// The secret of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The secrets of these names, those that there are.
    #[must_use]
    pub fn select(&self, names: &[&str]) -> BTreeMap<String, String> {
        let named = |name: &&str| Some(((*name).to_owned(), self.0.get(*name)?.clone()));
        names.iter().filter_map(named).collect()
    }

    /// Every name with a placeholder for its value, to be shown.
    #[must_use]
    pub fn redacted(&self) -> BTreeMap<String, &'static str> {
        let shown = |name: &String| (name.clone(), REDACTED_VALUE);
        self.0.keys().map(shown).collect()
    }
}

fn invalid(reason: &str) -> Result<(), String> {
    Err(format!("invalid secret descriptor: {reason}"))
}

/// What failed, without the path.
fn failed(call: &str, error: &io::Error) -> String {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::NotADirectory => "not a directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        other => other.to_string(),
    };
    format!("{call}: {reason}")
}

/// What one descriptor names, within its limits.
#[derive(Default)]
struct Files {
    found: Vec<(String, String)>,
    bytes: u64,
}

impl Files {
    /// Reads a folder and those in it, by name; links and other things are passed over.
    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), String> {
        let entries = fs::read_dir(folder).map_err(|error| failed("open", &error))?;
        let mut entries: Vec<_> = entries
            .collect::<Result<_, _>>()
            .map_err(|error| failed("readdirent", &error))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let kind = entry.file_type().map_err(|error| failed("lstat", &error))?;
            let key = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{key}/"))?;
            } else if kind.is_file() {
                self.read_file(&entry.path(), key)?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path, key: String) -> Result<(), String> {
        if self.found.len() >= MAX_FILES {
            return Err(format!("secret file count exceeds max {MAX_FILES}"));
        }
        let file = fs::File::open(path).map_err(|error| failed("open", &error))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| failed("read", &error))?;
        let size = bytes.len() as u64;
        if size > MAX_FILE_BYTES {
            return Err(format!(
                "secret file {key} exceeds max size {MAX_FILE_BYTES}"
            ));
        }
        self.bytes += size;
        if self.bytes > MAX_BYTES {
            return Err(format!(
                "secret file expansion exceeds max total size {MAX_BYTES}"
            ));
        }
        let text = String::from_utf8_lossy(&bytes);
        self.found
            .push((key, text.trim_end_matches('\n').to_owned()));
        Ok(())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl serde::Serialize for Secrets {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}
