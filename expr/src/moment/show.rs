//! Moments by layouts.

use chrono::{Datelike, Timelike};

use super::layout::{Part, parts};
use super::{Moment, month_name, weekday_name};

pub(super) fn show(moment: &Moment, layout: &str) -> String {
    parts(layout)
        .into_iter()
        .map(|part| one(moment, part))
        .collect()
}

fn one(moment: &Moment, part: Part<'_>) -> String {
    let local = moment.local();
    let month = || month_name(i64::from(local.month()));
    let day = || weekday_name(i64::from(local.weekday().num_days_from_sunday()));
    let (is_pm, hour12) = local.hour12();
    match part {
        Part::Text(text) => text.to_owned(),
        Part::LongMonth => month(),
        Part::Month => month().chars().take(3).collect(),
        Part::NumMonth => local.month().to_string(),
        Part::ZeroMonth => format!("{:02}", local.month()),
        Part::LongDay => day(),
        Part::WeekDay => day().chars().take(3).collect(),
        Part::Day => local.day().to_string(),
        Part::UnderDay => format!("{:2}", local.day()),
        Part::ZeroDay => format!("{:02}", local.day()),
        Part::UnderYearDay => format!("{:3}", local.ordinal()),
        Part::ZeroYearDay => format!("{:03}", local.ordinal()),
        Part::Hour => format!("{:02}", local.hour()),
        Part::Hour12 => hour12.to_string(),
        Part::ZeroHour12 => format!("{hour12:02}"),
        Part::Minute => local.minute().to_string(),
        Part::ZeroMinute => format!("{:02}", local.minute()),
        Part::Second => local.second().to_string(),
        Part::ZeroSecond => format!("{:02}", local.second()),
        Part::LongYear if local.year() < 0 => format!("-{:04}", local.year().unsigned_abs()),
        Part::LongYear => format!("{:04}", local.year()),
        Part::Year => format!("{:02}", local.year().rem_euclid(100)),
        Part::Pm => if is_pm { "PM" } else { "AM" }.to_owned(),
        Part::SmallPm => if is_pm { "pm" } else { "am" }.to_owned(),
        Part::Zone if moment.zone.is_empty() => {
            let minutes = moment.offset / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
        Part::Zone => moment.zone.clone(),
        Part::Offset { .. } => offset(moment.offset, part),
        Part::Fraction {
            comma,
            digits,
            fixed,
        } => {
            let text = fraction(local.nanosecond(), digits, fixed);
            if comma {
                text.replacen('.', ",", 1)
            } else {
                text
            }
        }
    }
}

fn offset(offset: i32, part: Part<'_>) -> String {
    let Part::Offset {
        z,
        colon,
        seconds,
        short,
    } = part
    else {
        return String::new();
    };
    if z && offset == 0 {
        return "Z".to_owned();
    }
    let size = offset.abs();
    let mut text = format!("{}{:02}", if offset < 0 { '-' } else { '+' }, size / 3600);
    let between = if colon { ":" } else { "" };
    if !short {
        text.push_str(&format!("{between}{:02}", size / 60 % 60));
    }
    if seconds {
        text.push_str(&format!("{between}{:02}", size % 60));
    }
    text
}

fn fraction(nanos: u32, digits: usize, fixed: bool) -> String {
    let mut text: String = format!("{nanos:09}").chars().take(digits).collect();
    if !fixed {
        text = text.trim_end_matches('0').to_owned();
        if text.is_empty() {
            return text;
        }
    }
    format!(".{text}")
}
