//! The complete judgement of any message of the contract: every broken rule, with
//! its path (slow path; the data path asks the view for a verdict instead).

use std::fmt::Write as _;

use crate::contract::{Count, Field, Kind, MapLimits, Message};
use crate::malformed::Malformed;
use crate::merged::{Merged, Value};
use crate::text;
use crate::violation::{Rule, Violation};

/// Most violations that are listed for one message.
pub const MAX_VIOLATIONS: usize = 1024;
/// A key longer than this many characters is shortened in paths.
const LONG_KEY_CHARS: usize = 40;
/// What is left of a shortened key, beside its length.
const SHORT_KEY_CHARS: usize = 8;

/// Judges `bytes` as a message of type `message`: the violations, none where it keeps
/// every limit. At most [`MAX_VIOLATIONS`] are listed.
///
/// # Errors
/// [`Malformed`] where the bytes are no such message at all.
pub fn validate(message: &'static Message, bytes: &[u8]) -> Result<Vec<Violation>, Malformed> {
    Ok(judge(&Merged::decode(message, bytes)?))
}

/// Judges a message that has been decoded already.
#[must_use]
pub fn judge(merged: &Merged<'_>) -> Vec<Violation> {
    let mut judge = Judge {
        path: String::new(),
        found: Vec::new(),
    };
    judge.message(merged);
    judge.found
}

struct Judge {
    /// Path of what is judged now, empty for the outermost message.
    path: String,
    found: Vec<Violation>,
}

impl Judge {
    fn report(&mut self, rule: Rule, key: bool) {
        if self.found.len() < MAX_VIOLATIONS {
            self.found.push(Violation {
                field: self.path.clone().into(),
                rule,
                key,
            });
        }
    }

    fn expect(&mut self, holds: bool, rule: Rule) {
        if !holds {
            self.report(rule, false);
        }
    }

    /// Judges something with `step` added to the path.
    fn within(&mut self, step: std::fmt::Arguments<'_>, judge: impl FnOnce(&mut Self)) {
        let len = self.path.len();
        // Writing to a String does not fail.
        let _ = self.path.write_fmt(step);
        judge(self);
        self.path.truncate(len);
    }

    fn message(&mut self, merged: &Merged<'_>) {
        if merged.message.has_chunk_rules {
            self.chunk(merged);
        }
        for (field, value) in merged.fields() {
            let dot = if self.path.is_empty() { "" } else { "." };
            self.within(format_args!("{dot}{}", field.name), |judge| {
                judge.field(field, value);
            });
        }
    }

    fn field(&mut self, field: &Field, value: Option<&Value<'_>>) {
        let (Count::Many { max_items }, Some(Value::Many { items, count })) = (field.count, value)
        else {
            return self.value(&field.kind, value);
        };
        self.expect(*count <= max_items, Rule::RepeatedMaxItems);
        for (i, item) in items.iter().enumerate() {
            self.within(format_args!("[{i}]"), |judge| {
                judge.value(&field.kind, Some(item));
            });
        }
    }

    /// Numbers are judged at 0 too when they are not there.
    fn value(&mut self, kind: &Kind, value: Option<&Value<'_>>) {
        match (kind, value) {
            (Kind::Text { max_chars }, Some(Value::Text(text))) => {
                let fits = !text::longer_than(text.as_bytes(), *max_chars);
                self.expect(fits, Rule::StringMaxLen);
            }
            (Kind::Bytes { max_len }, Some(Value::Bytes(bytes))) => {
                self.expect(bytes.len() <= *max_len, Rule::BytesMaxLen);
            }
            (Kind::Uint32 { max: Some(max) }, Some(Value::Uint32(number))) => {
                self.expect(number <= max, Rule::Uint32Lte);
            }
            (Kind::Int32 { min, max }, value) => {
                let number = match value {
                    Some(Value::Int32(number)) => *number,
                    _ => 0,
                };
                let fits =
                    min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
                self.expect(fits, int32_rule(*min, *max));
            }
            (Kind::Message(_), Some(Value::Message(inner))) => self.message(inner),
            (Kind::Map(limits), Some(Value::Map(pairs))) => self.map(limits, pairs.iter()),
            _ => {}
        }
    }

    fn map<'a>(
        &mut self,
        limits: &MapLimits,
        pairs: impl ExactSizeIterator<Item = (&'a &'a str, &'a &'a str)>,
    ) {
        self.expect(pairs.len() <= limits.max_pairs, Rule::MapMaxPairs);
        for (key, value) in pairs {
            let too_short = text::chars(key.as_bytes()) < limits.min_key;
            let too_long = text::longer_than(key.as_bytes(), limits.max_key);
            let long_value = text::longer_than(value.as_bytes(), limits.max_value);
            if !(too_short || too_long || long_value) {
                continue;
            }
            self.within(format_args!("[{}]", quoted(&shortened(key))), |judge| {
                if too_short {
                    judge.report(Rule::StringMinLen, true);
                }
                if too_long {
                    judge.report(Rule::StringMaxLen, true);
                }
                judge.expect(!long_value, Rule::StringMaxLen);
            });
        }
    }

    /// The rules between the fields of a `StreamEnvelope`.
    fn chunk(&mut self, envelope: &Merged<'_>) {
        let has_text =
            |name| matches!(envelope.get(name), Some(Value::Text(text)) if !text.is_empty());
        let number = |name| match envelope.get(name) {
            Some(Value::Uint32(number)) => *number,
            _ => 0,
        };
        let (index, count) = (number("chunk_index"), number("chunk_count"));
        if count == 0 {
            let unset = !has_text("chunk_id")
                && index == 0
                && number("chunk_bytes") == 0
                && number("total_bytes") == 0;
            self.expect(unset, Rule::ChunkFieldsWithoutCount);
        } else {
            self.expect(has_text("chunk_id"), Rule::ChunkIdRequired);
            self.expect(has_text("stream_id"), Rule::StreamIdRequired);
            self.expect(index < count, Rule::ChunkIndexLessThanCount);
        }
    }
}

/// The rule's name tells which bounds it has.
fn int32_rule(min: Option<i32>, max: Option<i32>) -> Rule {
    match (min, max) {
        (Some(_), Some(_)) => Rule::Int32GteLte,
        (None, Some(_)) => Rule::Int32Lte,
        _ => Rule::Int32Gte,
    }
}

/// A key as paths show it: past 40 characters, its first 8 and its length.
#[must_use]
pub fn shortened(key: &str) -> String {
    let chars = key.chars().count();
    if chars <= LONG_KEY_CHARS {
        return key.to_owned();
    }
    let head: String = key.chars().take(SHORT_KEY_CHARS).collect();
    format!("{head}…{chars}")
}

/// Text in double quotes, with the escapes that validators of the contract write
/// (those of Go's `%q`): `\x01`, `\u202e`, `\U000e0001`.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            _ if is_printable(c) => out.push(c),
            _ => escape(&mut out, u32::from(c)),
        }
    }
    out.push('"');
    out
}

fn escape(out: &mut String, code: u32) {
    // Writing to a String does not fail.
    let _ = match code {
        0..=0x1f | 0x7f => write!(out, "\\x{code:02x}"),
        0x80..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Letters, marks, numbers, punctuation, symbols and the ASCII space. Debug output of
/// a text (not of a lone character, which also escapes combining marks) escapes the
/// rest.
fn is_printable(c: char) -> bool {
    let after_a_letter = format!("a{c}");
    c == ' ' || c == '\'' || after_a_letter.escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{CONTROL_ERROR, DATA_PACKET};

    fn listed(message: &'static Message, bytes: &[u8]) -> Vec<String> {
        let found = validate(message, bytes).expect("a well-formed message");
        found.iter().map(Violation::to_string).collect()
    }

    #[test]
    fn an_empty_audio_frame_breaks_two_rules() {
        assert_eq!(
            listed(&DATA_PACKET, &[0x2a, 0x00]),
            [
                "audio.sample_rate_hz: int32.gte_lte",
                "audio.channels: int32.gte_lte"
            ]
        );
    }

    #[test]
    fn a_key_that_breaks_a_rule_is_named_and_marked() {
        let bytes = [0x1a, 0x03, 0x12, 0x01, b'v'];
        assert_eq!(
            listed(&CONTROL_ERROR, &bytes),
            ["details[\"\"] (key): string.min_len"]
        );
    }

    #[test]
    fn keys_are_quoted_as_validators_of_the_contract_quote_them() {
        let cases = [
            ("a\"b\\", r#""a\"b\\""#),
            ("\0\n\x7f", r#""\x00\n\x7f""#),
            ("\u{200b}\u{202e}", r#""\u200b\u202e""#),
            ("\u{a0}", r#""\u00a0""#),
            ("é🎧e\u{301}'", "\"é🎧e\u{301}'\""),
            ("\u{e0001}", r#""\U000e0001""#),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected);
        }
    }
}
