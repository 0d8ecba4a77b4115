//! Durations and sizes as people write them (spec 2.8): Go style durations (`250ms`, `1m30s`)
//! and bytes (`65536`, `64KiB`, `10 MiB`, `1GiB`).
//!
//! Owns: the two notations. Never does: decide which values a setting allows.

use std::time::Duration;

use transport_proto::duration::{self, DurationFault};

/// Why a text is no duration or size. The texts begin with what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// A number without a unit, such as `5`.
    #[error("{0:?} has no unit; write a duration like 250ms, 1.5s or 1m30s")]
    MissingUnit(String),
    /// A unit that does not exist.
    #[error("{text:?} has the unknown unit {unit:?}; write a duration like 250ms, 1.5s or 1m30s")]
    UnknownUnit {
        /// The whole text.
        text: String,
        /// The part that should be a unit.
        unit: String,
    },
    /// No duration at all, or one past 292 years.
    #[error("{0:?} is no duration; write it like 250ms, 1.5s or 1m30s")]
    NoDuration(String),
    /// Less than nothing, where only a wait makes sense.
    #[error("{0:?} is negative; a duration here is 0s or more")]
    Negative(String),
    /// No size.
    #[error("{0:?} is no size; write bytes as a number, or like 64KiB, 10MiB, 1GiB")]
    NoSize(String),
}

/// Signed nanoseconds of a Go style duration.
fn parse_signed_duration(text: &str) -> Result<i64, UnitError> {
    duration::parse(text).map_err(|fault| {
        let text = text.to_owned();
        match fault {
            DurationFault::Invalid => UnitError::NoDuration(text),
            DurationFault::MissingUnit => UnitError::MissingUnit(text),
            DurationFault::UnknownUnit(unit) => UnitError::UnknownUnit { text, unit },
        }
    })
}

/// A duration that is not negative.
///
/// # Errors
/// [`UnitError`] quotes the text.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let nanoseconds = parse_signed_duration(text)?;
    u64::try_from(nanoseconds)
        .map(Duration::from_nanos)
        .map_err(|_| UnitError::Negative(text.to_owned()))
}

/// Bytes: a number, or a number with `KiB`, `MiB` or `GiB`, with or without a space between.
///
/// # Errors
/// [`UnitError::NoSize`] quotes the text.
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    let invalid = || UnitError::NoSize(text.to_owned());
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let number: u64 = digits.parse().map_err(|_| invalid())?;
    let factor = match unit.strip_prefix(' ').unwrap_or(unit) {
        "" if unit.is_empty() => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(invalid()),
    };
    number.checked_mul(factor).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of the conformance suite, topic `duration`: text, nanoseconds.
    const VECTORS: &str = include_str!("../../tests/vectors/durations.jsonl");

    #[test]
    fn every_duration_vector_parses_to_its_nanoseconds_or_is_refused() {
        let mut seen = 0;
        for line in VECTORS.lines() {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = case["in"].as_str().unwrap();
            let expected = case["ok"]
                .as_bool()
                .unwrap()
                .then(|| case["out"]["ns"].as_i64().unwrap());
            assert_eq!(parse_signed_duration(text).ok(), expected, "{text:?}");
            seen += 1;
        }
        assert!(seen > 40, "only {seen} vectors");
    }

    #[test]
    fn an_empty_text_is_no_duration() {
        for text in ["", "-", "+", ".", "1.s.", "s", "1h-1m"] {
            assert!(parse_signed_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_refusal_quotes_what_was_written() {
        let text = parse_duration("250 msec").unwrap_err().to_string();
        assert!(text.contains("250 msec"), "{text}");
        let text = parse_duration("-1s").unwrap_err().to_string();
        assert!(text.contains("-1s"), "{text}");
    }

    #[test]
    fn sizes_take_bytes_and_binary_units() {
        assert_eq!(parse_bytes("0"), Ok(0));
        assert_eq!(parse_bytes("65536"), Ok(65536));
        assert_eq!(parse_bytes("64KiB"), Ok(65536));
        assert_eq!(parse_bytes("10 MiB"), Ok(10 << 20));
        assert_eq!(parse_bytes("3GiB"), Ok(3 << 30));
    }

    #[test]
    fn anything_else_is_no_size() {
        for text in [
            "",
            " ",
            "KiB",
            "-1",
            "+1",
            "1.5MiB",
            "1 ",
            "1  KiB",
            "10MB",
            "10Mi",
            "1kib",
            "0x10",
            "99999999999999999999",
            "18446744073709551615GiB",
            "1\u{663}",
        ] {
            assert!(parse_bytes(text).is_err(), "{text:?}");
        }
    }
}
