//! What values are: types and kinds, empty or not, alike or not, and choices by that.
//!
//! Owns what is empty ([`is_empty`]) and what is deeply equal ([`alike`]).

use super::Param::{Any, Bool, Text as Txt};
use super::{Args, Function};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("typeOf", &[Any], |_, args| {
        Ok(Value::text(args.get(0).type_name()))
    }),
    Function::of("typeIs", &[Txt, Any], |_, args| {
        Ok(Value::Bool(is_of_type(args)))
    }),
    Function::of("typeIsLike", &[Txt, Any], |_, args| {
        // A pointer is like what it points to.
        let pointed = args.get(1).type_name().strip_prefix('*');
        let is_pointer_to = pointed.is_some_and(|name| name.as_bytes() == args.text(0));
        Ok(Value::Bool(is_pointer_to || is_of_type(args)))
    }),
    Function::of("kindOf", &[Any], |_, args| {
        Ok(Value::text(args.get(0).kind_name()))
    }),
    Function::of("kindIs", &[Txt, Any], |_, args| {
        let kind = args.get(1).kind_name();
        Ok(Value::Bool(kind.as_bytes() == args.text(0)))
    }),
    Function::of("deepEqual", &[Any, Any], |cx, args| {
        alike(cx, args.get(0), args.get(1)).map(Value::Bool)
    }),
    Function::of("empty", &[Any], |_, args| {
        Ok(Value::Bool(is_empty(args.get(0))))
    }),
    Function::of("default", &[Any], |_, args| {
        let is_given = args.len() > 1 && !is_empty(args.get(1));
        Ok(args.get(usize::from(is_given)).clone())
    })
    .and_more(Any),
    Function::of("coalesce", &[], |_, args| {
        Ok(args
            .0
            .iter()
            .find(|value| !is_empty(value))
            .cloned()
            .unwrap_or(Value::Nil))
    })
    .and_more(Any),
    Function::of("all", &[], |_, args| {
        Ok(Value::Bool(!args.0.iter().any(is_empty)))
    })
    .and_more(Any),
    Function::of("any", &[], |_, args| {
        Ok(Value::Bool(!args.0.iter().all(is_empty)))
    })
    .and_more(Any),
    Function::of("ternary", &[Any, Any, Bool], |_, args| {
        Ok(args.get(usize::from(!args.bool(2))).clone())
    }),
    Function::of("fail", &[Txt], |_, args| Err(Fault::refused(args.lossy(0)))),
];

fn is_of_type(args: Args<'_, '_>) -> bool {
    args.get(1).type_name().as_bytes() == args.text(0)
}

/// Whether a value is nothing, false, 0 or holds nothing. Dates and versions never are.
pub(super) fn is_empty(value: &Value<'_>) -> bool {
    !value.truth()
}

/// Deep equality: of one type and alike in all parts. What is no number is not like itself,
/// and a list that was never made not like an empty one.
pub(super) fn alike(cx: &Cx<'_>, one: &Value<'_>, two: &Value<'_>) -> Result<bool, Fault> {
    cx.meter.look(one.weight() + two.weight())?;
    match (one, two) {
        (Value::List(one), Value::List(two)) => {
            if one.kind() != two.kind() || one.is_unmade() != two.is_unmade() {
                return Ok(false);
            }
            let (ones, twos) = (one.values(), two.values());
            if ones.len() != twos.len() {
                return Ok(false);
            }
            for (one, two) in ones.iter().zip(twos.iter()) {
                if !alike(cx, one, two)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(one), Value::Map(two)) => {
            if one.kind() != two.kind() || one.is_unmade() != two.is_unmade() {
                return Ok(false);
            }
            let (ones, twos) = (one.tree(), two.tree());
            if ones.len() != twos.len() {
                return Ok(false);
            }
            for ((one_key, one), (two_key, two)) in ones.iter().zip(twos.iter()) {
                cx.meter.look(one_key.len())?;
                if one_key != two_key || !alike(cx, one, two)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Text(one), Value::Text(two)) => {
            if one.len() != two.len() {
                return Ok(false);
            }
            cx.meter.look(one.len())?;
            Ok(one == two)
        }
        _ => Ok(one == two),
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn nothing_at_all_is_all_and_not_any() {
        gives(
            "{{ all }} {{ any }} {{ coalesce nil 0 \"\" false (list) (dict) }}",
            "true false <no value>",
        );
        gives(
            "{{ all 1 0 }} {{ any 0 1 }} {{ coalesce 0 2 3 }}",
            "false true 2",
        );
    }

    #[test]
    fn dates_and_versions_are_never_empty() {
        gives(
            r#"{{ empty (toDate "2006" "bad") }} {{ empty (semver "0.0.0") }}"#,
            "false false",
        );
        gives(
            r#"{{ empty 0.0 }} {{ empty (list nil) }} {{ empty (split "," "") }}"#,
            "true false false",
        );
    }

    #[test]
    fn alike_is_only_what_is_of_one_type() {
        for (source, wanted) in [
            ("{{ deepEqual 1 1.0 }}", "false"),
            ("{{ deepEqual (int64 1) 1 }}", "false"),
            ("{{ deepEqual nil nil }}", "true"),
            ("{{ deepEqual (list 1) (list 1 2) }}", "false"),
            ("{{ deepEqual (dict) (dict \"a\" 1) }}", "false"),
            ("{{ deepEqual (list) (rest (list)) }}", "false"),
            (
                "{{ deepEqual (list 1 (dict \"a\" nil)) (list 1 (dict \"a\" nil)) }}",
                "true",
            ),
            ("{{ deepEqual (dict \"a\" 1) (dict \"b\" 1) }}", "false"),
            (
                "{{ deepEqual (splitList \",\" \"a\") (list \"a\") }}",
                "false",
            ),
            (
                "{{ deepEqual (split \",\" \"a\") (dict \"_0\" \"a\") }}",
                "false",
            ),
            ("{{ deepEqual (semver \"1\") (semver \"1\") }}", "true"),
            (
                "{{ deepEqual (float64 \"nan\") (float64 \"nan\") }}",
                "false",
            ),
        ] {
            gives(source, wanted);
        }
    }

    #[test]
    fn a_pointer_is_like_what_it_points_to() {
        gives(r#"{{ typeIsLike "semver.Version" (semver "1") }}"#, "true");
        gives(r#"{{ typeIs "semver.Version" (semver "1") }}"#, "false");
        gives(
            r#"{{ kindOf (semver "1") }} {{ typeOf nil }} {{ kindOf nil }}"#,
            "ptr <nil> invalid",
        );
    }

    #[test]
    fn fail_always_fails() {
        refuses(r#"{{ fail "" }}"#);
    }
}
