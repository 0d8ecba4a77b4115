//! `hub.toml` to entries, each with its line.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigProblem;
use super::layers::Entry;
use super::value::Value;

/// Reads the entries of a config file; what is wrong with the file goes to `problems`.
pub(super) fn read(path: &Path, problems: &mut Vec<ConfigProblem>) -> Vec<Entry> {
    let name = path.display().to_string();
    let whole = |text: String| ConfigProblem {
        origin: name.clone(),
        key: String::new(),
        text,
    };
    let text = match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            problems.push(whole("is not UTF-8 text".to_owned()));
            return Vec::new();
        }
        Err(error) => {
            problems.push(whole(format!("cannot be read: {error}")));
            return Vec::new();
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        problems.push(ConfigProblem {
            origin: format!("{name}:{line}"),
            key: String::new(),
            text: error.message().trim().replace('\n', "; "),
        });
    }
    if errors.is_empty() {
        entries(&name, text, document.get_ref())
    } else {
        Vec::new()
    }
}

/// Sections hold keys; anything deeper belongs to the key's value.
fn entries(name: &str, text: &str, document: &DeTable<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    for (section, content) in document {
        let origin = |key: &Spanned<_>| format!("{name}:{}", line_at(text, key.span().start));
        match content.get_ref() {
            DeValue::Table(keys) => found.extend(keys.iter().map(|(key, value)| Entry {
                key: format!("{}.{}", section.get_ref(), key.get_ref()),
                value: plain(value.get_ref()),
                origin: origin(key),
            })),
            other => found.push(Entry {
                key: section.get_ref().to_string(),
                value: plain(other),
                origin: origin(section),
            }),
        }
    }
    found
}

/// The value without its places.
pub(super) fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("number too large"), Value::Integer),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Array(entries) => {
            Value::List(entries.iter().map(|entry| plain(entry.get_ref())).collect())
        }
        DeValue::Table(fields) => Value::Table(
            fields
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref())))
                .collect(),
        ),
        DeValue::Float(_) => Value::Other("fraction"),
        DeValue::Datetime(_) => Value::Other("date"),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}
