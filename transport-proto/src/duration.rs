//! Durations in Go's notation, as peers write them: `250ms`, `1m30s`, `-1.5h`.
//!
//! Owns: the notation, both ways, in signed nanoseconds. Never decides which durations a
//! setting allows, nor what is said of a wrong one.

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DurationFault {
    /// Not made of numbers and units, or past 292 years.
    Invalid,
    /// A number without a unit.
    MissingUnit,
    /// A unit that does not exist: what stands in its place.
    UnknownUnit(String),
}

/// Largest magnitude; only a negative duration reaches it.
const LIMIT: u64 = 1 << 63;

/// Nanoseconds of a text: an optional sign, then numbers with optional fractions, each followed
/// by `ns`, `us`, `µs`, `ms`, `s`, `m` or `h`; or plain `0`.
///
/// # Errors
/// [`DurationFault`] where it is none.
pub fn parse(text: &str) -> Result<i64, DurationFault> {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(DurationFault::Invalid);
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (nanos, after) = part(rest)?;
        total = total
            .checked_add(nanos)
            .filter(|total| *total <= LIMIT)
            .ok_or(DurationFault::Invalid)?;
        rest = after;
    }
    let signed = if text.starts_with('-') {
        0_i64.checked_sub_unsigned(total)
    } else {
        i64::try_from(total).ok()
    };
    signed.ok_or(DurationFault::Invalid)
}

/// Reads one number with its unit; gives nanoseconds and what follows.
fn part(part: &str) -> Result<(u64, &str), DurationFault> {
    let (whole, rest) = digits(part);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationFault::Invalid);
    }
    let end = rest
        .find(|char: char| char == '.' || char.is_ascii_digit())
        .unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name.is_empty() {
        return Err(DurationFault::MissingUnit);
    }
    let unit = unit(name).ok_or_else(|| DurationFault::UnknownUnit(name.to_owned()))?;
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| DurationFault::Invalid)?
    };
    let nanos = whole
        .checked_mul(unit)
        .and_then(|nanos| nanos.checked_add(fraction_of(fraction, unit)))
        .filter(|nanos| *nanos <= LIMIT)
        .ok_or(DurationFault::Invalid)?;
    Ok((nanos, after))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn unit(name: &str) -> Option<u64> {
    Some(match name {
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

/// The nanoseconds of the digits after the point, in floating point as peers reckon them; what
/// is below one is cut.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let digits = digits.trim_end_matches('0');
    // 19 digits reach far below a nanosecond of an hour, and fit.
    let digits = digits.get(..digits.len().min(19)).unwrap_or_default();
    let number: u64 = digits.parse().unwrap_or_default();
    let power = 10_u64.pow(digits.len() as u32);
    (number as f64 * (unit as f64 / power as f64)) as u64
}

/// Nanoseconds as `1h30m0s`; below a second in the largest unit that fits, as `1.5µs`.
#[must_use]
pub fn format(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let size = nanos.unsigned_abs();
    let (minutes, last) = (size / 60_000_000_000, size % 60_000_000_000);
    let text = match size {
        0 => "0s".to_owned(),
        1..1_000 => decimal(size, 1, "ns"),
        1_000..1_000_000 => decimal(size, 1_000, "\u{b5}s"),
        1_000_000..1_000_000_000 => decimal(size, 1_000_000, "ms"),
        _ => {
            let seconds = decimal(last, 1_000_000_000, "s");
            match (minutes / 60, minutes % 60) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    };
    format!("{sign}{text}")
}

/// `size` in `unit`, a power of ten, without zeros at the end.
fn decimal(size: u64, unit: u64, name: &str) -> String {
    let (whole, rest) = (size / unit, size % unit);
    if rest == 0 {
        return format!("{whole}{name}");
    }
    let places = unit.ilog10() as usize;
    let fraction = format!("{rest:0places$}");
    format!("{whole}.{}{name}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fractions_come_out_as_peers_reckon_them() {
        for (text, nanos) in [
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.100000000000000000000h", 360_000_000_000),
            ("1.285us", 1_285),
            ("0.57us", 570),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("1ns.9ns", 1),
        ] {
            assert_eq!(parse(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn the_longest_is_292_years_and_only_a_negative_one_reaches_the_end() {
        assert_eq!(parse("-9223372036854775808ns"), Ok(i64::MIN));
        assert_eq!(parse("9223372036854775807ns"), Ok(i64::MAX));
        for text in ["9223372036854775808ns", "-9223372036854775809ns", "9e9h"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("9223372036s854775808ns"), Err(DurationFault::Invalid));
    }

    #[test]
    fn a_fault_tells_what_is_wrong() {
        for text in ["", "-", "+", ".", "s", ".s", "--1s", "1s.s"] {
            assert_eq!(parse(text), Err(DurationFault::Invalid), "{text}");
        }
        assert_eq!(parse("1s5"), Err(DurationFault::MissingUnit));
        for (text, unit) in [("250 msec", " msec"), ("1h-1m", "h-"), ("1S", "S")] {
            let unknown = DurationFault::UnknownUnit(unit.to_owned());
            assert_eq!(parse(text), Err(unknown), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanos in any::<i64>()) {
            let text = format(nanos);
            // Seconds with nine places are reckoned exactly.
            prop_assert_eq!(parse(&text), Ok(nanos), "{}", text);
        }

        #[test]
        fn any_text_is_answered(text in "[-+0-9.a-zµ ]{0,24}") {
            let _ = parse(&text);
        }
    }
}
