//! What is another each time: random texts and numbers, from the evaluation's own chance.

use super::Param::Int;
use super::{Args, Function, made};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("randAlpha", &[Int], |cx, args| {
        drawn(cx, args, |byte| byte.is_ascii_alphabetic())
    })
    .unsteady(),
    Function::of("randAlphaNum", &[Int], |cx, args| {
        drawn(cx, args, |byte| byte.is_ascii_alphanumeric())
    })
    .unsteady(),
    Function::of("randNumeric", &[Int], |cx, args| {
        drawn(cx, args, |byte| byte.is_ascii_digit())
    })
    .unsteady(),
    Function::of("randAscii", &[Int], |cx, args| {
        drawn(cx, args, |byte| matches!(byte, b' '..=b'~'))
    })
    .unsteady(),
    Function::of("randInt", &[Int, Int], |cx, args| {
        let (least, end) = (args.int(0), args.int(1));
        if least >= end {
            return Err(Fault::refused("randInt: no number between the two"));
        }
        let drawn = cx.chance.below(end.abs_diff(least));
        Ok(Value::int(least.wrapping_add_unsigned(drawn)))
    })
    .unsteady(),
    Function::of("uuidv4", &[], |cx, _| {
        let (high, low) = (u128::from(cx.chance.next()), u128::from(cx.chance.next()));
        let bytes = (high << 64 | low).to_be_bytes();
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        made(cx, id.hyphenated().to_string())
    })
    .unsteady(),
];

/// So many characters of a set; none for a negative count.
fn drawn<'v>(cx: &Cx<'_>, args: Args<'_, 'v>, is_of: fn(&u8) -> bool) -> Result<Value<'v>, Fault> {
    let count = usize::try_from(args.int(0)).unwrap_or(0);
    cx.meter.make(count)?;
    cx.meter.burn(count as u64 / 4)?;
    let set: Vec<u8> = (0..=127).filter(is_of).collect();
    let draw = || {
        let at = usize::try_from(cx.chance.below(set.len() as u64)).ok()?;
        set.get(at).copied()
    };
    Ok(Value::owned(
        std::iter::from_fn(draw).take(count).collect::<Vec<u8>>(),
    ))
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses, value};

    fn drawn(name: &str) -> String {
        value(&format!("{{{{ {name} 400 }}}}")).expect("a text")
    }

    #[test]
    fn a_random_text_has_its_length_and_only_characters_of_its_set() {
        for (name, is_of) in [
            ("randAlpha", u8::is_ascii_alphabetic as fn(&u8) -> bool),
            ("randAlphaNum", u8::is_ascii_alphanumeric),
            ("randNumeric", u8::is_ascii_digit),
            ("randAscii", |byte| (32..127).contains(byte)),
        ] {
            let text = drawn(name);
            assert_eq!(text.len(), 400, "{name}");
            assert!(text.as_bytes().iter().all(is_of), "{name}: {text}");
            gives(&format!("{{{{ {name} 0 }}}}{{{{ {name} -1 }}}}|"), "|");
        }
        assert!(drawn("randAlphaNum").contains(|c: char| c.is_ascii_digit()));
    }

    #[test]
    fn a_random_number_is_below_its_end() {
        gives("{{ randInt 4 5 }} {{ randInt -3 -2 }}", "4 -3");
        refuses("{{ randInt 5 5 }}");
        refuses("{{ randInt 5 4 }}");
        let wide = "{{ randInt -9223372036854775808 9223372036854775807 }}";
        assert!(value(wide).expect("a number").parse::<i64>().is_ok());
    }

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        let id = value("{{ uuidv4 }}").expect("a text");
        let id = uuid::Uuid::parse_str(&id).expect("a UUID");
        assert_eq!(id.get_version_num(), 4);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
    }
}
