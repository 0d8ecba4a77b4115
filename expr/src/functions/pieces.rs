//! Parts of texts: trimming, cutting, splitting, and asking what a text holds.
//!
//! Places in texts are bytes, so a cut may part a character. A part borrows from its text
//! where that lies in the packet or the program.

use memchr::memmem;

use super::Param::{Int, Text as Txt};
use super::encoding::walked;
use super::texts::part;
use super::{Args, Function, made};
use crate::characters::{first_char, is_space, last_char, runes, trim_space};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::{List, Map, Text, Tree, Value};

pub(super) const TABLE: &[Function] = &[
    Function::of("trim", &[Txt], |cx, args| {
        let text = args.text_value(0);
        let rest = trim_space(text.bytes());
        cx.meter.look(text.len() - rest.len())?;
        part(cx, &text, rest)
    }),
    Function::of("trimAll", &[Txt, Txt], trim_all),
    Function::of("trimall", &[Txt, Txt], trim_all),
    Function::of("trimPrefix", &[Txt, Txt], |cx, args| {
        cx.meter.look(args.text(0).len())?;
        kept(cx, args, 1, |text| text.strip_prefix(args.text(0)))
    }),
    Function::of("trimSuffix", &[Txt, Txt], |cx, args| {
        cx.meter.look(args.text(0).len())?;
        kept(cx, args, 1, |text| text.strip_suffix(args.text(0)))
    }),
    Function::of("nospace", &[Txt], no_space),
    Function::of("trunc", &[Int, Txt], |cx, args| {
        kept(cx, args, 1, |text| truncated(args.int(0), text))
    }),
    Function::of("substr", &[Int, Int, Txt], |cx, args| {
        let text = args.text_value(2);
        part(
            cx,
            &text,
            substring(args.int(0), args.int(1), text.bytes())?,
        )
    }),
    Function::of("contains", &[Txt, Txt], |cx, args| {
        // What is looked for is taken apart before.
        walked(cx, args.text(0))?;
        cx.meter.look(args.text(1).len())?;
        let found = memmem::find(args.text(1), args.text(0)).is_some();
        Ok(Value::Bool(found))
    }),
    Function::of("hasPrefix", &[Txt, Txt], |cx, args| {
        cx.meter.look(args.text(0).len())?;
        Ok(Value::Bool(args.text(1).starts_with(args.text(0))))
    }),
    Function::of("hasSuffix", &[Txt, Txt], |cx, args| {
        cx.meter.look(args.text(0).len())?;
        Ok(Value::Bool(args.text(1).ends_with(args.text(0))))
    }),
    Function::of("splitList", &[Txt, Txt], |cx, args| {
        let parts = split(cx, args.text(0), args.text_value(1), -1)?;
        Ok(Value::List(List::of_texts(parts)))
    }),
    Function::of("split", &[Txt, Txt], |cx, args| {
        numbered(cx, split(cx, args.text(0), args.text_value(1), -1)?)
    }),
    Function::of("splitn", &[Txt, Int, Txt], |cx, args| {
        numbered(
            cx,
            split(cx, args.text(0), args.text_value(2), args.int(1))?,
        )
    }),
];

/// The part of argument `i` that `keep` chooses; all of it where it chooses none. What is
/// looked at for the choice is paid for before.
fn kept<'v>(
    cx: &Cx<'_>,
    args: Args<'_, 'v>,
    i: usize,
    keep: impl Fn(&[u8]) -> Option<&[u8]>,
) -> Result<Value<'v>, Fault> {
    let text = args.text_value(i);
    part(cx, &text, keep(text.bytes()).unwrap_or(text.bytes()))
}

fn trim_all<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text_value(1);
    let mut rest = text.bytes();
    let mut set: Vec<char> = runes(args.text(0)).collect();
    cx.meter.make(set.len() * size_of::<char>())?;
    set.sort_unstable();
    let is_cut = |c| set.binary_search(&c).is_ok();
    while let Some((c, len)) = first_char(rest)
        && is_cut(c)
    {
        rest = rest.get(len..).unwrap_or_default();
    }
    while let Some((c, len)) = last_char(rest)
        && is_cut(c)
    {
        rest = rest.get(..rest.len() - len).unwrap_or_default();
    }
    cx.meter.look(text.len() - rest.len())?;
    part(cx, &text, rest)
}

/// Drops space byte by byte; every byte that stays is the character of its number, so what
/// is not ASCII changes.
fn no_space<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    cx.meter.make(args.text(0).len())?;
    let bytes = args.text(0).iter().map(|byte| char::from(*byte));
    made(cx, bytes.filter(|c| !is_space(*c)).collect::<String>())
}

/// The first bytes, or with a negative count the last; all where there are no more.
fn truncated(count: i64, text: &[u8]) -> Option<&[u8]> {
    let size = usize::try_from(count.unsigned_abs()).ok()?;
    if count >= 0 {
        text.get(..size)
    } else {
        text.get(text.len().checked_sub(size)?..)
    }
}

/// Bytes from `start` to before `end`: a negative `start` is the beginning, a negative `end`
/// or one beyond the text is its end, where there is a `start`.
fn substring(start: i64, end: i64, text: &[u8]) -> Result<&[u8], Fault> {
    let out_of_range = || Fault::refused("slice bounds out of range");
    let length = text.len() as i64;
    let range = match (start, end) {
        (..0, end) => 0..end,
        (start, end) if end < 0 || end > length => start..length,
        (start, end) => start..end,
    };
    let start = usize::try_from(range.start).map_err(|_| out_of_range())?;
    let end = usize::try_from(range.end).map_err(|_| out_of_range())?;
    text.get(start..end).ok_or_else(out_of_range)
}

/// Where characters begin, and the end of the text. A byte that is none counts as one.
pub(super) fn boundaries(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (_, len) = first_char(text.get(at..)?)?;
        at += len;
        Some(at)
    })
    .scan(0, |start, end| Some(std::mem::replace(start, end)))
    .chain(std::iter::once(text.len()))
}

/// Parts between separators, at most `count` of them (any number if it is negative); an
/// empty separator parts characters.
fn split<'v>(
    cx: &Cx<'_>,
    separator: &[u8],
    text: Text<'v>,
    count: i64,
) -> Result<Vec<Value<'v>>, Fault> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    if most == 0 {
        return Ok(Vec::new());
    }
    walked(cx, separator)?;
    cx.meter.look(text.len())?;
    let bytes = text.bytes();
    let cuts: Box<dyn Iterator<Item = usize>> = if separator.is_empty() {
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        Box::new(boundaries(bytes).skip(1).take_while(|at| *at < bytes.len()))
    } else {
        Box::new(memmem::find_iter(bytes, separator))
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for cut in cuts.take(most - 1) {
        cx.meter.make(size_of::<Value<'_>>())?;
        parts.push(part(cx, &text, bytes.get(from..cut).unwrap_or_default())?);
        from = cut + separator.len();
    }
    parts.push(part(cx, &text, bytes.get(from..).unwrap_or_default())?);
    Ok(parts)
}

/// Parts as an object with the keys `_0`, `_1`, ...
fn numbered<'v>(cx: &Cx<'_>, parts: Vec<Value<'v>>) -> Result<Value<'v>, Fault> {
    let mut tree = Tree::new();
    for (i, part) in parts.into_iter().enumerate() {
        let key = format!("_{i}").into_bytes();
        cx.meter.make(2 * size_of::<Value<'_>>() + key.len())?;
        tree.insert(Text::from(key), part);
    }
    Ok(Value::Map(Map::of_texts(tree)))
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn a_cut_counts_bytes_from_either_end() {
        gives(r#"{{ trunc 3 "abcd" }}{{ trunc -3 "abcd" }}"#, "abcbcd");
        gives(
            r#"{{ trunc 9 "abcd" }}{{ trunc -4 "abcd" }}{{ trunc 0 "abcd" }}"#,
            "abcdabcd",
        );
        gives(r#"{{ trunc -9223372036854775808 "ab" }}"#, "ab");
    }

    #[test]
    fn a_substring_out_of_its_text_is_refused() {
        gives(
            r#"{{ substr 1 -1 "abc" }}{{ substr 1 9 "abc" }}{{ substr 3 3 "abc" }}"#,
            "bcbc",
        );
        gives(r#"{{ substr -1 2 "abc" }}"#, "ab");
        for source in [
            r#"{{ substr -1 4 "abc" }}"#,
            r#"{{ substr -1 -1 "abc" }}"#,
            r#"{{ substr 2 1 "abc" }}"#,
            r#"{{ substr 4 -1 "abc" }}"#,
        ] {
            refuses(source);
        }
    }

    #[test]
    fn a_set_of_characters_is_trimmed_from_both_ends() {
        gives(
            r#"{{ trimAll "éa" "aébéa" }}|{{ trimAll "ab" "abab" }}|"#,
            "b||",
        );
        gives(
            r#"{{ trimAll "" "aa" }}{{ trimPrefix "ab" "aab" }}{{ trimSuffix "" "x" }}"#,
            "aaaabx",
        );
    }

    #[test]
    fn a_text_splits_into_at_most_so_many_parts() {
        for (source, wanted) in [
            (r#"{{ splitn "," 0 "a,b" | toJson }}"#, "{}"),
            (r#"{{ splitn "," 1 "a,b" | toJson }}"#, r#"{"_0":"a,b"}"#),
            (
                r#"{{ splitn "," -1 "a,b" | toJson }}"#,
                r#"{"_0":"a","_1":"b"}"#,
            ),
            (
                r#"{{ splitn "" 2 "aéb" | toJson }}"#,
                r#"{"_0":"a","_1":"éb"}"#,
            ),
            (r#"{{ splitn "" 2 "" | toJson }}"#, "{}"),
            (r#"{{ splitList "" "" | toJson }}"#, "[]"),
            (r#"{{ splitList "aa" "aaa" | toJson }}"#, r#"["","a"]"#),
            (r#"{{ len (splitList "" (trunc 2 "aéb")) }}"#, "2"),
        ] {
            gives(source, wanted);
        }
    }
}
