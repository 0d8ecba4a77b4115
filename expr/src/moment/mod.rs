//! Moments: seconds and nanoseconds since 1970 with a zone, shown and read by layouts that
//! are written as the second of January 2006, 15:04:05.
//!
//! Never asks what time it is: the caller says.

mod layout;
mod read;
mod show;
mod zone;

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike};

pub(crate) use read::parse;
pub(crate) use transport_proto::duration::{format as duration_text, parse as parse_duration};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A moment and the zone it is shown in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970.
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
    /// Seconds east of Greenwich.
    offset: i32,
    /// Short name of the zone; empty where only the offset is known.
    zone: String,
}

impl Moment {
    /// The first second of year 1, which stands for no moment.
    pub(crate) fn zero() -> Self {
        Self::unix(-62_135_596_800)
    }

    pub(crate) fn unix(seconds: i64) -> Self {
        Self {
            seconds,
            nanos: 0,
            offset: 0,
            zone: "UTC".to_owned(),
        }
    }

    pub(crate) fn of_nanos(nanos: i64) -> Self {
        Self {
            nanos: nanos.rem_euclid(1_000_000_000) as u32,
            ..Self::unix(nanos.div_euclid(1_000_000_000))
        }
    }

    /// A moment by its date and clock in a zone; `None` where there is no such day.
    fn civil(local: NaiveDateTime, offset: i32, zone: String) -> Self {
        Self {
            seconds: local.and_utc().timestamp() - i64::from(offset),
            nanos: local.nanosecond(),
            offset,
            zone,
        }
    }

    /// Date and clock where it is shown.
    pub(crate) fn local(&self) -> NaiveDateTime {
        DateTime::from_timestamp(
            self.seconds.saturating_add(i64::from(self.offset)),
            self.nanos,
        )
        .unwrap_or_default()
        .naive_utc()
    }

    /// The same moment in a zone by its name; in UTC where there is no such zone.
    pub(crate) fn in_zone(&self, name: &str) -> Self {
        let utc = Self {
            offset: 0,
            zone: "UTC".to_owned(),
            ..self.clone()
        };
        if matches!(name, "" | "UTC" | "Local") {
            return utc;
        }
        let Ok(zone) = name.parse::<chrono_tz::Tz>() else {
            return utc;
        };
        let offset = zone.offset_from_utc_datetime(&utc.local());
        Self {
            offset: offset.fix().local_minus_utc(),
            zone: offset.to_string(),
            ..utc
        }
    }

    /// Later by nanoseconds.
    pub(crate) fn plus(&self, nanos: i64) -> Self {
        let all = i64::from(self.nanos) + nanos.rem_euclid(1_000_000_000);
        Self {
            seconds: self
                .seconds
                .saturating_add(nanos.div_euclid(1_000_000_000))
                .saturating_add(all / 1_000_000_000),
            nanos: (all % 1_000_000_000) as u32,
            ..self.clone()
        }
    }

    /// Nanoseconds from `other` to this, as far as they fit.
    pub(crate) fn since(&self, other: &Self) -> i64 {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        let nanos = seconds * 1_000_000_000 + i128::from(self.nanos) - i128::from(other.nanos);
        nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }

    pub(crate) fn add_date(&self, years: i64, months: i64, days: i64) -> Option<Self> {
        let local = self.local();
        let month = i64::from(local.month0()) + months;
        let year = i64::from(local.year()) + years + month.div_euclid(12);
        let first = NaiveDate::from_ymd_opt(
            i32::try_from(year).ok()?,
            month.rem_euclid(12) as u32 + 1,
            1,
        )?;
        let days = days.checked_add(i64::from(local.day0()))?;
        let date = first.checked_add_signed(chrono::TimeDelta::try_days(days)?)?;
        Some(Self::civil(
            date.and_time(local.time()),
            self.offset,
            self.zone.clone(),
        ))
    }

    /// By a layout.
    pub(crate) fn show(&self, layout: &str) -> String {
        show::show(self, layout)
    }

    /// As JSON says a moment.
    pub(crate) fn rfc3339(&self) -> String {
        self.show("2006-01-02T15:04:05.999999999Z07:00")
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

/// The name of a month, from 1.
pub(crate) fn month_name(month: i64) -> String {
    usize::try_from(month - 1)
        .ok()
        .and_then(|i| MONTHS.get(i))
        .map_or_else(|| format!("%!Month({month})"), |name| (*name).to_owned())
}

/// The name of a day, from Sunday = 0.
pub(crate) fn weekday_name(day: i64) -> String {
    usize::try_from(day)
        .ok()
        .and_then(|i| DAYS.get(i))
        .map_or_else(|| format!("%!Weekday({day})"), |name| (*name).to_owned())
}
