//! Values in error texts, quoted as the Go SDK quotes them.

use std::fmt::Write;

/// `text` in double quotes; what cannot be seen is escaped as `\n`, `\x00`, `\u200b`.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        put(&mut out, char);
    }
    out.push('"');
    out
}

fn put(out: &mut String, char: char) {
    let short = match char {
        '"' => Some("\\\""),
        '\\' => Some("\\\\"),
        '\u{7}' => Some("\\a"),
        '\u{8}' => Some("\\b"),
        '\u{c}' => Some("\\f"),
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        '\t' => Some("\\t"),
        '\u{b}' => Some("\\v"),
        _ => None,
    };
    let code = u32::from(char);
    // Writing to a String cannot fail.
    let _ = match short {
        Some(short) => out.write_str(short),
        None if is_printable(char) => out.write_char(char),
        None if code < 0x80 => write!(out, "\\x{code:02x}"),
        None if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
        None => write!(out, "\\U{code:08x}"),
    };
}

/// Whether a character shows: letters, marks, numbers, signs, the plain space.
fn is_printable(char: char) -> bool {
    // The letter before it keeps a combining mark from being escaped.
    ["a", char.encode_utf8(&mut [0; 4])]
        .concat()
        .escape_debug()
        .count()
        == 2
        || char == '\''
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_is_left_and_the_rest_is_escaped() {
        let text = "a'é🎧\u{301} \u{a0}\u{200b}\0\n\"\\\u{7f}\u{e0001}";
        let expected = "\"a'é🎧\u{301} \\u00a0\\u200b\\x00\\n\\\"\\\\\\x7f\\U000e0001\"";
        assert_eq!(quoted(text), expected);
    }
}
