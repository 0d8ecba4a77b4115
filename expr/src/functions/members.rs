//! What a list holds, by deep equality.

use super::Param::Any;
use super::lists::{elements, given};
use super::types::alike;
use super::{Args, Function};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function::of("uniq", &[Any], uniq),
    Function::of("mustUniq", &[Any], uniq),
    Function::of("without", &[Any], without).and_more(Any),
    Function::of("mustWithout", &[Any], without).and_more(Any),
    Function::of("has", &[Any, Any], has),
    Function::of("mustHas", &[Any, Any], has),
];

/// Whether one of `values` is like `value`.
fn is_among(cx: &Cx<'_>, value: &Value<'_>, values: &[Value<'_>]) -> Result<bool, Fault> {
    for other in values {
        if alike(cx, value, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut kept = Vec::new();
    for value in elements(cx, given(args, 0)?)? {
        if !is_among(cx, &value, &kept)? {
            kept.push(value);
        }
    }
    Ok(Value::list(kept))
}

fn without<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut kept = Vec::new();
    for value in elements(cx, given(args, 0)?)? {
        if !is_among(cx, &value, args.from(1))? {
            kept.push(value);
        }
    }
    Ok(Value::list(kept))
}

/// Whether a list holds a value; null holds none.
fn has<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    if args.get(1).is_nothing() {
        return Ok(Value::Bool(false));
    }
    let values = given(args, 1)?.values();
    is_among(cx, args.get(0), &values).map(Value::Bool)
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::gives;

    #[test]
    fn elements_are_the_same_if_they_are_alike() {
        gives(
            "{{ uniq (list 1 1.0 1 (list 1) (list 1) nil nil) | toJson }}",
            "[1,1,[1],null]",
        );
        gives(
            "{{ without (list 1 2 (list 2)) 2.0 (list 2) | toJson }}",
            "[1,2]",
        );
        gives(
            "{{ has nil (list nil) }} {{ has 1 (list 1.0) }}",
            "true false",
        );
    }
}
