//! Lists: ends, parts, and additions.
//!
//! Lists never change, each function makes a new one, of any values whatever the old one held.
//! A list that has nothing left to be made of was never made, as far as the engine sees it so.

use super::Param::Any;
use super::numbers::to_int;
use super::types::is_empty;
use super::{Args, Function, Run};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::{List, ListType, Value};

pub(super) const TABLE: &[Function] = &[
    Function::of("list", &[], list).and_more(Any),
    Function::of("tuple", &[], list).and_more(Any),
    Function::of("first", &[Any], FIRST),
    Function::of("mustFirst", &[Any], FIRST),
    Function::of("last", &[Any], LAST),
    Function::of("mustLast", &[Any], LAST),
    Function::of("rest", &[Any], REST),
    Function::of("mustRest", &[Any], REST),
    Function::of("initial", &[Any], INITIAL),
    Function::of("mustInitial", &[Any], INITIAL),
    Function::of("append", &[Any, Any], APPEND),
    Function::of("mustAppend", &[Any, Any], APPEND),
    Function::of("push", &[Any, Any], APPEND),
    Function::of("mustPush", &[Any, Any], APPEND),
    Function::of("prepend", &[Any, Any], PREPEND),
    Function::of("mustPrepend", &[Any, Any], PREPEND),
    Function::of("reverse", &[Any], REVERSE),
    Function::of("mustReverse", &[Any], REVERSE),
    Function::of("compact", &[Any], COMPACT),
    Function::of("mustCompact", &[Any], COMPACT),
    Function::of("slice", &[Any], slice)
        .and_more(Any)
        .built_in(),
    Function::of("mustSlice", &[Any], slice).and_more(Any),
    Function::of("concat", &[], concat).and_more(Any),
];

const FIRST: Run = |_, args| {
    let first = given(args, 0)?.get(0);
    Ok(first.unwrap_or(Value::Nil))
};

const LAST: Run = |_, args| {
    let list = given(args, 0)?;
    let last = list.len().checked_sub(1).and_then(|at| list.get(at));
    Ok(last.unwrap_or(Value::Nil))
};

const REST: Run = |cx, args| {
    let mut values = elements(cx, given(args, 0)?)?.into_iter();
    Ok(Value::List(match values.next() {
        Some(_) => List::of(values.collect()),
        None => List::unmade(),
    }))
};

const INITIAL: Run = |cx, args| {
    let mut values = elements(cx, given(args, 0)?)?;
    Ok(Value::List(match values.pop() {
        Some(_) => List::of(values),
        None => List::unmade(),
    }))
};

const APPEND: Run = |cx, args| {
    let mut values = elements(cx, given(args, 0)?)?;
    values.push(args.get(1).clone());
    Ok(Value::list(values))
};

const PREPEND: Run = |cx, args| {
    let mut values = elements(cx, given(args, 0)?)?;
    values.insert(0, args.get(1).clone());
    Ok(Value::list(values))
};

const REVERSE: Run = |cx, args| {
    let mut values = elements(cx, given(args, 0)?)?;
    values.reverse();
    Ok(Value::list(values))
};

const COMPACT: Run = |cx, args| {
    let mut values = elements(cx, given(args, 0)?)?;
    values.retain(|value| !is_empty(value));
    Ok(Value::list(values))
};

fn list<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    cx.meter.make(size_of_val(args.0))?;
    Ok(Value::list(args.0.to_vec()))
}

/// The list at `i`; anything else, null included, is refused.
pub(super) fn given<'a, 'v>(args: Args<'a, 'v>, i: usize) -> Result<&'a List<'v>, Fault> {
    match args.get(i) {
        Value::List(list) => Ok(list),
        other => Err(Fault::refused(format!(
            "list should be type of slice or array but {}",
            other.kind_name()
        ))),
    }
}

/// Its elements, to be changed.
pub(super) fn elements<'v>(cx: &Cx<'_>, list: &List<'v>) -> Result<Vec<Value<'v>>, Fault> {
    let values = list.values();
    let inside: usize = values.iter().map(Value::weight).sum();
    cx.meter.look(inside)?;
    cx.meter.burn(values.len() as u64)?;
    cx.meter.make(size_of_val(values.as_ref()))?;
    Ok(values.to_vec())
}

/// From one place to before another, of the type of the list; nothing of an empty one.
fn slice<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let list = given(args, 0)?;
    let length = list.len();
    if length == 0 {
        return Ok(Value::Nil);
    }
    let place = |i, otherwise| match args.from(i).first() {
        Some(value) => Ok(usize::try_from(to_int(cx, value)?).ok()),
        None => Ok(Some(otherwise)),
    };
    let (start, end) = (place(1, 0)?, place(2, length)?);
    let values = elements(cx, list)?;
    let part = start
        .zip(end)
        .and_then(|(start, end)| values.get(start..end))
        .ok_or_else(|| Fault::refused("slice index out of bounds"))?
        .to_vec();
    Ok(Value::List(match list.kind() {
        ListType::Any => List::of(part),
        ListType::Texts => List::of_texts(part),
    }))
}

fn concat<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut values = Vec::new();
    for i in 0..args.len() {
        values.extend(elements(cx, given(args, i)?)?);
    }
    Ok(Value::List(if values.is_empty() {
        List::unmade()
    } else {
        List::of(values)
    }))
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn only_a_list_is_taken_for_one() {
        for name in [
            "first",
            "last",
            "rest",
            "initial",
            "reverse",
            "uniq",
            "compact",
            "without",
            "slice",
            "concat",
            "mustFirst",
            "mustLast",
            "mustRest",
            "mustInitial",
            "mustReverse",
            "mustUniq",
            "mustCompact",
            "mustWithout",
            "mustSlice",
        ] {
            for value in ["nil", "\"a\"", "1", "(dict)"] {
                refuses(&format!("{{{{ {name} {value} }}}}"));
            }
        }
        refuses("{{ append nil 1 }}");
        refuses("{{ prepend \"a\" 1 }}");
        refuses("{{ has 1 \"a\" }}");
        gives("{{ has 1 nil }}", "false");
    }

    #[test]
    fn what_is_left_of_nothing_was_never_made() {
        gives(
            "{{ rest (list) | toJson }} {{ initial (list) | toJson }}",
            "null null",
        );
        gives(
            "{{ rest (list 1) | toJson }} {{ concat (list) | toJson }}",
            "[] null",
        );
        gives(
            "{{ without (list) | toJson }} {{ reverse (list) | toJson }}",
            "[] []",
        );
        gives(
            "{{ first (list) }} {{ slice (list) 5 }}",
            "<no value> <no value>",
        );
    }

    #[test]
    fn lists_of_texts_become_lists_of_anything_but_for_slices() {
        for name in [
            "rest", "initial", "reverse", "uniq", "compact", "without", "concat",
        ] {
            let source = format!(r#"{{{{ typeOf ({name} (splitList "," "a,b")) }}}}"#);
            gives(&source, "[]interface {}");
        }
        gives(
            r#"{{ typeOf (slice (splitList "," "a,b") 1) }}"#,
            "[]string",
        );
    }

    #[test]
    fn a_slice_takes_any_value_for_a_place() {
        gives(r#"{{ slice (list 1 2 3) "1" 2.9 | toJson }}"#, "[2]");
        gives(r#"{{ slice (list 1 2) nil "x" | toJson }}"#, "[]");
        gives(r#"{{ slice (list 1 2) 2 | toJson }}"#, "[]");
        refuses("{{ slice (list 1 2) -1 }}");
        refuses("{{ slice (list 1 2) 3 }}");
        refuses("{{ slice (list 1 2) 0 3 }}");
    }
}
