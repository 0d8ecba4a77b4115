//! Characters as the engine sees them: simple case mappings, letters, digits.

/// Blocks of decimal digits beyond ASCII: the zero of each.
const ZEROS: [u32; 24] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1b50, 0xff10,
];

/// Whether `c` may stand in a name: letter, decimal digit or underscore.
pub(crate) fn is_letter_or_digit(c: char) -> bool {
    if c.is_ascii() {
        return c == '_' || c.is_ascii_alphanumeric();
    }
    is_letter(c) || is_digit(c)
}

/// Whether `c` is a letter.
pub(crate) fn is_letter(c: char) -> bool {
    // What counts as alphabetic beyond letters: letter numbers, vowel signs, circled letters.
    c.is_alphabetic()
        && !c.is_numeric()
        && !matches!(c as u32, 0x345 | 0x5b0..=0x5bd | 0x610..=0x61a | 0x64b..=0x657
            | 0x900..=0x903 | 0x93e..=0x94f | 0x24b6..=0x24e9 | 0x1f130..=0x1f189)
}

/// Whether `c` is a decimal digit.
pub(crate) fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
        || ZEROS
            .iter()
            .any(|zero| (*zero..*zero + 10).contains(&(c as u32)))
}

/// Space of Unicode.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c as u32, 0x09..=0x0d | 0x20 | 0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a
        | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000)
}

/// The one capital letter of `c`; `c` where there is none.
pub(crate) fn to_upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => match c as u32 {
            0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => shifted(c, 8),
            0x1fb3 | 0x1fc3 | 0x1ff3 => shifted(c, 9),
            _ => c,
        },
    }
}

/// The one letter of `c` that begins a title.
pub(crate) fn to_title(c: char) -> char {
    match c as u32 {
        0x1c4..=0x1c6 => '\u{1c5}',
        0x1c7..=0x1c9 => '\u{1c8}',
        0x1ca..=0x1cc => '\u{1cb}',
        0x1f1..=0x1f3 => '\u{1f2}',
        0x10d0..=0x10fa | 0x10fd..=0x10ff => c,
        _ => to_upper(c),
    }
}

/// The one small letter of `c`; `c` where there is none.
pub(crate) fn to_lower(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        (Some(one), Some(_)) => one,
        _ => c,
    }
}

fn shifted(c: char, by: u32) -> char {
    char::from_u32(c as u32 + by).unwrap_or(c)
}

/// Calls `each` with every character; bytes that are none come as U+FFFD.
pub(crate) fn runes(text: &[u8]) -> impl Iterator<Item = char> + '_ {
    text.utf8_chunks().flat_map(|chunk| {
        chunk.valid().chars().chain(std::iter::repeat_n(
            char::REPLACEMENT_CHARACTER,
            chunk.invalid().len(),
        ))
    })
}

/// Bytes of characters.
pub(crate) fn encode(runes: impl IntoIterator<Item = char>) -> Vec<u8> {
    runes.into_iter().collect::<String>().into_bytes()
}

/// The text without space around it.
pub(crate) fn trim_space(mut text: &[u8]) -> &[u8] {
    while let Some((c, len)) = first_char(text) {
        if !is_space(c) {
            break;
        }
        text = text.get(len..).unwrap_or_default();
    }
    while let Some((c, len)) = last_char(text) {
        if !is_space(c) {
            break;
        }
        text = text.get(..text.len() - len).unwrap_or_default();
    }
    text
}

/// The first character and its bytes; a byte that begins none is U+FFFD and one byte long.
pub(crate) fn first_char(text: &[u8]) -> Option<(char, usize)> {
    let chunk = text.get(..text.len().min(4))?.utf8_chunks().next()?;
    match chunk.valid().chars().next() {
        Some(c) => Some((c, c.len_utf8())),
        None => Some((char::REPLACEMENT_CHARACTER, 1)),
    }
}

/// The last character and its bytes, likewise.
pub(crate) fn last_char(text: &[u8]) -> Option<(char, usize)> {
    if text.is_empty() {
        return None;
    }
    for len in 1..=text.len().min(4) {
        let tail = text.get(text.len() - len..)?;
        if let Ok(tail) = std::str::from_utf8(tail) {
            return Some((tail.chars().next()?, len));
        }
    }
    Some((char::REPLACEMENT_CHARACTER, 1))
}
