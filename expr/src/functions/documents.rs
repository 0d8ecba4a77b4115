//! Values as JSON texts and back.
//!
//! What the forms without `must` cannot do they pass over: a text that is no JSON is null, a
//! value that JSON cannot say is an empty text. `toRawJson` alone has no such grace.

use super::Function;
use super::Param::{Any, Text as Txt};
use crate::fault::Fault;
use crate::json::{self, Style};
use crate::template::Cx;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("fromJson", &[Txt], |cx, args| {
        Ok(parsed(cx, args.text(0))?.unwrap_or(Value::Nil))
    }),
    Function::of("mustFromJson", &[Txt], |cx, args| {
        parsed(cx, args.text(0))?.ok_or_else(|| Fault::refused("invalid JSON"))
    }),
    Function::of("toJson", &[Any], |cx, args| {
        or_empty(written(cx, args.get(0), COMPACT))
    }),
    Function::of("toPrettyJson", &[Any], |cx, args| {
        or_empty(written(cx, args.get(0), PRETTY))
    }),
    Function::of("toRawJson", &[Any], |cx, args| {
        written(cx, args.get(0), RAW)
    }),
    Function::of("mustToJson", &[Any], |cx, args| {
        written(cx, args.get(0), COMPACT)
    }),
    Function::of("mustToPrettyJson", &[Any], |cx, args| {
        written(cx, args.get(0), PRETTY)
    }),
    Function::of("mustToRawJson", &[Any], |cx, args| {
        written(cx, args.get(0), RAW)
    }),
];

const COMPACT: Style = Style {
    indented: false,
    html_safe: true,
};
const PRETTY: Style = Style {
    indented: true,
    html_safe: true,
};
const RAW: Style = Style {
    indented: false,
    html_safe: false,
};

fn parsed<'v>(cx: &Cx<'_>, text: &[u8]) -> Result<Option<Value<'v>>, Fault> {
    cx.meter.look(text.len())?;
    // As many values as it may hold, with their keys.
    let begins_value = |byte: &&u8| matches!(byte, b',' | b':' | b'[' | b'{');
    let values = 1 + text.iter().filter(begins_value).count();
    let bytes = values.saturating_mul(2 * size_of::<Value<'_>>());
    cx.meter.make(bytes.saturating_add(text.len()))?;
    Ok(json::parse(text))
}

fn written<'v>(cx: &Cx<'_>, value: &Value<'_>, style: Style) -> Result<Value<'v>, Fault> {
    let mut out = Vec::new();
    json::write_metered(value, style, &cx.meter, &mut out)?;
    Ok(Value::owned(out))
}

fn or_empty<'v>(written: Result<Value<'v>, Fault>) -> Result<Value<'v>, Fault> {
    match written {
        Err(Fault::Refused { .. }) => Ok(Value::text("")),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn what_json_cannot_say_is_an_empty_text_or_refused() {
        let value = r#"(list 1 (float64 "inf"))"#;
        gives(
            &format!("{{{{ toJson {value} }}}}{{{{ toPrettyJson {value} }}}}|"),
            "|",
        );
        for name in [
            "toRawJson",
            "mustToRawJson",
            "mustToJson",
            "mustToPrettyJson",
        ] {
            refuses(&format!("{{{{ {name} {value} }}}}"));
        }
    }

    #[test]
    fn a_text_that_is_no_json_is_null_or_refused() {
        for text in ["", "{", "01", "[1,]", "nul", "1 2", "'a'", "NaN"] {
            gives(&format!("{{{{ fromJson {text:?} }}}}|"), "<no value>|");
            refuses(&format!("{{{{ mustFromJson {text:?} }}}}"));
        }
    }

    #[test]
    fn dates_and_versions_are_texts_in_json() {
        gives(
            r#"{{ toJson (toDate "2006-01-02" "2024-05-06") }}"#,
            r#""2024-05-06T00:00:00Z""#,
        );
        gives(r#"{{ toJson (semver "v1.2") }}"#, r#""1.2.0""#);
    }
}
