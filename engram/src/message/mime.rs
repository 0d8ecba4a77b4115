//! Media types, as strict as the Go SDK (RFC 2045, RFC 2231 continuations).

use std::collections::HashMap;

/// The type without its parameters, in lower case and without surrounding white space.
pub(crate) fn base(mime_type: &str) -> String {
    let base = mime_type.split(';').next().unwrap_or_default();
    base.trim().to_ascii_lowercase()
}

/// Whether a media type and its parameters are well formed.
pub(crate) fn is_valid(mime_type: &str) -> bool {
    let (base, mut rest) = mime_type.split_at(mime_type.find(';').unwrap_or(mime_type.len()));
    if !is_type(base.trim()) {
        return false;
    }
    let mut values: HashMap<String, String> = HashMap::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest.trim() == ";" {
            return true;
        }
        let Some((name, value, after)) = parameter(rest) else {
            return false;
        };
        let before = values.get(&name);
        if before.is_some_and(|before| *before != value) {
            return false;
        }
        values.insert(name, value);
        rest = after;
    }
}

/// `type` or `type/subtype`.
fn is_type(text: &str) -> bool {
    match text.split_once('/') {
        Some((kind, subtype)) => is_token(kind) && is_token(subtype),
        None => is_token(text),
    }
}

/// Reads `; name=value`; gives name, value and what follows.
fn parameter(text: &str) -> Option<(String, String, &str)> {
    let rest = text.strip_prefix(';')?.trim_start();
    let (name, rest) = token(rest)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted_text(quoted)?,
        None => token(rest).map(|(value, rest)| (value.to_owned(), rest))?,
    };
    Some((name.to_ascii_lowercase(), value, rest))
}

/// Reads up to the closing quote; a backslash takes a special character for itself.
fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, text.get(at + 1..).unwrap_or_default())),
            '\r' | '\n' => return None,
            '\\' if chars.peek().is_some_and(|(_, next)| is_special(*next)) => {
                value.extend(chars.next().map(|(_, next)| next));
            }
            other => value.push(other),
        }
    }
    None
}

fn token(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|char| !is_token_char(char)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_char)
}

fn is_token_char(char: char) -> bool {
    char.is_ascii_graphic() && !is_special(char)
}

fn is_special(char: char) -> bool {
    "()<>@,;:\\\"/[]?=".contains(char)
}
