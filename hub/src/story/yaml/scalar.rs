//! Scalars of the YAML 1.2 core schema (YAML 1.2.2, 10.3): `yes` and `on` are text, `012` is
//! twelve, `0o14` too.

use std::sync::Arc;

/// A scalar: what was written, and what it means.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::story) struct Scalar {
    /// As written, quotes and escapes resolved.
    pub(in crate::story) text: Arc<str>,
    pub(in crate::story) meaning: Meaning,
}

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::story) enum Meaning {
    Null,
    Boolean(bool),
    Integer(i128),
    /// Finite.
    Fraction(f64),
    Text,
}

/// What a plain scalar means; `None` for infinities and NaN, which JSON cannot say.
pub(in crate::story) fn plain(text: &str) -> Option<Meaning> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
        "true" | "True" | "TRUE" => Meaning::Boolean(true),
        "false" | "False" | "FALSE" => Meaning::Boolean(false),
        ".nan" | ".NaN" | ".NAN" => return None,
        _ => match unsigned(text) {
            ".inf" | ".Inf" | ".INF" => return None,
            _ => return number(text),
        },
    })
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

/// A number or text; `None` for a number too large for a double.
fn number(text: &str) -> Option<Meaning> {
    let radix = |prefix: &str, radix: u32| {
        let digits = text.strip_prefix(prefix)?;
        let signless = !digits.starts_with(['-', '+']);
        signless.then(|| i128::from_str_radix(digits, radix).ok())?
    };
    if let Some(number) = radix("0o", 8).or_else(|| radix("0x", 16)) {
        return Some(Meaning::Integer(number));
    }
    if !unsigned(text).starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Some(Meaning::Text);
    }
    if unsigned(text).bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(number) = text.parse()
    {
        return Some(Meaning::Integer(number));
    }
    if !is_float(unsigned(text)) {
        return Some(Meaning::Text);
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Meaning::Fraction(number))
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_core_schema_have_their_meaning_and_others_are_text() {
        for (text, meaning) in [
            ("", Meaning::Null),
            ("~", Meaning::Null),
            ("NULL", Meaning::Null),
            ("nULL", Meaning::Text),
            ("True", Meaning::Boolean(true)),
            ("yes", Meaning::Text),
            ("on", Meaning::Text),
            ("y", Meaning::Text),
        ] {
            assert_eq!(plain(text), Some(meaning), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_those_of_the_core_schema() {
        for (text, meaning) in [
            ("0", Meaning::Integer(0)),
            ("-0", Meaning::Integer(0)),
            ("+12", Meaning::Integer(12)),
            ("012", Meaning::Integer(12)),
            ("0o14", Meaning::Integer(12)),
            ("0xC", Meaning::Integer(12)),
            ("0x-C", Meaning::Text),
            ("-0xC", Meaning::Text),
            ("0x", Meaning::Text),
            ("1_000", Meaning::Text),
            ("1e3", Meaning::Fraction(1000.0)),
            ("-.5", Meaning::Fraction(-0.5)),
            ("1.", Meaning::Fraction(1.0)),
            (".", Meaning::Text),
            ("1e", Meaning::Text),
            ("1e+", Meaning::Text),
            ("1.2.3", Meaning::Text),
            ("--1", Meaning::Text),
            ("1:30", Meaning::Text),
            ("infinity", Meaning::Text),
            ("nan", Meaning::Text),
            ("1\u{663}", Meaning::Text),
        ] {
            assert_eq!(plain(text), Some(meaning), "{text:?}");
        }
    }

    #[test]
    fn numbers_past_128_bits_become_doubles_and_past_doubles_nothing() {
        let huge = "9".repeat(60);
        assert!(matches!(plain(&huge), Some(Meaning::Fraction(n)) if n > 9e59));
        for text in ["1e999", "-1e999", ".inf", "-.Inf", ".nan", &"9".repeat(400)] {
            assert_eq!(plain(text), None, "{text:?}");
        }
    }
}
