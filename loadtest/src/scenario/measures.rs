//! Owns how durations and sizes are written: `1m30s`, `250ms`, `64KiB`.

use std::time::Duration;

use thiserror::Error;

/// Text that is no duration or size.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is no {what}: write {example}")]
pub struct MeasureError {
    text: String,
    what: &'static str,
    example: &'static str,
}

/// Reads a Go-style duration: numbers with units `ns`, `us`, `ms`, `s`, `m`, `h`, largest first.
///
/// # Errors
/// [`MeasureError`] for anything else, a bare number included.
pub fn parse_duration(text: &str) -> Result<Duration, MeasureError> {
    let error = || MeasureError {
        text: text.to_owned(),
        what: "duration",
        example: "it like 30s, 1m30s or 250ms",
    };
    let mut rest = text;
    let mut total = 0.0f64;
    if rest.is_empty() {
        return Err(error());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(error)?;
        let number: f64 = rest[..digits].parse().map_err(|_| error())?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let seconds = match &rest[..letters] {
            "ns" => 1e-9,
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(error()),
        };
        total += number * seconds;
        rest = &rest[letters..];
    }
    Duration::try_from_secs_f64(total).map_err(|_| error())
}

/// Reads a number of bytes, with `KiB`, `MiB` or `GiB` where wanted.
///
/// # Errors
/// [`MeasureError`] for anything else.
pub fn parse_bytes(text: &str) -> Result<usize, MeasureError> {
    let error = || MeasureError {
        text: text.to_owned(),
        what: "size",
        example: "bytes, or KiB/MiB/GiB like 64KiB",
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: usize = text[..digits].parse().map_err(|_| error())?;
    let unit: usize = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(error()),
    };
    number.checked_mul(unit).ok_or_else(error)
}

/// Writes a duration so that [`parse_duration`] reads it back.
pub fn duration_text(span: Duration) -> String {
    let nanos = span.as_nanos();
    for (unit, size) in [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)] {
        if nanos.is_multiple_of(size) {
            return format!("{}{unit}", nanos / size);
        }
    }
    format!("{nanos}ns")
}

pub(super) mod go_style {
    //! Serde of durations as text.
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::duration_text(*span))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        super::parse_duration(&text).map_err(D::Error::custom)
    }
}

pub(super) mod byte_size {
    //! Serde of sizes: a number of bytes, or text with a unit.
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Bytes(usize),
        Text(String),
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // the signature is serde's
    pub(crate) fn serialize<S: Serializer>(size: &usize, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(*size as u64)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
        match Written::deserialize(from)? {
            Written::Bytes(bytes) => Ok(bytes),
            Written::Text(text) => super::parse_bytes(&text).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_writes_them() {
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1.5ms"), Ok(Duration::from_micros(1500)));
        for bad in ["", "30", "s", "30 s", "-1s", "1d", "1..5s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_written_duration_reads_back() {
        for nanos in [0, 1, 1_500, 250_000_000, 90_000_000_000] {
            let span = Duration::from_nanos(nanos);
            assert_eq!(parse_duration(&duration_text(span)), Ok(span));
        }
    }

    #[test]
    fn sizes_take_binary_units_only() {
        assert_eq!(parse_bytes("640"), Ok(640));
        assert_eq!(parse_bytes("64KiB"), Ok(65_536));
        assert_eq!(parse_bytes("1 MiB"), Ok(1 << 20));
        for bad in ["", "64KB", "-1", "1.5KiB", "99999999999999999999"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }
}
