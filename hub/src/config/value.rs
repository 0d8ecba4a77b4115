//! One value as a source wrote it, and how keys read it.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::units;

/// A value before a key has taken it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Text of a TOML string, an environment variable or a flag.
    Text(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML array.
    List(Vec<Value>),
    /// A TOML table.
    Table(Vec<(String, Value)>),
    /// Something that no key takes (a float, a date), by its kind.
    Other(&'static str),
}

impl Value {
    /// For messages: the value if it is short, else its kind.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(flag) => flag.to_string(),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
            Self::Other(kind) => format!("a {kind}"),
        }
    }
}

/// Why a key does not take a value.
pub(super) type Refused = String;

pub(super) fn address(value: &Value) -> Result<SocketAddr, Refused> {
    match value {
        Value::Text(text) => text.parse().map_err(|_| {
            format!(
                "{text:?} is no address; write IP:PORT, such as 127.0.0.1:9000 or [::1]:9000 \
                 (port 0 takes a free one)"
            )
        }),
        other => Err(format!(
            "{} is no address; write \"IP:PORT\"",
            other.shown()
        )),
    }
}

pub(super) fn duration(
    value: &Value,
    allowed: RangeInclusive<Duration>,
) -> Result<Duration, Refused> {
    let Value::Text(text) = value else {
        return Err(format!(
            "{} is no duration; write it in quotes with a unit, such as \"10s\"",
            value.shown()
        ));
    };
    let duration = units::parse_duration(text).map_err(|error| error.to_string())?;
    if allowed.contains(&duration) {
        Ok(duration)
    } else {
        Err(format!(
            "{text:?} is out of range: {:?} to {:?}",
            allowed.start(),
            allowed.end()
        ))
    }
}

pub(super) fn bytes(value: &Value, allowed: RangeInclusive<u64>) -> Result<u64, Refused> {
    let size = match value {
        Value::Text(text) => units::parse_bytes(text).map_err(|error| error.to_string())?,
        other => integer(other)?,
    };
    in_range(size, value, allowed)
}

pub(super) fn count(value: &Value, allowed: RangeInclusive<u64>) -> Result<u64, Refused> {
    in_range(integer(value)?, value, allowed)
}

fn integer(value: &Value) -> Result<u64, Refused> {
    let no_number = || format!("{} is no whole number of 0 or more", value.shown());
    match value {
        Value::Integer(number) => u64::try_from(*number).map_err(|_| no_number()),
        Value::Text(text) => text.parse().map_err(|_| no_number()),
        _ => Err(no_number()),
    }
}

fn in_range(number: u64, value: &Value, allowed: RangeInclusive<u64>) -> Result<u64, Refused> {
    if allowed.contains(&number) {
        Ok(number)
    } else {
        Err(format!(
            "{} is out of range: {} to {}",
            value.shown(),
            allowed.start(),
            allowed.end()
        ))
    }
}

pub(super) fn boolean(value: &Value) -> Result<bool, Refused> {
    match value {
        Value::Boolean(flag) => Ok(*flag),
        Value::Text(text) if text == "true" => Ok(true),
        Value::Text(text) if text == "false" => Ok(false),
        other => Err(format!("{} is neither true nor false", other.shown())),
    }
}

/// A path; empty text takes the value away again.
pub(super) fn path(value: &Value) -> Result<Option<PathBuf>, Refused> {
    match value {
        Value::Text(text) if text.is_empty() => Ok(None),
        Value::Text(text) if text.contains('\0') => Err("a path holds no NUL".to_owned()),
        Value::Text(text) => Ok(Some(PathBuf::from(text))),
        other => Err(format!("{} is no path; write it in quotes", other.shown())),
    }
}

/// One of a closed set of words.
pub(super) fn word<T: Copy>(value: &Value, words: &[(&str, T)]) -> Result<T, Refused> {
    let found = match value {
        Value::Text(text) => words.iter().find(|(word, _)| word == text),
        _ => None,
    };
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("{} is not one of {}", value.shown(), known.join(", "))
    })
}

/// Makes relative paths in a value of a file relative to that file's folder.
pub(super) fn against_folder(path: &Path, folder: Option<&Path>) -> PathBuf {
    match folder {
        Some(folder) if path.is_relative() => folder.join(path),
        _ => path.to_owned(),
    }
}
