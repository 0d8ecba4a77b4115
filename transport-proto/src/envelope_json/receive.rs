//! Whether a receiver takes an envelope, judged without building it (spec 1, 3).

use std::ops::Range;

use super::name;
use super::scan::{Members, one_value};

/// Highest time that a receiver can hold: in nanoseconds it fits 63 bits.
const MAX_TIMESTAMP_MS: u64 = i64::MAX as u64 / 1_000_000;

/// Members of an envelope that a receiver takes: where their values stand. None where they are
/// missing or `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// A JSON string.
    pub kind: Option<Range<usize>>,
    /// Any JSON.
    pub payload: Option<Range<usize>>,
    /// Any JSON.
    pub inputs: Option<Range<usize>>,
    /// A JSON list; what is in it is not looked at.
    pub transports: Option<Range<usize>>,
}

/// What a receiver takes an envelope for.
///
/// # Errors
/// Why it would refuse it.
pub fn outline(json: &[u8]) -> Result<Outline, &'static str> {
    const BROKEN: &str = "its frame is no JSON envelope";
    let mut outline = Outline::default();
    for found in Members::of(json).map_err(|_| BROKEN)? {
        let found = found.map_err(|_| BROKEN)?;
        let (written, value) = (found.name(json), json.get(found.value.clone()));
        let value = value.unwrap_or_default();
        let is = |wanted| name::is(written, wanted);
        let is_null = value == b"null";
        let place = (!is_null).then(|| found.value.clone());
        let fits = if is("kind") {
            // For receivers `null` changes nothing in a text that is known.
            outline.kind = place.or(outline.kind);
            is_text(value)
        } else if is("payload") {
            outline.payload = place;
            true
        } else if is("inputs") {
            outline.inputs = place;
            true
        } else if is("transports") {
            outline.transports = place;
            value.first() == Some(&b'[')
        } else if is("version") || is("messageid") {
            is_text(value)
        } else if is("timestampms") {
            is_time(value)
        } else {
            !is("metadata") || is_map_of_texts(value)
        };
        if !fits && !is_null {
            return Err("a member of its JSON envelope is of another type");
        }
    }
    Ok(outline)
}

fn is_text(value: &[u8]) -> bool {
    value.first() == Some(&b'"')
}

/// A whole number from 0 that is a time.
fn is_time(value: &[u8]) -> bool {
    let digits = std::str::from_utf8(value).ok();
    digits.is_some_and(|digits| {
        digits
            .parse::<u64>()
            .is_ok_and(|time| time <= MAX_TIMESTAMP_MS)
    })
}

fn is_map_of_texts(value: &[u8]) -> bool {
    let Ok(members) = Members::of(value) else {
        return false;
    };
    let mut members = members;
    members.all(|found| {
        found.is_ok_and(|found| {
            let text = value.get(found.value).unwrap_or_default();
            is_text(text) && one_value(text).is_ok() || text == b"null"
        })
    })
}

#[cfg(test)]
mod tests {
    use super::outline;

    #[test]
    fn what_receivers_decode_is_taken() {
        for json in [
            r#"{}"#,
            r#"{"version":"v1","kind":"data","messageId":"m","timestampMs":1,"payload":[1]}"#,
            r#"{"Kind":"hook","metadata":{"a":"b"},"transports":[],"inputs":null,"x":{}}"#,
            r#" {"kind":null,"metadata":null} "#,
        ] {
            assert!(outline(json.as_bytes()).is_ok(), "{json}");
        }
    }

    #[test]
    fn what_receivers_refuse_is_not() {
        for json in [
            "",
            "[]",
            "{",
            r#"{"kind":1}"#,
            r#"{"timestampMs":-1}"#,
            r#"{"timestampMs":1.5}"#,
            r#"{"timestampMs":9223372036855}"#,
            r#"{"metadata":{"a":1}}"#,
            r#"{"metadata":[]}"#,
            r#"{"transports":{}}"#,
        ] {
            assert!(outline(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn the_members_that_count_are_the_last_ones_that_say_something() {
        let json = br#"{"payload":1,"PAYLOAD":{"a":1},"inputs":null,"kind":"error","Kind":null}"#;
        let outline = outline(json).expect("an envelope");
        assert_eq!(&json[outline.payload.expect("a payload")], br#"{"a":1}"#);
        assert_eq!(&json[outline.kind.expect("a kind")], br#""error""#);
        assert_eq!((outline.inputs, outline.transports), (None, None));
    }
}
