//! Objects: made, asked and taken apart. Entries come in the order of their keys.

use super::Param::{Any, Map as Object, Text as Txt};
use super::texts::strval;
use super::{Args, Function};
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::{List, Map, MapType, Text, Tree, Value};

pub(super) const TABLE: &[Function] = &[
    Function::of("dict", &[], dict).and_more(Any),
    Function::of("get", &[Object, Txt], |cx, args| {
        cx.meter.look(args.text(1).len())?;
        let value = args.map(0).get(args.text(1));
        Ok(value.unwrap_or(Value::text("")))
    }),
    Function::of("hasKey", &[Object, Txt], |cx, args| {
        cx.meter.look(args.text(1).len())?;
        Ok(Value::Bool(args.map(0).get(args.text(1)).is_some()))
    }),
    Function::of("pluck", &[Txt], |cx, args| {
        cx.meter.make(size_of_val(args.0))?;
        cx.meter
            .look(args.text(0).len().saturating_mul(args.len()))?;
        let maps = args.from(1).iter().filter_map(Value::as_map);
        Ok(Value::list(
            maps.filter_map(|map| map.get(args.text(0))).collect(),
        ))
    })
    .and_more(Object),
    Function::of("keys", &[], |cx, args| {
        let mut keys = Vec::new();
        for map in args.0.iter().filter_map(Value::as_map) {
            keys.extend(
                entries(cx, map)?
                    .into_iter()
                    .map(|(key, _)| Value::Text(key)),
            );
        }
        Ok(Value::List(List::of_texts(keys)))
    })
    .and_more(Object),
    Function::of("values", &[Object], |cx, args| {
        let entries = entries(cx, &args.map(0))?;
        Ok(Value::list(
            entries.into_iter().map(|(_, value)| value).collect(),
        ))
    }),
    Function::of("pick", &[Object], |cx, args| {
        let map = args.map(0);
        let mut tree = Tree::new();
        for key in args.from(1) {
            cx.meter.look(map.weight())?;
            cx.meter.make(2 * size_of::<Value<'_>>())?;
            cx.meter.look(key.as_text().map_or(0, <[u8]>::len))?;
            if let Value::Text(key) = key
                && let Some(value) = map.get(key.bytes())
            {
                tree.insert(key.clone(), value);
            }
        }
        Ok(Value::map(tree))
    })
    .and_more(Txt),
    Function::of("omit", &[Object], |cx, args| {
        let mut tree: Tree<'_> = entries(cx, &args.map(0))?.into_iter().collect();
        for key in args.from(1).iter().filter_map(Value::as_text) {
            cx.meter.look(key.len())?;
            tree.remove(key);
        }
        Ok(Value::map(tree))
    })
    .and_more(Txt),
    Function::of("dig", &[], dig).and_more(Any),
];

/// Keys and values in turn; a key without a value has an empty text.
fn dict<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut tree = Tree::new();
    for pair in args.0.chunks(2) {
        cx.meter.make(2 * size_of::<Value<'_>>())?;
        let key = match pair.first() {
            Some(Value::Text(key)) => key.clone(),
            other => Text::from(strval(cx, other.unwrap_or(&Value::Nil))?),
        };
        tree.insert(key, pair.get(1).cloned().unwrap_or(Value::text("")));
    }
    Ok(Value::map(tree))
}

fn entries<'v>(cx: &Cx<'_>, map: &Map<'v>) -> Result<Vec<(Text<'v>, Value<'v>)>, Fault> {
    let tree = map.tree();
    cx.meter.burn(tree.len() as u64)?;
    let size = 2 * size_of::<Value<'_>>();
    cx.meter.make(tree.len().saturating_mul(size))?;
    let entries = tree.iter();
    Ok(entries
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect())
}

/// Down by keys into the object that comes last; where a key is missing, the value before it.
fn dig<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let [keys @ .., otherwise, object] = args.0 else {
        return Err(Fault::refused("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(Fault::refused("dig needs at least three arguments"));
    }
    if let Some(wrong) = keys.iter().find(|key| key.as_text().is_none()) {
        return Err(unlike(wrong, "string"));
    }
    let mut value = object.clone();
    for key in keys.iter().filter_map(Value::as_text) {
        cx.meter.look(value.weight())?;
        let map = value.as_map().filter(|map| map.kind() == MapType::Any);
        let map = map.ok_or_else(|| unlike(&value, "map[string]interface {}"))?;
        match map.get(key) {
            Some(inner) => value = inner,
            None => return Ok(otherwise.clone()),
        }
    }
    Ok(value)
}

fn unlike(value: &Value<'_>, wanted: &str) -> Fault {
    Fault::refused(format!(
        "interface conversion: interface {{}} is {}, not {wanted}",
        value.type_name()
    ))
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn a_key_is_any_value_as_a_text_and_may_lack_its_value() {
        gives(
            r#"{{ dict nil 1 2 (list) true "x" "k" | toJson }}"#,
            r#"{"2":[],"\u003cnil\u003e":1,"k":"","true":"x"}"#,
        );
    }

    #[test]
    fn an_object_that_is_null_has_nothing() {
        gives(
            r#"{{ get nil "a" }}|{{ hasKey nil "a" }}|{{ keys nil }}|{{ values nil }}"#,
            "|false|[]|[]",
        );
        gives(
            r#"{{ pick nil "a" | toJson }}{{ omit nil "a" | toJson }}"#,
            "{}{}",
        );
        gives(r#"{{ pluck "a" nil (dict "a" nil) | toJson }}"#, "[null]");
        gives("{{ keys }}{{ dict | keys | toJson }}", "[][]");
    }

    #[test]
    fn digging_ends_at_what_is_missing_and_fails_at_what_is_no_object() {
        let object = r#"(dict "a" (dict "b" 1 "n" nil) "t" (split "," "x"))"#;
        let dig = |keys: &str| format!("{{{{ dig {keys} {object} }}}}");
        for (keys, wanted) in [
            (r#""a" "b" "d""#, "1"),
            (r#""a" "x" "d""#, "d"),
            (r#""x" "y" "z" "d""#, "d"),
            (r#""a" "n" "d""#, "<no value>"),
        ] {
            gives(&dig(keys), wanted);
        }
        for keys in [
            r#""a" "b" "c" "d""#,
            r#""a" "n" "x" "d""#,
            r#""t" "_0" "d""#,
            r#"1 "d""#,
            r#""d""#,
        ] {
            refuses(&dig(keys));
        }
        refuses("{{ dig }}");
    }

    #[test]
    fn entries_come_in_the_order_of_their_keys() {
        let object = r#"(dict "b" 1 "a" 2)"#;
        gives(
            &format!("{{{{ keys {object} {object} }}}}{{{{ values {object} }}}}"),
            "[a b a b][2 1]",
        );
    }
}
