//! The language's own functions: logic, comparison, indexing, printing, escaping.

use super::Param::{Any, Text as Txt};
use super::{Args, Function, Special, made};
use crate::fault::Fault;
use crate::format;
use crate::template::Cx;
use crate::value::{MapType, UintType, Value};

pub(super) const TABLE: &[Function] = &[
    Function {
        special: Special::And,
        ..Function::of("and", &[Any], nothing)
            .and_more(Any)
            .built_in()
    },
    Function {
        special: Special::Or,
        ..Function::of("or", &[Any], nothing).and_more(Any).built_in()
    },
    Function::of("not", &[Any], |_, args| {
        Ok(Value::Bool(!args.get(0).truth()))
    })
    .built_in(),
    Function::of("eq", &[Any], eq).and_more(Any).built_in(),
    Function::of("ne", &[Any, Any], |cx, args| negated(eq(cx, args))).built_in(),
    Function::of("lt", &[Any, Any], |cx, args| {
        less(cx, args).map(Value::Bool)
    })
    .built_in(),
    Function::of("le", &[Any, Any], le).built_in(),
    Function::of("gt", &[Any, Any], |cx, args| negated(le(cx, args))).built_in(),
    Function::of("ge", &[Any, Any], |cx, args| {
        less(cx, args).map(|less| Value::Bool(!less))
    })
    .built_in(),
    Function::of("index", &[Any], index)
        .and_more(Any)
        .built_in(),
    Function::of("call", &[Any], |_, _| {
        Err(Fault::type_error("nothing is callable"))
    })
    .and_more(Any)
    .built_in(),
    Function::of("print", &[], |cx, args| format::sprint(args.0, cx))
        .and_more(Any)
        .built_in(),
    Function::of("println", &[], |cx, args| format::sprintln(args.0, cx))
        .and_more(Any)
        .built_in(),
    Function::of("printf", &[Txt], |cx, args| {
        format::sprintf(args.text(0), args.from(1), cx)
    })
    .and_more(Any)
    .built_in(),
    Function::of("html", &[], |cx, args| escaped(cx, args, html))
        .and_more(Any)
        .built_in(),
    Function::of("js", &[], |cx, args| escaped(cx, args, js))
        .and_more(Any)
        .built_in(),
    Function::of("urlquery", &[], |cx, args| escaped(cx, args, url))
        .and_more(Any)
        .built_in(),
];

fn nothing<'v>(_: &Cx<'_>, _: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    Ok(Value::Nil)
}

fn negated<'v>(result: Result<Value<'v>, Fault>) -> Result<Value<'v>, Fault> {
    result.map(|value| Value::Bool(!value.truth()))
}

fn incomparable(one: &Value<'_>, two: &Value<'_>) -> Fault {
    Fault::type_error(format!(
        "incompatible types for comparison: {} and {}",
        one.type_name(),
        two.type_name()
    ))
}

/// Whether two values are equal; comparing unlike or uncomparable ones is an error.
fn same(one: &Value<'_>, two: &Value<'_>) -> Result<bool, Fault> {
    Ok(match (one, two) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(_, a), Value::Int(_, b)) => a == b,
        (Value::Uint(_, a), Value::Uint(_, b)) => a == b,
        (Value::Int(_, a), Value::Uint(_, b)) | (Value::Uint(_, b), Value::Int(_, a)) => {
            u64::try_from(*a) == Ok(*b)
        }
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
        (Value::Text(a), Value::Text(b)) => a == b,
        (a, b) if a.is_nothing() || b.is_nothing() => is_null(a) && is_null(b),
        (Value::List(_) | Value::Map(_), Value::List(_) | Value::Map(_))
            if one.kind_name() == two.kind_name() && (is_null(one) || is_null(two)) =>
        {
            is_null(one) && is_null(two)
        }
        (Value::Moment(a), Value::Moment(b)) => a == b,
        (Value::Version(a), Value::Version(b)) => std::sync::Arc::ptr_eq(a, b),
        _ => return Err(incomparable(one, two)),
    })
}

/// Nothing, or a list or object that was never made.
fn is_null(value: &Value<'_>) -> bool {
    match value {
        Value::Absent | Value::Nil => true,
        Value::List(list) => list.is_unmade(),
        Value::Map(map) => map.is_unmade(),
        _ => false,
    }
}

/// Pays for a look at two texts side by side.
fn look_at_both(cx: &Cx<'_>, one: &Value<'_>, two: &Value<'_>) -> Result<(), Fault> {
    match (one, two) {
        (Value::Text(one), Value::Text(two)) => cx.meter.look(one.len().min(two.len())),
        _ => Ok(()),
    }
}

fn eq<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    if args.len() < 2 {
        return Err(Fault::type_error("missing argument for comparison"));
    }
    for other in args.from(1) {
        look_at_both(cx, args.get(0), other)?;
        if same(args.get(0), other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn less(cx: &Cx<'_>, args: Args<'_, '_>) -> Result<bool, Fault> {
    let (one, two) = (args.get(0), args.get(1));
    look_at_both(cx, one, two)?;
    Ok(match (one, two) {
        (Value::Int(_, a), Value::Int(_, b)) => a < b,
        (Value::Uint(_, a), Value::Uint(_, b)) => a < b,
        (Value::Int(_, a), Value::Uint(_, b)) => *a < 0 || (*a as u64) < *b,
        (Value::Uint(_, a), Value::Int(_, b)) => *b >= 0 && *a < *b as u64,
        (Value::Float(a), Value::Float(b)) => a < b,
        (Value::Text(a), Value::Text(b)) => a < b,
        _ => return Err(incomparable(one, two)),
    })
}

fn le<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    if less(cx, args)? {
        return Ok(Value::Bool(true));
    }
    eq(cx, args)
}

fn index<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut item = args.get(0).clone();
    if item.is_nothing() {
        return Err(Fault::type_error("index of untyped nil"));
    }
    for key in args.from(1) {
        cx.meter.burn(1)?;
        item = match &item {
            Value::Nil | Value::Absent => return Err(Fault::type_error("index of nil pointer")),
            Value::List(list) => {
                let at = place(key)?;
                list.get(at).ok_or_else(|| out_of_range(at))?
            }
            Value::Text(text) => {
                let at = place(key)?;
                let byte = *text.bytes().get(at).ok_or_else(|| out_of_range(at))?;
                Value::Uint(UintType::Uint8, u64::from(byte))
            }
            Value::Map(map) => {
                let Value::Text(key) = key else {
                    return Err(Fault::type_error(format!(
                        "value has type {}; should be string",
                        key.type_name()
                    )));
                };
                map.get(key.bytes()).unwrap_or(match map.kind() {
                    MapType::Any => Value::Nil,
                    MapType::Texts => Value::text(""),
                })
            }
            other => {
                return Err(Fault::type_error(format!(
                    "can't index item of type {}",
                    other.type_name()
                )));
            }
        };
    }
    Ok(item)
}

fn place(key: &Value<'_>) -> Result<usize, Fault> {
    let at = match key {
        Value::Int(_, at) => usize::try_from(*at).ok(),
        Value::Uint(_, at) => usize::try_from(*at).ok(),
        other => {
            return Err(Fault::type_error(format!(
                "cannot index slice/array with type {}",
                other.type_name()
            )));
        }
    };
    at.ok_or_else(|| Fault::type_error("index out of range"))
}

fn out_of_range(at: usize) -> Fault {
    Fault::type_error(format!("index out of range: {at}"))
}

fn escaped<'v>(
    cx: &Cx<'_>,
    args: Args<'_, 'v>,
    escape: fn(&[u8], &mut Vec<u8>),
) -> Result<Value<'v>, Fault> {
    let mut out = Vec::new();
    if let [Value::Text(text)] = args.0 {
        escape(text.bytes(), &mut out);
    } else {
        let shown: Vec<Value<'v>> = args
            .0
            .iter()
            .map(|value| match value {
                Value::Nil | Value::Absent => Value::text("<no value>"),
                other => other.clone(),
            })
            .collect();
        let text = format::sprint(&shown, cx)?;
        escape(text.as_text().unwrap_or_default(), &mut out);
    }
    made(cx, out)
}

fn html(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            other => out.push(*other),
        }
    }
}

fn js(text: &[u8], out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.extend_from_slice(b"\\\\"),
                '\'' => out.extend_from_slice(b"\\'"),
                '"' => out.extend_from_slice(b"\\\""),
                '<' | '>' | '&' | '=' => {
                    out.extend_from_slice(format!("\\u{:04X}", c as u32).as_bytes());
                }
                c if (c as u32) < 0x20 => {
                    out.extend_from_slice(format!("\\u{:04X}", c as u32).as_bytes());
                }
                c if c.is_ascii() || crate::template::is_printable(c) => {
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                c => out.extend_from_slice(format!("\\u{:04X}", c as u32).as_bytes()),
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
}

fn url(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b' ' => out.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            byte if byte.is_ascii_alphanumeric() => out.push(*byte),
            other => out.extend_from_slice(format!("%{other:02X}").as_bytes()),
        }
    }
}
