//! Values as texts, and texts put together: quoting, joining, indenting, replacing.
//!
//! Owns how any value becomes a text ([`strval`]) and a list becomes texts ([`texts`]). Text
//! is bytes here; what is no UTF-8 stays as it is.

use memchr::memmem;

use super::Param::{Any, Int, Text as Txt};
use super::encoding::walked;
use super::pieces::boundaries;
use super::{Args, Function, made};
use crate::fault::Fault;
use crate::format;
use crate::template::{Cx, quote};
use crate::value::{List, Text, Value};

pub(super) const TABLE: &[Function] = &[
    Function::of("toString", &[Any], |cx, args| match args.get(0) {
        text @ Value::Text(_) => Ok(text.clone()),
        other => Ok(Value::owned(strval(cx, other)?)),
    }),
    Function::of("toStrings", &[Any], |cx, args| {
        Ok(Value::List(List::of_texts(texts(cx, args.get(0))?)))
    }),
    Function::of("join", &[Txt, Any], join),
    Function::of("sortAlpha", &[Any], sorted),
    Function::of("quote", &[], |cx, args| {
        let quoted = |text: &[u8]| quote(text, false).into_bytes();
        each(cx, args, quoted)
    })
    .and_more(Any),
    Function::of("squote", &[], |cx, args| {
        each(cx, args, |text| [b"'", text, b"'"].concat())
    })
    .and_more(Any),
    Function::of("cat", &[], |cx, args| each(cx, args, <[u8]>::to_vec)).and_more(Any),
    Function::of("indent", &[Int, Txt], |cx, args| indented(cx, args, b"")),
    Function::of("nindent", &[Int, Txt], |cx, args| indented(cx, args, b"\n")),
    Function::of("replace", &[Txt, Txt, Txt], replaced),
    Function::of("plural", &[Txt, Txt, Int], |_, args| {
        Ok(args.get(usize::from(args.int(2) != 1)).clone())
    }),
];

/// Any value as a text: a text as it is, anything else as it prints.
pub(super) fn strval(cx: &Cx<'_>, value: &Value<'_>) -> Result<Vec<u8>, Fault> {
    match value {
        Value::Text(text) => {
            cx.meter.make(text.len())?;
            Ok(text.bytes().to_vec())
        }
        other => format::metered(other, cx),
    }
}

/// The elements of a list as texts, nulls left out; anything else is a list of itself, and
/// null of nothing.
pub(super) fn texts<'v>(cx: &Cx<'_>, value: &Value<'v>) -> Result<Vec<Value<'v>>, Fault> {
    let text_of = |value: &Value<'v>| match value {
        Value::Text(_) => Ok(value.clone()),
        other => strval(cx, other).map(Value::owned),
    };
    match value {
        Value::Absent | Value::Nil => Ok(Vec::new()),
        Value::List(list) => {
            let mut texts = Vec::new();
            for element in list.values().iter().filter(|value| !value.is_nothing()) {
                cx.meter.make(size_of::<Value<'_>>())?;
                texts.push(text_of(element)?);
            }
            Ok(texts)
        }
        other => Ok(vec![text_of(other)?]),
    }
}

/// A part of a text, without a copy where the text lies in the packet or the program.
pub(super) fn part<'v>(cx: &Cx<'_>, text: &Text<'v>, part: &[u8]) -> Result<Value<'v>, Fault> {
    if let Text::Borrowed(whole) = text {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        if let Some(part) = start
            .checked_add(part.len())
            .and_then(|end| whole.get(start..end))
        {
            return Ok(Value::Text(Text::Borrowed(part)));
        }
    }
    if part.len() == text.len() {
        return Ok(Value::Text(text.clone()));
    }
    made(cx, part)
}

fn join<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let texts = texts(cx, args.get(1))?;
    let separator = args.text(0);
    let separators = separator
        .len()
        .saturating_mul(texts.len().saturating_sub(1));
    let length = texts.iter().filter_map(Value::as_text).map(<[u8]>::len);
    cx.meter
        .make(length.fold(separators, usize::saturating_add))?;
    let parts: Vec<&[u8]> = texts.iter().filter_map(Value::as_text).collect();
    Ok(Value::owned(parts.join(separator)))
}

fn sorted<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut texts = match args.get(0) {
        list @ Value::List(_) => texts(cx, list)?,
        other => vec![Value::owned(strval(cx, other)?)],
    };
    let bytes: usize = texts
        .iter()
        .filter_map(Value::as_text)
        .map(<[u8]>::len)
        .sum();
    // Each text is compared about so many times.
    let times = 1 + texts.len().max(1).ilog2();
    cx.meter.burn(texts.len() as u64 * u64::from(times))?;
    cx.meter.look(bytes.saturating_mul(times as usize))?;
    texts.sort_by(|one, two| one.as_text().cmp(&two.as_text()));
    Ok(Value::List(List::of_texts(texts)))
}

/// Every value as a text and then by `show`, nulls left out, a space between two.
fn each<'v>(
    cx: &Cx<'_>,
    args: Args<'_, 'v>,
    show: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<Value<'v>, Fault> {
    let mut shown = Vec::new();
    for value in args.from(0).iter().filter(|value| !value.is_nothing()) {
        let text = strval(cx, value)?;
        // Most bytes that show as an escape are four then.
        cx.meter.make(text.len().saturating_mul(4))?;
        shown.push(show(&text));
    }
    made(cx, shown.join(&b' '))
}

fn indented<'v>(cx: &Cx<'_>, args: Args<'_, 'v>, before: &[u8]) -> Result<Value<'v>, Fault> {
    let width = usize::try_from(args.int(0)).map_err(|_| Fault::refused("negative indent"))?;
    let text = args.text(1);
    cx.meter.look(text.len())?;
    let lines = 1 + memchr::memchr_iter(b'\n', text).count();
    let length = width.saturating_mul(lines).saturating_add(text.len());
    cx.meter.make(length.saturating_add(before.len()))?;
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(before);
    for (i, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if i > 0 {
            out.push(b'\n');
        }
        out.extend(std::iter::repeat_n(b' ', width));
        out.extend_from_slice(line);
    }
    Ok(Value::owned(out))
}

/// Every `old` becomes `new`; an empty `old` stands before each character and at the end.
fn replaced<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let (old, new, text) = (args.text(0), args.text(1), args.text(2));
    let places = || -> Box<dyn Iterator<Item = usize> + '_> {
        if old.is_empty() {
            Box::new(boundaries(text))
        } else {
            Box::new(memmem::find_iter(text, old))
        }
    };
    // Both twice: to count the places, and to fill them.
    walked(cx, old)?;
    cx.meter.look(text.len().saturating_mul(2))?;
    let grown = new.len().saturating_mul(places().count());
    cx.meter.make(text.len().saturating_add(grown))?;
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for place in places() {
        out.extend_from_slice(text.get(from..place).unwrap_or_default());
        out.extend_from_slice(new);
        from = place + old.len();
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    Ok(Value::owned(out))
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn nulls_are_left_out_of_texts() {
        gives(
            r#"{{ join "-" (list nil "a" nil 1 2.5 true) }}"#,
            "a-1-2.5-true",
        );
        gives(r#"{{ cat nil }}|{{ quote nil nil }}|{{ squote }}"#, "||");
        gives("{{ len (toStrings (list nil nil)) }}", "0");
        gives("{{ toStrings nil | toJson }}", "[]");
        gives("{{ toString nil }}", "<nil>");
        gives("{{ sortAlpha nil | toJson }}", r#"["\u003cnil\u003e"]"#);
    }

    #[test]
    fn a_value_that_is_no_list_is_joined_as_a_list_of_itself() {
        gives(r#"{{ join "," 5 }}{{ sortAlpha 5 }}"#, "5[5]");
        gives(r#"{{ join "," (dict "a" 1) }}"#, "map[a:1]");
    }

    #[test]
    fn an_empty_text_to_replace_stands_between_all_characters() {
        gives(r#"{{ replace "" "-" "aé" }}"#, "-a-é-");
        gives(r#"{{ replace "" "-" "" }}"#, "-");
        gives(r#"{{ replace "aa" "b" "aaa" }}"#, "ba");
    }

    #[test]
    fn every_line_is_indented() {
        gives(r#"{{ indent 1 "a\n\nb" }}"#, " a\n \n b");
        gives(r#"{{ nindent 1 "" }}"#, "\n ");
        refuses(r#"{{ indent -1 "a" }}"#);
    }

    #[test]
    fn one_is_singular_and_all_else_plural() {
        gives(
            r#"{{ plural "a" "b" 1 }}{{ plural "a" "b" 0 }}{{ plural "a" "b" -1 }}"#,
            "abb",
        );
    }

    #[test]
    fn texts_sort_by_their_bytes() {
        gives(
            r#"{{ sortAlpha (list "b" "é" "B" "" "a" 10 9) | toJson }}"#,
            r#"["","10","9","B","a","b","é"]"#,
        );
    }
}
