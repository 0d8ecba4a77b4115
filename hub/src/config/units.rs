//! Durations and sizes as people write them (spec 2.8): Go style durations (`250ms`, `1m30s`)
//! and bytes (`65536`, `64KiB`, `10 MiB`, `1GiB`).
//!
//! Owns: the two notations. Never does: decide which values a setting allows.

use std::time::Duration;

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

/// Largest magnitude, in nanoseconds; only a negative duration reaches it.
const LIMIT: u64 = 1 << 63;

/// Signed nanoseconds of a Go style duration: an optional sign, then numbers with optional
/// fractions, each followed by `ns`, `us`, `µs`, `ms`, `s`, `m` or `h`; or plain `0`.
///
/// # Errors
/// [`UnitError`] quotes the text.
pub fn parse_signed_duration(text: &str) -> Result<i64, UnitError> {
    let invalid = || UnitError::NoDuration(text.to_owned());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (nanoseconds, after) = one_part(text, rest)?;
        total = total
            .checked_add(nanoseconds)
            .filter(|sum| *sum <= LIMIT)
            .ok_or_else(invalid)?;
        rest = after;
    }
    let signed = if negative {
        -i128::from(total)
    } else {
        i128::from(total)
    };
    i64::try_from(signed).map_err(|_| invalid())
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

/// One number with its unit at the start of `rest`: its nanoseconds and what follows.
fn one_part<'a>(text: &str, rest: &'a str) -> Result<(u64, &'a str), UnitError> {
    let invalid = || UnitError::NoDuration(text.to_owned());
    let (whole, after_whole) = digits(rest);
    let (fraction, after_number) = match after_whole.strip_prefix('.') {
        Some(after_point) => digits(after_point),
        None => ("", after_whole),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let unit_end = after_number
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(after_number.len());
    let (unit, after) = after_number.split_at(unit_end);
    if unit.is_empty() {
        return Err(UnitError::MissingUnit(text.to_owned()));
    }
    let scale = unit_nanoseconds(unit).ok_or_else(|| UnitError::UnknownUnit {
        text: text.to_owned(),
        unit: unit.to_owned(),
    })?;
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| invalid())?
    };
    let nanoseconds = whole
        .checked_mul(scale)
        .and_then(|n| n.checked_add(fraction_nanoseconds(fraction, scale)))
        .filter(|n| *n <= LIMIT)
        .ok_or_else(invalid)?;
    Ok((nanoseconds, after))
}

/// Splits off leading ASCII digits.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

/// Nanoseconds of `0.<fraction>` units, rounded down. Digits that no longer fit are ignored:
/// they are far below a nanosecond.
fn fraction_nanoseconds(fraction: &str, scale: u64) -> u64 {
    let mut numerator = 0_u128;
    let mut denominator = 1_u128;
    for digit in fraction.bytes().take(24) {
        numerator = numerator * 10 + u128::from(digit - b'0');
        denominator *= 10;
    }
    u64::try_from(numerator * u128::from(scale) / denominator).unwrap_or(scale)
}

fn unit_nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // U+00B5 micro sign, U+03BC Greek mu
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
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
