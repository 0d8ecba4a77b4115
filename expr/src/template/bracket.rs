//! Lookups in brackets, `steps["my-step"]`: a form of ours that the language has not (spec 4.1).
//!
//! Owns what such brackets look like, and how they read inside a raw literal. Never looks
//! anything up.

use super::quote::unquote_at;
use crate::characters::is_letter_or_digit;

/// Bytes of the brackets that `text` begins with, a key in quotes between them (in single
/// quotes a key is one character); 0 where it begins with none.
pub(super) fn bracket_len(text: &str) -> usize {
    if !text.starts_with('[') {
        return 0;
    }
    match unquote_at(text, 1) {
        Some((_, end)) if text.as_bytes().get(end) == Some(&b']') => end + 1,
        _ => 0,
    }
}

/// A raw literal with each lookup inside it spelled as the call that it stands for, as the
/// dialect has it: `` `a["b"]` `` says `(index a "b")`. Quoted literals and text outside of
/// actions stay as they are.
pub(super) fn spelled_out(raw: &str) -> String {
    let (begins, lookups) = lookups(raw);
    let (mut out, mut begins) = (
        String::with_capacity(raw.len()),
        begins.into_iter().peekable(),
    );
    let mut lookups = lookups.into_iter().peekable();
    let mut at = 0;
    while let Some(c) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        while begins.next_if_eq(&at).is_some() {
            out.push_str("(index ");
        }
        if let Some((_, len)) = lookups.next_if(|(from, _)| *from == at) {
            out.push(' ');
            out.push_str(raw.get(at + 1..at + len - 1).unwrap_or_default());
            out.push(')');
            at += len;
        } else {
            out.push(c);
            at += c.len_utf8();
        }
    }
    out
}

/// Where what is looked into begins, in order, once for each lookup; and where each lookup
/// stands, with its bytes.
fn lookups(raw: &str) -> (Vec<usize>, Vec<(usize, usize)>) {
    let (mut begins, mut found) = (Vec::new(), Vec::new());
    // Where the word or parenthesis begins that ends here, and where open ones began.
    let (mut word, mut open): (Option<usize>, Vec<usize>) = (None, Vec::new());
    let mut at = 0;
    while let Some(c) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        let len = match (c, word) {
            ('[', Some(_)) => bracket_len(raw.get(at..).unwrap_or_default()),
            _ => 0,
        };
        match (c, word) {
            (_, Some(begin)) if len > 0 => {
                begins.push(begin);
                found.push((at, len));
            }
            ('(', _) => {
                open.push(at);
                word = None;
            }
            (')', _) => word = open.pop(),
            ('.', _) => word = word.or(Some(at)),
            (c, _) if is_letter_or_digit(c) => word = word.or(Some(at)),
            _ => word = None,
        }
        at += len.max(c.len_utf8());
    }
    begins.sort_unstable();
    (begins, found)
}

#[cfg(test)]
mod tests {
    use super::{bracket_len, spelled_out};

    #[test]
    fn brackets_hold_one_key_in_quotes() {
        for (text, len) in [
            ("[\"my-step\"].x", 11),
            ("[\"a\\\"]b\"]", 9),
            ("['a']", 5),
            ("['ü']", 6),
            ("['ab']", 0),
            ("[`a`]", 0),
            ("[\"a\"", 0),
            ("[ \"a\"]", 0),
            ("[0]", 0),
            ("[\"\\q\"]", 0),
            ("", 0),
        ] {
            assert_eq!(bracket_len(text), len, "{text}");
        }
    }

    #[test]
    fn a_lookup_in_a_raw_literal_is_spelled_as_a_call() {
        for (raw, wanted) in [
            ("a[\"b\"]", "(index a \"b\")"),
            ("a.b[\"c\"][\"d\"].e!", "(index (index a.b \"c\") \"d\").e!"),
            ("a[\"b\"].c[\"d\"]", "(index (index a \"b\").c \"d\")"),
            ("(a \"b\")[\"c\"]", "(index (a \"b\") \"c\")"),
            ("{\"a\": [\"b\"]}", "{\"a\": [\"b\"]}"),
            ("ü['x']", "(index ü 'x')"),
            ("a ) [\"b\"]", "a ) [\"b\"]"),
        ] {
            assert_eq!(spelled_out(raw), wanted);
        }
    }
}
