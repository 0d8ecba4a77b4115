//! Dates and spans of time. The local zone is UTC.
//!
//! Never asks what time it is: the evaluation says.

use std::sync::Arc;

use super::Param::{Any, Moment as Date, Text as Txt};
use super::{Args, Function, made};
use crate::fault::Fault;
use crate::moment::{self, Moment, duration_text, parse_duration};
use crate::template::Cx;
use crate::value::{IntType, Value};

pub(super) const TABLE: &[Function] = &[
    Function::of("now", &[], |cx, _| Ok(at(Moment::of_nanos(cx.now)))).unsteady(),
    Function::of("date", &[Txt, Any], |cx, args| {
        shown(cx, &args.lossy(0), args.get(1), "Local")
    }),
    Function::of("dateInZone", &[Txt, Any, Txt], in_zone),
    Function::of("date_in_zone", &[Txt, Any, Txt], in_zone),
    Function::of("htmlDate", &[Any], |cx, args| {
        shown(cx, DAY, args.get(0), "Local")
    }),
    Function::of("htmlDateInZone", &[Any, Txt], |cx, args| {
        shown(cx, DAY, args.get(0), &args.lossy(1))
    }),
    Function::of("dateModify", &[Txt, Date], modified),
    Function::of("date_modify", &[Txt, Date], modified),
    Function::of("mustDateModify", &[Txt, Date], must_modified),
    Function::of("must_date_modify", &[Txt, Date], must_modified),
    Function::of("toDate", &[Txt, Txt], |cx, args| {
        Ok(at(parsed(cx, args)?.unwrap_or_else(Moment::zero)))
    }),
    Function::of("mustToDate", &[Txt, Txt], |cx, args| {
        let moment = parsed(cx, args)?.ok_or_else(|| {
            Fault::refused(format!(
                "parsing time {:?} as {:?}",
                args.lossy(1),
                args.lossy(0)
            ))
        });
        moment.map(at)
    }),
    Function::of("unixEpoch", &[Date], |cx, args| {
        made(cx, args.moment(0).seconds.to_string())
    }),
    Function::of("duration", &[Any], |cx, args| {
        let seconds = match args.get(0) {
            Value::Text(_) => seconds(&args.lossy(0)),
            Value::Int(IntType::Int64, seconds) => *seconds,
            _ => 0,
        };
        made(cx, duration_text(seconds.wrapping_mul(SECOND as i64)))
    }),
    Function::of("durationRound", &[Any], |cx, args| {
        let nanos = match args.get(0) {
            Value::Text(_) => parse_duration(&args.lossy(0)).unwrap_or(0),
            Value::Int(IntType::Int64, nanos) => *nanos,
            Value::Moment(moment) => Moment::of_nanos(cx.now).since(moment),
            _ => 0,
        };
        made(cx, rounded(nanos.unsigned_abs()))
    }),
];

/// How web forms write a day.
const DAY: &str = "2006-01-02";

const SECOND: u64 = 1_000_000_000;

/// Units of [`rounded`] in nanoseconds, the largest first.
const UNITS: [(u64, &str); 6] = [
    (365 * 24 * 3600 * SECOND, "y"),
    (30 * 24 * 3600 * SECOND, "mo"),
    (24 * 3600 * SECOND, "d"),
    (3600 * SECOND, "h"),
    (60 * SECOND, "m"),
    (SECOND, "s"),
];

fn at<'v>(moment: Moment) -> Value<'v> {
    Value::Moment(Arc::new(moment))
}

fn in_zone<'v>(cx: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    shown(cx, &args.lossy(0), args.get(1), &args.lossy(2))
}

/// A date by a layout. Whole numbers are seconds; anything that is no date is now.
fn shown<'v>(cx: &Cx<'_>, layout: &str, date: &Value<'_>, zone: &str) -> Result<Value<'v>, Fault> {
    let moment = match date {
        Value::Moment(moment) => moment.as_ref().clone(),
        Value::Int(IntType::Int | IntType::Int32 | IntType::Int64, seconds) => {
            Moment::unix(*seconds)
        }
        _ => Moment::of_nanos(cx.now),
    };
    // Names of months and days are longer than what stands for them.
    cx.meter.make(layout.len().saturating_mul(8))?;
    made(cx, moment.in_zone(zone).show(layout))
}

/// The date later by a span; the same where the text is none.
fn modified<'v>(_: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let nanos = parse_duration(&args.lossy(0)).unwrap_or(0);
    Ok(at(args.moment(1).plus(nanos)))
}

fn must_modified<'v>(_: &Cx<'_>, args: Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.lossy(0);
    let nanos = parse_duration(&text)
        .map_err(|_| Fault::refused(format!("time: invalid duration {text:?}")))?;
    Ok(at(args.moment(1).plus(nanos)))
}

fn parsed(cx: &Cx<'_>, args: Args<'_, '_>) -> Result<Option<Moment>, Fault> {
    cx.meter.make(args.text(0).len().saturating_mul(8))?;
    cx.meter.look(args.text(1).len())?;
    Ok(moment::parse(&args.lossy(0), &args.lossy(1)))
}

/// Whole seconds of a text, as many as fit; 0 where it holds none.
fn seconds(text: &str) -> i64 {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    text.parse()
        .unwrap_or_else(|error: std::num::ParseIntError| match error.kind() {
            PosOverflow => i64::MAX,
            NegOverflow => i64::MIN,
            _ => 0,
        })
}

/// How many of the largest unit that the span is longer than.
fn rounded(nanos: u64) -> String {
    UNITS.iter().find(|(unit, _)| nanos > *unit).map_or_else(
        || "0s".to_owned(),
        |(unit, name)| format!("{}{name}", nanos / unit),
    )
}

#[cfg(test)]
mod tests {
    use crate::functions::trial::{gives, refuses};

    #[test]
    fn a_span_rounds_to_the_largest_unit_it_is_longer_than() {
        for (source, wanted) in [
            (r#"durationRound "2h10m5s""#, "2h"),
            (r#"durationRound "2400h10m5s""#, "3mo"),
            (r#"durationRound "1s""#, "0s"),
            (r#"durationRound "1001ms""#, "1s"),
            (r#"durationRound "60s""#, "60s"),
            (r#"durationRound "61s""#, "1m"),
            (r#"durationRound "24h1s""#, "1d"),
            (r#"durationRound "-8761h""#, "1y"),
            ("durationRound (int64 90000000000)", "1m"),
            ("durationRound 90000000000", "0s"),
        ] {
            gives(&format!("{{{{ {source} }}}}"), wanted);
        }
    }

    #[test]
    fn only_int64_and_texts_are_seconds_of_a_duration() {
        gives(
            r#"{{ duration "x" }} {{ duration "-5" }} {{ duration 5 }} {{ duration nil }}"#,
            "0s -5s 0s 0s",
        );
        gives(r#"{{ duration (int64 5) }} {{ duration 5.0 }}"#, "5s 0s");
    }

    #[test]
    fn whole_numbers_are_seconds_and_all_else_is_now() {
        gives(
            r#"{{ date "2006-01-02" (int64 0) }} {{ date "2006" 'a' }}"#,
            "1970-01-01 1970",
        );
        // The time of the trial.
        gives(
            r#"{{ date "2006-01-02" 5.0 }} {{ htmlDate nil }}"#,
            "2024-05-06 2024-05-06",
        );
        gives(r#"{{ now | date "15:04:05" }}"#, "12:53:20");
    }

    #[test]
    fn a_zone_that_does_not_exist_is_utc() {
        gives(
            r#"{{ dateInZone "15:04 MST" 1715000000 "Europe/Berlin" }}"#,
            "14:53 CEST",
        );
        gives(
            r#"{{ dateInZone "15:04 MST" 1715000000 "Nowhere" }}"#,
            "12:53 UTC",
        );
        gives(
            r#"{{ htmlDateInZone 1715036400 "Asia/Tokyo" }}"#,
            "2024-05-07",
        );
    }

    #[test]
    fn a_span_that_is_none_changes_no_date_or_is_refused() {
        let date = r#"(toDate "2006-01-02" "2024-02-28")"#;
        gives(
            &format!(r#"{{{{ dateModify "x" {date} | htmlDate }}}}"#),
            "2024-02-28",
        );
        gives(
            &format!(r#"{{{{ mustDateModify "24h" {date} | htmlDate }}}}"#),
            "2024-02-29",
        );
        refuses(&format!(r#"{{{{ mustDateModify "" {date} }}}}"#));
        refuses(r#"{{ mustToDate "2006" "x" }}"#);
    }
}
