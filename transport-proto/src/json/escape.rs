//! Strings of JSON, in and out.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The text of a checked string, quotes included. Bytes that are no UTF-8 and lone
/// surrogates become U+FFFD, one each.
pub(super) fn unescaped(quoted: &[u8]) -> String {
    let inner = quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default();
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        push_lossy(&mut out, rest.get(..at).unwrap_or_default());
        rest = escape(rest.get(at..).unwrap_or_default(), &mut out);
    }
    push_lossy(&mut out, rest);
    out
}

fn push_lossy(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}

/// Reads the escape that `bytes` begin with; gives what follows it.
fn escape<'a>(bytes: &'a [u8], out: &mut String) -> &'a [u8] {
    let letter = bytes.get(1).copied().unwrap_or(b'\\');
    if letter == b'u' {
        return unicode(bytes, out);
    }
    out.push(match letter {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        other => char::from(other),
    });
    bytes.get(2..).unwrap_or_default()
}

/// Reads `\uXXXX`, and the second half of a surrogate pair.
fn unicode<'a>(bytes: &'a [u8], out: &mut String) -> &'a [u8] {
    let (first, rest) = (unit(bytes), bytes.get(6..).unwrap_or_default());
    let Some(first) = first else {
        out.push(char::REPLACEMENT_CHARACTER);
        return rest;
    };
    let second = (0xd800..0xdc00)
        .contains(&first)
        .then(|| unit(rest))
        .flatten()
        .filter(|second| (0xdc00..0xe000).contains(second));
    match second {
        Some(second) => {
            let code = 0x10000 + ((u32::from(first) - 0xd800) << 10) + u32::from(second) - 0xdc00;
            out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            rest.get(6..).unwrap_or_default()
        }
        None => {
            let code = u32::from(first);
            out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            rest
        }
    }
}

/// The code unit of `\uXXXX` at the start of `bytes`.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Writes a string with its quotes. `<`, `>`, `&` and the two line separators are
/// escaped, as the Go SDK does.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for char in text.chars() {
        match char {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '<' | '>' | '&' | '\0'..'\u{20}' => put_unit(out, char as u16),
            '\u{2028}' => out.extend_from_slice(b"\\u2028"),
            '\u{2029}' => out.extend_from_slice(b"\\u2029"),
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

fn put_unit(out: &mut Vec<u8>, unit: u16) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.push(HEX[usize::from(unit >> shift) & 15]);
    }
}

/// Writes a checked text without its white space, with `<`, `>`, `&` and the two line
/// separators escaped, as the Go SDK does.
pub fn compact(out: &mut Vec<u8>, text: &[u8]) {
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' if !quoted => continue,
            b'<' | b'>' | b'&' => put_unit(out, u16::from(*byte)),
            0xe2 if matches!(after, [0x80, 0xa8 | 0xa9, ..]) => {
                let last = after.get(1).copied().unwrap_or_default();
                put_unit(out, 0x2000 | u16::from(last & 0x3f));
                rest = after.get(2..).unwrap_or_default();
            }
            other => out.push(*other),
        }
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
    }
}
