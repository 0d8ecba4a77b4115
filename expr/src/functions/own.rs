//! Helpers that are no functions of the language or of Sprig: `len`, `hash_of`, `type_of`,
//! `exists` and `sample`. They know data that is kept elsewhere by its reference.

use super::encoding::{sha256, walked};
use super::{Args, Function, Param, made};
use crate::characters::trim_space;
use crate::fault::Fault;
use crate::template::Cx;
use crate::value::{MapType, Value};

pub(super) const TABLE: &[Function] = &[
    Function::of("len", &[Param::Any], len).built_in(),
    Function::of("hash_of", &[Param::Any], hash_of),
    Function::of("type_of", &[Param::Any], type_of),
    Function::of("exists", &[Param::Any], |_, args| {
        Ok(Value::Bool(!args.get(0).is_nothing()))
    }),
    Function::of("sample", &[Param::Any], |_, args| {
        at_hand("sample", args.get(0))?;
        Ok(args.get(0).clone())
    }),
];

/// Key of an object that stands for data kept elsewhere.
const REFERENCE: &str = "$bubuStorageRef";
/// Key of the place inside that data.
const PLACE: &str = "$bubuStoragePath";

/// Where the data is that a value stands for; `None` where the value is the data.
fn reference(value: &Value<'_>) -> Option<String> {
    let map = value.as_map().filter(|map| map.kind() == MapType::Any)?;
    let text_at = |key: &str| {
        let value = map.get(key.as_bytes())?;
        let text = String::from_utf8_lossy(trim_space(value.as_text()?)).into_owned();
        (!text.is_empty()).then_some(text)
    };
    let reference = text_at(REFERENCE)?;
    Some(match text_at(PLACE) {
        Some(place) if place.starts_with(['.', '[']) => reference + &place,
        Some(place) => format!("{reference}.{place}"),
        None => reference,
    })
}

/// Fails where the value only stands for its data.
fn at_hand(name: &str, value: &Value<'_>) -> Result<(), Fault> {
    match reference(value) {
        Some(at) => Err(Fault::Offloaded(format!("{name} needs the data of {at}"))),
        None => Ok(()),
    }
}

fn unsupported(name: &str, value: &Value<'_>) -> Fault {
    Fault::type_error(format!(
        "{name}: unsupported argument type {}",
        value.type_name()
    ))
}

/// Bytes of a text, elements of a list, keys of an object; 0 of null.
fn len<'v>(_: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let value = args.get(0);
    at_hand("len", value)?;
    let length = match value {
        Value::Absent | Value::Nil => 0,
        Value::Text(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        other => return Err(unsupported("len", other)),
    };
    Ok(Value::int(length as i64))
}

/// SHA-256 of a text in hexadecimal.
fn hash_of<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    at_hand("hash_of", args.get(0))?;
    match args.get(0) {
        Value::Text(text) => {
            walked(cx, text.bytes())?;
            made(cx, sha256(text.bytes()))
        }
        Value::Absent | Value::Nil => Err(Fault::type_error("hash_of: value is null")),
        other => Err(unsupported("hash_of", other)),
    }
}

/// The type as JSON names it, or where the data is that the value stands for.
fn type_of<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let value = args.get(0);
    if let Some(at) = reference(value) {
        return made(cx, format!("offloaded({at})"));
    }
    Ok(Value::text(match value {
        Value::Absent | Value::Nil => "null",
        Value::Bool(_) => "bool",
        Value::Int(..) | Value::Uint(..) | Value::Float(_) | Value::Complex(..) => "number",
        Value::Text(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) | Value::Moment(_) | Value::Version(_) => "object",
    }))
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn a_length_is_of_texts_lists_and_objects_only() {
        gives(
            r#"{{ len "é" }} {{ len (list 1) }} {{ len (split "," "a,b") }} {{ len nil }}"#,
            "2 1 2 0",
        );
        refuses("{{ len 1 }}");
        refuses("{{ len true }}");
        refuses("{{ len (now) }}");
    }

    #[test]
    fn what_stands_for_data_elsewhere_has_no_length_but_a_place() {
        let object =
            |place: &str| format!(r#"(dict "$bubuStorageRef" " k " "$bubuStoragePath" "{place}")"#);
        for (place, wanted) in [("", "k"), ("a.b", "k.a.b"), (".a", "k.a"), ("[0]", "k[0]")] {
            gives(
                &format!("{{{{ type_of {} }}}}", object(place)),
                &format!("offloaded({wanted})"),
            );
        }
        for name in ["len", "hash_of", "sample"] {
            refuses(&format!("{{{{ {name} {} }}}}", object("")));
        }
        gives(r#"{{ len (dict "$bubuStorageRef" 5) }}"#, "1");
    }

    #[test]
    fn all_but_null_exists() {
        gives(
            r#"{{ exists nil }} {{ exists "" }} {{ exists false }}"#,
            "false true true",
        );
    }
}
