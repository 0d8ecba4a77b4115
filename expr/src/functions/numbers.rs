//! Numbers from any value.
//!
//! Owns what number a value stands for ([`to_int`], [`to_float`]); what stands for none is 0.

use super::Function;
use super::Param::{Any, Text as Txt};
use crate::fault::Fault;
use crate::format;
use crate::template::{Cx, parse_float, parse_int};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("int", &[Any], |cx, args| {
        to_int(cx, args.get(0)).map(Value::int)
    }),
    Function::of("int64", &[Any], |cx, args| {
        to_int(cx, args.get(0)).map(Value::int64)
    }),
    Function::of("float64", &[Any], |cx, args| {
        to_float(cx, args.get(0)).map(Value::Float)
    }),
    Function::of("atoi", &[Txt], |cx, args| {
        cx.meter.look(args.text(0).len())?;
        Ok(Value::int(digits(args.text(0), 10, true).unwrap_or(0)))
    }),
    Function::of("toDecimal", &[Any], |cx, args| {
        let text = format::metered(args.get(0), cx)?;
        Ok(Value::int64(digits(&text, 8, false).unwrap_or(0)))
    }),
];

/// The whole number that a value stands for: a text by its notation (`0x1f`, `010` is 8) and
/// without decimals, true as 1, a double without its fraction, all else as 0.
pub(super) fn to_int(cx: &Cx<'_>, value: &Value<'_>) -> Result<i64, Fault> {
    Ok(match value {
        Value::Text(text) => {
            cx.meter.look(text.len())?;
            int_of(text.bytes()).unwrap_or(0)
        }
        Value::Bool(bit) => i64::from(*bit),
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => *number as i64,
        Value::Float(number) => truncated(*number),
        _ => 0,
    })
}

/// The double that a value stands for, likewise; a text may be hexadecimal, `inf` or `nan`.
pub(super) fn to_float(cx: &Cx<'_>, value: &Value<'_>) -> Result<f64, Fault> {
    Ok(match value {
        Value::Text(text) => {
            cx.meter.look(text.len())?;
            let text = std::str::from_utf8(text.bytes());
            text.ok().and_then(parse_float).unwrap_or(0.0)
        }
        Value::Bool(bit) => f64::from(u8::from(*bit)),
        Value::Int(_, number) => *number as f64,
        Value::Uint(_, number) => *number as f64,
        Value::Float(number) => *number,
        _ => 0.0,
    })
}

fn int_of(text: &[u8]) -> Option<i64> {
    parse_int(without_decimals(std::str::from_utf8(text).ok()?))
}

/// What fits no `i64` is the least, as the processors do it that the engine runs on.
fn truncated(number: f64) -> i64 {
    let beyond = -(i64::MIN as f64);
    if (-beyond..beyond).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// `-5.90` as `-5`; anything but digits round the point stays.
fn without_decimals(text: &str) -> &str {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = body.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match text.split_once('.') {
        Some((whole, decimals)) if is_number && !decimals.contains('.') => whole,
        _ => text,
    }
}

/// Digits of a base behind a sign. One that is too large is the largest where that is asked
/// for, and none otherwise.
fn digits(text: &[u8], base: u32, saturating: bool) -> Option<i64> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    let number = i64::from_str_radix(std::str::from_utf8(text).ok()?, base);
    number.map_or_else(
        |error| match error.kind() {
            PosOverflow if saturating => Some(i64::MAX),
            NegOverflow if saturating => Some(i64::MIN),
            _ => None,
        },
        Some,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::trial::{context, gives};
    use crate::limits::Limits;

    fn int(value: &Value<'_>) -> i64 {
        to_int(&context(&Limits::default()), value).expect("a number")
    }

    fn float(value: &Value<'_>) -> f64 {
        to_float(&context(&Limits::default()), value).expect("a number")
    }

    #[test]
    fn a_text_is_a_whole_number_by_its_notation() {
        for (text, wanted) in [
            ("42", 42),
            ("-7", -7),
            ("+7", 7),
            ("010", 8),
            ("0x_1F", 31),
            ("-0x10", -16),
            ("0b101", 5),
            ("0o17", 15),
            ("1_000", 1000),
            ("1__0", 0),
            ("08", 0),
            ("5.9", 5),
            ("-5.9", -5),
            ("5.", 5),
            ("010.5", 8),
            (".5", 0),
            ("1.2.3", 0),
            ("1e3", 0),
            (" 1", 0),
            ("", 0),
            ("-", 0),
            ("٣", 0),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("9223372036854775808", 0),
        ] {
            assert_eq!(int(&Value::text(text)), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_text_is_a_double_by_its_notation() {
        for (text, wanted) in [
            ("1_0.5", 10.5),
            ("0x1p4", 16.0),
            ("0x10", 0.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-inf", f64::NEG_INFINITY),
            ("1e400", 0.0),
            ("1e-400", 0.0),
            ("1.5f", 0.0),
            ("", 0.0),
        ] {
            assert_eq!(float(&Value::text(text)), wanted, "{text:?}");
        }
        assert!(float(&Value::text("NaN")).is_nan());
    }

    #[test]
    fn a_double_beyond_whole_numbers_is_the_least_one() {
        for beyond in [
            1e30,
            -1e30,
            f64::NAN,
            f64::INFINITY,
            9_223_372_036_854_775_807.0,
        ] {
            assert_eq!(int(&Value::Float(beyond)), i64::MIN, "{beyond}");
        }
        assert_eq!(int(&Value::Float(-9_223_372_036_854_775_808.0)), i64::MIN);
        assert_eq!(int(&Value::Float(-2.9)), -2);
    }

    #[test]
    fn atoi_takes_decimal_digits_and_stops_at_the_largest() {
        gives(
            r#"{{ atoi "0x1" }} {{ atoi "+5" }} {{ atoi "010" }} {{ atoi "1_0" }}"#,
            "0 5 10 0",
        );
        gives(
            r#"{{ atoi "99999999999999999999" }}"#,
            "9223372036854775807",
        );
        gives(
            r#"{{ toDecimal "-17" }} {{ toDecimal "99999999999999999999999" }}"#,
            "-15 0",
        );
    }
}
