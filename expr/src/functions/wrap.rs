//! Texts made to fit: lines of a width, and abbreviations.
//!
//! Widths are bytes. Only the space character parts words here.

use memchr::{memchr, memrchr};

use super::Param::{Int, Text as Txt};
use super::texts::part;
use super::{Args, Function, made};
use crate::characters::is_space;
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("wrap", &[Int, Txt], |cx, args| {
        lines(cx, (args.text(1), args.int(0)), b"\n", LongWords::Stay)
    }),
    Function::of("wrapWith", &[Int, Txt, Txt], |cx, args| {
        let line_end = match args.text(1) {
            b"" => b"\n",
            line_end => line_end,
        };
        lines(cx, (args.text(2), args.int(0)), line_end, LongWords::Break)
    }),
    Function::of("abbrev", &[Int, Txt], |cx, args| {
        abbreviated(cx, args, (0, args.int(0)), 1)
    }),
    Function::of("abbrevboth", &[Int, Int, Txt], |cx, args| {
        abbreviated(cx, args, (args.int(0), args.int(1)), 2)
    }),
    Function::of("initials", &[Txt], |cx, args| {
        let text = args.text(0);
        cx.meter.look(text.len())?;
        made(cx, initials(text))
    }),
];

/// What becomes of a word that is longer than a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LongWords {
    Stay,
    Break,
}

/// Breaks a text at spaces so that no line is wider than it must be.
fn lines<'v>(
    cx: &Cx<'_>,
    (text, width): (&[u8], i64),
    line_end: &[u8],
    long_words: LongWords,
) -> Result<Value<'v>, Fault> {
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    cx.meter.make(text.len())?;
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(line) = rest.get(..=width) {
        if let Some(after) = rest.strip_prefix(b" ") {
            cx.meter.burn(1)?;
            rest = after;
            continue;
        }
        let space = memrchr(b' ', line).or_else(|| match long_words {
            LongWords::Break => None,
            LongWords::Stay => {
                let beyond = rest.get(width..).unwrap_or_default();
                Some(memchr(b' ', beyond).map_or(rest.len(), |at| width + at))
            }
        });
        let end = space.unwrap_or(width);
        if end >= rest.len() {
            break;
        }
        cx.meter.look(end.max(width))?;
        cx.meter.make(line_end.len())?;
        out.extend_from_slice(rest.get(..end).unwrap_or_default());
        out.extend_from_slice(line_end);
        // The space that a line ends at is gone.
        rest = rest
            .get(end + usize::from(space.is_some())..)
            .unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Ok(Value::owned(out))
}

const ELLIPSIS: &[u8] = b"...";

/// The text, or of a longer one as much as fits into `width` from about `offset` on, with an
/// ellipsis for what is cut at either end. What is too narrow for that changes nothing.
fn abbreviated<'v>(
    cx: &Cx<'_>,
    args: Args<'_, 'v>,
    (offset, width): (i64, i64),
    i: usize,
) -> Result<Value<'v>, Fault> {
    let whole = args.text_value(i);
    let text = whole.bytes();
    let length = text.len() as i64;
    if length <= width || width < 4 || (offset > 0 && width < 7) {
        return part(cx, &whole, text);
    }
    let shown = width - 3;
    // Not so late that the end of the text would not fill the width.
    let offset = offset.min(length - shown);
    let slice = |from: i64, to: i64| {
        let from = usize::try_from(from).unwrap_or_default();
        let to = usize::try_from(to).unwrap_or_default();
        text.get(from..to).unwrap_or_default()
    };
    let parts: [&[u8]; 3] = if offset <= 4 {
        [b"", slice(0, shown), ELLIPSIS]
    } else if offset + shown < length {
        [ELLIPSIS, slice(offset, offset + shown - 3), ELLIPSIS]
    } else {
        [ELLIPSIS, slice(length - shown, length), b""]
    };
    made(cx, parts.concat())
}

/// The first byte of each word, as the character of its number.
fn initials(text: &[u8]) -> String {
    let mut after_space = true;
    let bytes = text.iter().map(|byte| char::from(*byte));
    bytes
        .filter(|c| std::mem::replace(&mut after_space, is_space(*c)) && !is_space(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::gives;

    #[test]
    fn a_line_may_be_as_long_as_the_width() {
        gives(r#"{{ wrapWith 6 "|" "ab cde fgh" }}"#, "ab cde|fgh");
        gives(r#"{{ wrapWith 2 "|" "abcdef" }}"#, "ab|cd|ef");
        gives(r#"{{ wrapWith -1 "|" "ab" }}"#, "a|b");
    }

    #[test]
    fn spaces_before_a_line_that_is_too_long_are_dropped() {
        gives(r#"{{ wrapWith 3 "|" "   ab" }}"#, " ab");
        gives(r#"{{ wrap 3 "ab    cd" }}"#, "ab \n cd");
        gives(r#"{{ wrap 3 "abcdef " }}"#, "abcdef\n");
        gives(r#"{{ wrap 3 "" }}"#, "");
    }

    #[test]
    fn an_abbreviation_shows_what_is_about_its_offset() {
        let of = |offset: i64, width: i64| {
            format!("{{{{ abbrevboth {offset} {width} \"abcdefghijklmno\" }}}}")
        };
        for (offset, width, wanted) in [
            (-1, 10, "abcdefg..."),
            (0, 10, "abcdefg..."),
            (4, 10, "abcdefg..."),
            (5, 10, "...fghi..."),
            (6, 10, "...ghij..."),
            (8, 10, "...ijklmno"),
            (10, 10, "...ijklmno"),
            (99, 10, "...ijklmno"),
            (5, 7, "...f..."),
            (5, 6, "abcdefghijklmno"),
            (0, 4, "a..."),
            (0, 3, "abcdefghijklmno"),
            (0, 15, "abcdefghijklmno"),
        ] {
            gives(&of(offset, width), wanted);
        }
    }

    #[test]
    fn initials_are_bytes() {
        gives(r#"{{ initials "  ada  lovelace\tbyron" }}"#, "alb");
        gives(r#"{{ initials "Élan" }}"#, "Ã");
    }
}
