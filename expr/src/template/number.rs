//! Numeric literals: which of the number types a text can be.

use super::quote::unquote_char;

/// A literal and everything that it can be; what it is depends on where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Number {
    pub(super) int: Option<i64>,
    pub(super) uint: Option<u64>,
    pub(super) float: Option<f64>,
    pub(super) complex: Option<(f64, f64)>,
    /// Written as a float where nothing asks for a type.
    pub(super) reads_as_float: bool,
    /// Written as a character in quotes.
    pub(super) is_rune: bool,
}

impl Number {
    pub(super) fn of_rune(text: &str) -> Option<Self> {
        let (rune, rest) = unquote_char(text.get(1..)?, b'\'')?;
        let number = rune.number();
        (rest == "'").then_some(Self {
            int: Some(i64::from(number)),
            uint: Some(u64::from(number)),
            float: Some(f64::from(number)),
            is_rune: true,
            ..Self::default()
        })
    }

    /// A pair such as `1+2i`.
    pub(super) fn of_pair(text: &str) -> Option<Self> {
        let body = text.strip_suffix('i')?;
        let split = body
            .char_indices()
            .skip(1)
            .filter(|(i, c)| matches!(c, '+' | '-') && !body[..*i].ends_with(['e', 'E', 'p', 'P']))
            .map(|(i, _)| i)
            .last()?;
        let (real, imaginary) = body.split_at(split);
        Some(Self::of_complex(
            parse_float(real)?,
            parse_float(imaginary)?,
        ))
    }

    fn of_complex(real: f64, imaginary: f64) -> Self {
        let is_real = imaginary == 0.0;
        Self {
            int: (is_real && is_whole(real)).then_some(real as i64),
            uint: (is_real && is_whole(real) && real >= 0.0).then_some(real as u64),
            float: is_real.then_some(real),
            complex: Some((real, imaginary)),
            reads_as_float: false,
            is_rune: false,
        }
    }

    pub(super) fn of_text(text: &str) -> Option<Self> {
        if let Some(imaginary) = text.strip_suffix('i')
            && let Some(imaginary) = parse_float(imaginary)
        {
            return Some(Self::of_complex(0.0, imaginary));
        }
        let is_hex = text.len() > 2 && matches!(text.get(..2), Some("0x" | "0X"));
        let mut number = Self {
            uint: parse_uint(text),
            int: parse_int(text),
            ..Self::default()
        };
        if number.int == Some(0) {
            number.uint = Some(0);
        }
        number.float = number
            .int
            .map(|int| int as f64)
            .or(number.uint.map(|uint| uint as f64));
        let has_float_mark = text.contains(['.', 'e', 'E', 'p', 'P']);
        number.reads_as_float = has_float_mark && (!is_hex || text.contains(['p', 'P']));
        if number.float.is_none() {
            let float = parse_float(text)?;
            if !has_float_mark {
                return None;
            }
            number.float = Some(float);
            number.int = is_whole(float).then_some(float as i64);
            number.uint = (is_whole(float) && float >= 0.0).then_some(float as u64);
        }
        Some(number)
    }
}

fn is_whole(float: f64) -> bool {
    (float as i64) as f64 == float
}

/// Whether underscores stand between digits only (or after a base prefix).
fn has_good_underscores(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let bytes = text.as_bytes();
    let prefixed = bytes.first() == Some(&b'0')
        && matches!(
            bytes.get(1).map(u8::to_ascii_lowercase),
            Some(b'b' | b'o' | b'x')
        );
    let is_hex = prefixed && bytes.get(1).map(u8::to_ascii_lowercase) == Some(b'x');
    let mut last = if prefixed { b'0' } else { b'^' };
    for byte in bytes.iter().skip(if prefixed { 2 } else { 0 }) {
        last = match byte {
            b'_' if last != b'0' => return false,
            b'_' => b'_',
            digit if digit.is_ascii_digit() || (is_hex && digit.is_ascii_hexdigit()) => b'0',
            _ if last == b'_' => return false,
            _ => b'!',
        };
    }
    last != b'_'
}

/// Sign, base and digits of a whole number, underscores taken out.
fn whole(text: &str) -> Option<(bool, u64)> {
    let negative = text.starts_with('-');
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text.contains('_') && !has_good_underscores(text) {
        return None;
    }
    let (base, digits) = match body.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &body[2..]),
        Some("0b") => (2, &body[2..]),
        Some("0o") => (8, &body[2..]),
        _ if body.len() > 1 && body.starts_with('0') => (8, &body[1..]),
        _ => (10, body),
    };
    let digits = digits.replace('_', "");
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    Some((negative, u64::from_str_radix(&digits, base).ok()?))
}

/// A whole number in the notation that its prefix says.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let (negative, value) = whole(text)?;
    if negative {
        0_i64.checked_sub_unsigned(value)
    } else {
        i64::try_from(value).ok()
    }
}

fn parse_uint(text: &str) -> Option<u64> {
    if text.starts_with(['+', '-']) {
        return None;
    }
    whole(text).map(|(_, value)| value)
}

/// A float: decimal, hexadecimal, `inf`, `nan`. Too large is none.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    if text.contains('_') {
        if !has_good_underscores(text) {
            return None;
        }
        return parse_float(&text.replace('_', ""));
    }
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    if body
        .get(..2)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("0x"))
    {
        let value = parse_hex(body.get(2..)?)?;
        return Some(if text.starts_with('-') { -value } else { value });
    }
    let named = body.eq_ignore_ascii_case("inf")
        || body.eq_ignore_ascii_case("infinity")
        || (body.eq_ignore_ascii_case("nan") && body.len() == text.len());
    if !named && !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    (named || value.is_finite()).then_some(value)
}

fn parse_hex(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let mut exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for c in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    exponent -= 4 * i32::try_from(fraction.len()).ok()?;
    let value = value * 2.0_f64.powi(exponent);
    value.is_finite().then_some(value)
}
