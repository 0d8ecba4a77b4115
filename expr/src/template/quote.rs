//! Quoted literals: taken apart and written, with Go's escapes.

/// The bytes of a literal that is `text` as a whole, in `"`, `'` (one character) or `` ` ``.
pub(crate) fn unquote(text: &str) -> Option<Vec<u8>> {
    let quote = text.bytes().next()?;
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    if text.len() < 2 || text.bytes().last()? != quote {
        return None;
    }
    match quote {
        b'`' => (!inner.contains('`')).then(|| inner.replace('\r', "").into_bytes()),
        b'"' | b'\'' => {
            let mut out = Vec::new();
            let (mut rest, mut count) = (inner, 0);
            while !rest.is_empty() {
                let (rune, tail) = unquote_char(rest, quote)?;
                rune.put(&mut out);
                rest = tail;
                count += 1;
            }
            (quote == b'"' || count == 1).then_some(out)
        }
        _ => None,
    }
}

/// The literal in `"` or `'` that begins at `start`, and where it ends.
pub(super) fn unquote_at(text: &str, start: usize) -> Option<(Vec<u8>, usize)> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(start)?;
    if quote != b'"' && quote != b'\'' {
        return None;
    }
    let mut i = start + 1;
    loop {
        let byte = *bytes.get(i)?;
        if byte == b'\\' && i + 1 < bytes.len() {
            i += 2;
        } else if byte == quote {
            return Some((unquote(text.get(start..=i)?)?, i + 1));
        } else {
            i += 1;
        }
    }
}

/// One element of a literal: a character, or a byte given by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rune {
    Char(char),
    Byte(u8),
}

impl Rune {
    fn put(self, out: &mut Vec<u8>) {
        match self {
            Self::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Self::Byte(byte) => out.push(byte),
        }
    }

    pub(super) fn number(self) -> u32 {
        match self {
            Self::Char(c) => c as u32,
            Self::Byte(byte) => u32::from(byte),
        }
    }
}

/// The first element of `text`, inside a literal in `quote`, and what follows it.
pub(super) fn unquote_char(text: &str, quote: u8) -> Option<(Rune, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first == char::from(quote) || first == '\n' {
        return None;
    }
    if first != '\\' {
        return Some((Rune::Char(first), chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let plain = match escape {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        '\'' | '"' if escape == char::from(quote) => escape,
        'x' => {
            let value = digits(rest, 2, 16)?;
            return Some((Rune::Byte(value as u8), rest.get(2..)?));
        }
        'u' | 'U' => {
            let count = if escape == 'u' { 4 } else { 8 };
            let c = char::from_u32(digits(rest, count, 16)?)?;
            return Some((Rune::Char(c), rest.get(count..)?));
        }
        '0'..='7' => {
            let all = text.get(1..4)?;
            let value = u8::try_from(digits(all, 3, 8)?).ok()?;
            return Some((Rune::Byte(value), text.get(4..)?));
        }
        _ => return None,
    };
    Some((Rune::Char(plain), rest))
}

fn digits(text: &str, count: usize, base: u32) -> Option<u32> {
    let text = text.get(..count)?;
    text.chars()
        .all(|c| c.is_digit(base))
        .then(|| u32::from_str_radix(text, base).ok())?
}

/// Writes a literal in `"`; with `ascii` everything else as escapes.
pub(crate) fn quote(text: &[u8], ascii: bool) -> String {
    let mut out = String::from("\"");
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(c, '"', ascii, &mut out);
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// Writes a character in `'`.
pub(crate) fn quote_char(c: char, ascii: bool) -> String {
    let mut out = String::from("'");
    push_escaped(c, '\'', ascii, &mut out);
    out.push('\'');
    out
}

fn push_escaped(c: char, quote: char, ascii: bool, out: &mut String) {
    match c {
        '\\' => out.push_str("\\\\"),
        c if c == quote => {
            out.push('\\');
            out.push(c);
        }
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0b' => out.push_str("\\v"),
        c if (c as u32) < 0x20 || c as u32 == 0x7f => {
            out.push_str(&format!("\\x{:02x}", c as u32));
        }
        c if c.is_ascii() || (!ascii && is_printable(c)) => out.push(c),
        c if (c as u32) < 0x10000 => out.push_str(&format!("\\u{:04x}", c as u32)),
        c => out.push_str(&format!("\\U{:08x}", c as u32)),
    }
}

/// Whether a character beyond ASCII shows as itself in a quoted text.
pub(crate) fn is_printable(c: char) -> bool {
    !c.is_control()
        && (c == ' ' || !c.is_whitespace())
        && !matches!(c as u32,
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0xd800..=0xf8ff | 0xfeff | 0xfff0..=0xfffb
            | 0xfffe | 0xffff | 0xe0000..=0x10ffff)
        // What no character is assigned to is escaped; a mark shows only after a letter.
        && !["a", c.encode_utf8(&mut [0; 4])].concat().escape_debug().skip(1).any(|c| c == '\\')
}
