//! What dates, spans and versions tell of themselves when a field is asked of them.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono::{Datelike, Timelike};

use crate::fault::Fault;
use crate::moment::{Moment, duration_text, month_name, weekday_name};
use crate::value::{IntType, UintType, Value};
use crate::version::Version;

/// The field `name` of a value that is no object; `None` where it has none.
pub(crate) fn call<'v>(
    value: &Value<'v>,
    name: &str,
    args: &[Value<'v>],
) -> Option<Result<Value<'v>, Fault>> {
    let result = match value {
        Value::Moment(moment) => of_moment(moment, name, args)?,
        Value::Version(version) => of_version(version, name, args)?,
        Value::Int(IntType::Month, month) if name == "String" => Value::owned(month_name(*month)),
        Value::Int(IntType::Weekday, day) if name == "String" => Value::owned(weekday_name(*day)),
        Value::Int(IntType::Duration, nanos) => of_span(*nanos, name)?,
        _ => return None,
    };
    let takes = matches!(
        name,
        "Format"
            | "Before"
            | "After"
            | "Equal"
            | "Compare"
            | "LessThan"
            | "GreaterThan"
            | "Sub"
            | "Add"
            | "LessThanEqual"
            | "GreaterThanEqual"
    );
    let wanted = if name == "AddDate" {
        3
    } else {
        usize::from(takes)
    };
    if args.len() != wanted {
        let message = format!(
            "wrong number of args for {name}: want {wanted} got {}",
            args.len()
        );
        return Some(Err(Fault::type_error(message)));
    }
    if matches!(result, Value::Absent) {
        return Some(Err(Fault::type_error(format!(
            "wrong type of argument for {name}"
        ))));
    }
    Some(Ok(result))
}

fn text<'v>(text: impl ToString) -> Value<'v> {
    Value::owned(text.to_string())
}

fn int<'v>(number: impl Into<i64>) -> Value<'v> {
    Value::int(number.into())
}

/// A result that needs an argument of a type; [`Value::Absent`] where it is another.
fn with_moment<'v>(args: &[Value<'v>], result: impl Fn(&Moment) -> Value<'v>) -> Value<'v> {
    match args {
        [Value::Moment(other)] => result(other),
        _ => Value::Absent,
    }
}

fn of_moment<'v>(moment: &Moment, name: &str, args: &[Value<'v>]) -> Option<Value<'v>> {
    let local = moment.local();
    let at = |moment: Moment| Value::Moment(Arc::new(moment));
    let order = |other: &Moment| (moment.seconds, moment.nanos).cmp(&(other.seconds, other.nanos));
    Some(match name {
        "Year" => int(local.year()),
        "Month" => Value::Int(IntType::Month, i64::from(local.month())),
        "Day" => int(local.day()),
        "Hour" => int(local.hour()),
        "Minute" => int(local.minute()),
        "Second" => int(local.second()),
        "Nanosecond" => int(local.nanosecond()),
        "YearDay" => int(local.ordinal()),
        "Weekday" => Value::Int(
            IntType::Weekday,
            i64::from(local.weekday().num_days_from_sunday()),
        ),
        "Unix" => Value::int64(moment.seconds),
        "UnixMilli" => Value::int64(moment.since(&Moment::unix(0)) / 1_000_000),
        "UnixMicro" => Value::int64(moment.since(&Moment::unix(0)) / 1_000),
        "UnixNano" => Value::int64(moment.since(&Moment::unix(0))),
        "String" => text(moment),
        "IsZero" => Value::Bool(order(&Moment::zero()) == Ordering::Equal),
        "UTC" | "Local" => at(moment.in_zone("UTC")),
        "Format" => match args {
            [Value::Text(layout)] => text(moment.show(&String::from_utf8_lossy(layout.bytes()))),
            _ => Value::Absent,
        },
        "Before" => with_moment(args, |other| Value::Bool(order(other) == Ordering::Less)),
        "After" => with_moment(args, |other| Value::Bool(order(other) == Ordering::Greater)),
        "Equal" => with_moment(args, |other| Value::Bool(order(other) == Ordering::Equal)),
        "Compare" => with_moment(args, |other| int(order(other) as i64)),
        "Sub" => with_moment(args, |other| {
            Value::Int(IntType::Duration, moment.since(other))
        }),
        "Add" => match args {
            [Value::Int(IntType::Duration | IntType::Int, nanos)] => at(moment.plus(*nanos)),
            _ => Value::Absent,
        },
        "AddDate" => match args {
            [
                Value::Int(IntType::Int, years),
                Value::Int(IntType::Int, months),
                Value::Int(IntType::Int, days),
            ] => moment
                .add_date(*years, *months, *days)
                .map_or(Value::Absent, at),
            _ => Value::Absent,
        },
        _ => return None,
    })
}

fn of_span<'v>(nanos: i64, name: &str) -> Option<Value<'v>> {
    Some(match name {
        "Hours" => Value::Float(nanos as f64 / 3.6e12),
        "Minutes" => Value::Float(nanos as f64 / 6e10),
        "Seconds" => Value::Float(nanos as f64 / 1e9),
        "Milliseconds" => Value::int64(nanos / 1_000_000),
        "Microseconds" => Value::int64(nanos / 1_000),
        "Nanoseconds" => Value::int64(nanos),
        "String" => text(duration_text(nanos)),
        _ => return None,
    })
}

fn of_version<'v>(version: &Version, name: &str, args: &[Value<'v>]) -> Option<Value<'v>> {
    let with = |result: fn(Ordering) -> Value<'static>| match args {
        [Value::Version(other)] => result(version.order(other)),
        _ => Value::Absent,
    };
    Some(match name {
        "Major" => Value::Uint(UintType::Uint64, version.parts[0]),
        "Minor" => Value::Uint(UintType::Uint64, version.parts[1]),
        "Patch" => Value::Uint(UintType::Uint64, version.parts[2]),
        "Prerelease" => text(&version.prerelease),
        "Metadata" => text(&version.metadata),
        "Original" => text(&version.original),
        "String" => text(version),
        "Compare" => with(|order| int(order as i64)),
        "Equal" => with(|order| Value::Bool(order == Ordering::Equal)),
        "LessThan" => with(|order| Value::Bool(order == Ordering::Less)),
        "GreaterThan" => with(|order| Value::Bool(order == Ordering::Greater)),
        "LessThanEqual" => with(|order| Value::Bool(order != Ordering::Greater)),
        "GreaterThanEqual" => with(|order| Value::Bool(order != Ordering::Less)),
        _ => return None,
    })
}
