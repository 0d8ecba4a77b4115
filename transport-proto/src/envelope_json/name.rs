//! Names of members, compared as Go's JSON decoder compares them.

/// Whether `written`, a JSON string without its quotes, names `name` (lower-case ASCII): escapes
/// undone, letter case ignored. Two letters outside ASCII are the same as `s` and `k` then.
pub(super) fn is(written: &[u8], name: &str) -> bool {
    let mut rest = written;
    for expected in name.bytes() {
        let Some((c, after)) = first(rest) else {
            return false;
        };
        let folded = match c {
            0x17F => u32::from(b's'),
            0x212A => u32::from(b'k'),
            0x41..=0x5A => c + 0x20,
            _ => c,
        };
        if folded != u32::from(expected) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

/// The first character, and what follows it. For characters that are in no name: any that is in
/// none either.
fn first(text: &[u8]) -> Option<(u32, &[u8])> {
    const OTHER: u32 = 0xFFFD;
    match text {
        [b'\\', b'u', a, b, c, d, rest @ ..] => {
            let digits = [a, b, c, d].map(|digit| char::from(*digit).to_digit(16));
            let value = digits
                .into_iter()
                .try_fold(0, |value, digit| Some(value * 16 + digit?));
            Some((value.unwrap_or(OTHER), rest))
        }
        // `\"`, `\\`, `\/` and control characters.
        [b'\\', _, rest @ ..] => Some((OTHER, rest)),
        [0xC5, 0xBF, rest @ ..] => Some((0x17F, rest)),
        [0xE2, 0x84, 0xAA, rest @ ..] => Some((0x212A, rest)),
        [byte, rest @ ..] if byte.is_ascii() => Some((u32::from(*byte), rest)),
        [_, rest @ ..] => Some((OTHER, rest)),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is;

    #[test]
    fn a_name_is_known_however_it_is_written() {
        for written in ["payload", "PayLoad", r"pay\u006coad", r"\u0050AYLOA\u0044"] {
            assert!(is(written.as_bytes(), "payload"), "{written}");
        }
        for written in ["input\u{17F}", r"input\u017f", r"\u0049nput\u0053"] {
            assert!(is(written.as_bytes(), "inputs"), "{written}");
        }
        assert!(is("\u{212A}ind".as_bytes(), "kind"));
    }

    #[test]
    fn another_name_is_another() {
        for written in [
            "",
            "payloa",
            "payloads",
            "pay load",
            r"\payload",
            r"pay\u00",
            "päyload",
        ] {
            assert!(!is(written.as_bytes(), "payload"), "{written}");
        }
        assert!(!is(b"pay\xFFoad", "payload"));
        assert!(!is(br"\/ayload", "payload"));
    }
}
