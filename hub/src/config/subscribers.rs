//! `events.subscribers`: a list of tables (spec 10 'Events').

use std::path::{Path, PathBuf};

use super::Subscriber;
use super::value::{Refused, Value, against_folder, path};

/// Reads the list. A relative path is relative to `folder`, the config file's, where there is one.
pub(super) fn read(value: &Value, folder: Option<&Path>) -> Result<Vec<Subscriber>, Refused> {
    let Value::List(entries) = value else {
        return Err(format!("{} is no list of subscribers", value.shown()));
    };
    entries
        .iter()
        .enumerate()
        .map(|(i, entry)| one(entry, folder).map_err(|text| format!("[{i}]: {text}")))
        .collect()
}

fn one(entry: &Value, folder: Option<&Path>) -> Result<Subscriber, Refused> {
    let Value::Table(fields) = entry else {
        return Err(format!("{} is no table", entry.shown()));
    };
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, v)| v);
    let kind = match field("type") {
        Some(Value::Text(kind)) => kind.as_str(),
        Some(other) => return Err(format!("type: {} is no name", other.shown())),
        None => return Err("has no type; write type = \"jsonl\"".to_owned()),
    };
    let allowed: &[&str] = match kind {
        "jsonl" => &["type", "path"],
        "noop" => &["type"],
        "exec" | "webhook" | "nats" => {
            return Err(format!("subscribers of type {kind} are not built yet"));
        }
        other => return Err(format!("type: {other:?} is not one of jsonl, noop")),
    };
    if let Some((unknown, _)) = fields
        .iter()
        .find(|(key, _)| !allowed.contains(&key.as_str()))
    {
        return Err(format!(
            "{unknown}: no such key; a {kind} subscriber has {}",
            allowed.join(", ")
        ));
    }
    if kind == "noop" {
        return Ok(Subscriber::Noop);
    }
    let written = field("path").map_or(Ok(None), path);
    let path = written
        .map_err(|text| format!("path: {text}"))?
        .unwrap_or_else(|| PathBuf::from("hub-events.jsonl"));
    Ok(Subscriber::Jsonl {
        path: against_folder(&path, folder),
    })
}
