//! Whole numbers by verbs.

use super::printer::Spec;

/// A whole number in a base, with sign, prefix, and zeros as the flags ask.
pub(super) fn digits(negative: bool, size: u64, verb: char, spec: &Spec) -> String {
    let mut digits = match verb {
        'b' => format!("{size:b}"),
        'o' | 'O' => format!("{size:o}"),
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        _ => size.to_string(),
    };
    if spec.precision == Some(0) && size == 0 {
        return String::new();
    }
    let signed = negative || spec.plus || spec.space;
    let least = match (spec.precision, spec.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if spec.zero && !spec.minus => width - usize::from(signed && width > 0),
        _ => 0,
    };
    if digits.len() < least {
        digits.insert_str(0, &"0".repeat(least - digits.len()));
    }
    if spec.sharp {
        match verb {
            'b' => digits.insert_str(0, "0b"),
            'o' if !digits.starts_with('0') => digits.insert(0, '0'),
            'x' => digits.insert_str(0, "0x"),
            'X' => digits.insert_str(0, "0X"),
            _ => {}
        }
    }
    if verb == 'O' {
        digits.insert_str(0, "0o");
    }
    if negative {
        digits.insert(0, '-');
    } else if spec.plus {
        digits.insert(0, '+');
    } else if spec.space {
        digits.insert(0, ' ');
    }
    digits
}

/// A character's number as `U+0041`, with the character itself where asked.
pub(super) fn unicode(size: u64, spec: &Spec) -> String {
    let digits = format!("{size:04X}");
    let zeros = "0".repeat(spec.precision.unwrap_or(0).saturating_sub(digits.len()));
    let text = format!("U+{zeros}{digits}");
    match u32::try_from(size).ok().and_then(char::from_u32) {
        Some(c) if spec.sharp && (c.is_ascii_graphic() || crate::template::is_printable(c)) => {
            format!("{text} '{c}'")
        }
        _ => text,
    }
}
