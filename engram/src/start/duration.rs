//! Durations in Go's notation, and what the Go SDK says of wrong ones.

use transport_proto::duration::{self, DurationFault};

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not made of numbers and units, or past 292 years.
    #[error("time: invalid duration {}", quoted(.0))]
    Invalid(String),
    /// A number without a unit.
    #[error("time: missing unit in duration {}", quoted(.0))]
    MissingUnit(String),
    /// A unit that does not exist.
    #[error("time: unknown unit {} in duration {}", quoted(.unit), quoted(.text))]
    UnknownUnit {
        /// The whole text.
        text: String,
        /// What stands in place of a unit.
        unit: String,
    },
}

/// Quoted byte by byte: what is not ASCII is shown as its bytes.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out.push('"');
    out
}

/// Reads a duration; gives nanoseconds.
///
/// # Errors
/// [`DurationError`] quotes the text.
pub fn parse_duration(text: &str) -> Result<i64, DurationError> {
    duration::parse(text).map_err(|fault| {
        let text = text.to_owned();
        match fault {
            DurationFault::Invalid => DurationError::Invalid(text),
            DurationFault::MissingUnit => DurationError::MissingUnit(text),
            DurationFault::UnknownUnit(unit) => DurationError::UnknownUnit { text, unit },
        }
    })
}

/// Nanoseconds in Go's notation, `1h30m0s`.
#[must_use]
pub fn format_duration(nanos: i64) -> String {
    duration::format(nanos)
}
