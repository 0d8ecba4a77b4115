//! Secrets, over the files and the environment that the file itself describes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use engram::{Environment, Secrets};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Answer, Line};

/// What `$ROOT` and the environment mean.
pub(super) struct Scene {
    root: TempDir,
    environment: Environment,
}

impl Scene {
    /// Builds what the lines of topics `secrets_tree` and `secrets_env` describe.
    pub(super) fn of(lines: &[Line]) -> Result<Self, String> {
        let told = |topic: &str| {
            let line = lines.iter().find(|line| line.topic == topic);
            line.and_then(|line| line.out.as_ref()?.as_object())
        };
        let root = TempDir::new().map_err(|error| error.to_string())?;
        for (name, entry) in told("secrets_tree").into_iter().flatten() {
            build(root.path(), name, entry).map_err(|error| format!("{name}: {error}"))?;
        }
        let variables = told("secrets_env").into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let environment = variables
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
        Ok(Self { root, environment })
    }

    fn secrets(&self, input: &Value) -> Result<Result<Secrets, engram::SecretsError>, String> {
        let root = self.root.path().display().to_string();
        let described = input.as_object().ok_or("in: no object")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().replace("$ROOT", &root);
        let described: BTreeMap<&str, String> = described
            .iter()
            .map(|(name, value)| (name.as_str(), text(value)))
            .collect();
        let pairs = described
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        Ok(Secrets::expand(pairs, &self.environment))
    }

    pub(super) fn expand(&self, input: &Value, out: Option<&Value>) -> Result<Answer, String> {
        let (secrets, error) = match self.secrets(input)? {
            Ok(secrets) => (secrets, None),
            Err(error) => (error.partial.clone(), Some(error.to_string())),
        };
        let names: Vec<&str> = secrets.names().collect();
        let counted = out.is_some_and(|out| out.get("count").is_some());
        let out = if counted {
            json!({
                "display": secrets.to_string(),
                "count": names.len(),
                "first": names.first(),
                "last": names.last(),
            })
        } else {
            json!({"display": secrets.to_string(), "secrets": secrets.select(&names)})
        };
        let debug = format!("{secrets:?}");
        let served = serde_json::to_value(&secrets).map_err(|error| error.to_string())?;
        if json!(debug) != out["display"] || served != out["display"] {
            return Ok(Answer::error("Debug or serde show more than Display"));
        }
        Ok(Answer {
            out: Some(out),
            error,
        })
    }

    pub(super) fn redacted(&self, input: &Value) -> Result<Answer, String> {
        let secrets = self.secrets(input)?.map_err(|error| error.to_string())?;
        Ok(Answer::out(json!(secrets.redacted())))
    }
}

/// Builds one entry: a text, a link, a folder, so many bytes, or so many files of them.
fn build(root: &Path, name: &str, entry: &Value) -> io::Result<()> {
    let path = root.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    if let Some(text) = entry.as_str() {
        return fs::write(path, text);
    }
    if let Some(target) = entry["symlink"].as_str() {
        return symlink(target, path);
    }
    if entry["dir"] == json!(true) {
        return fs::create_dir_all(path);
    }
    let content = match (entry["byte"].as_str(), entry["size"].as_u64()) {
        (Some(byte), Some(size)) => byte.repeat(size as usize),
        _ => entry["text"].as_str().unwrap_or_default().to_owned(),
    };
    let Some((first, last)) = name.split_once("..").filter(|_| entry["files"].is_u64()) else {
        return fs::write(path, content);
    };
    // `folder/f000..f255`: the digits of the last name tell how wide the numbers are.
    let width = last.len().saturating_sub(1);
    let stem = first
        .get(..first.len().saturating_sub(width))
        .unwrap_or_default();
    for number in 0..entry["files"].as_u64().unwrap_or_default() {
        fs::write(root.join(format!("{stem}{number:0width$}")), &content)?;
    }
    Ok(())
}
