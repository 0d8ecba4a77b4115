//! Dates read by layouts.

use chrono::{Datelike, NaiveDate};

use super::layout::{Part, parts};
use super::{DAYS, MONTHS, Moment, zone};

/// What has been read.
#[derive(Default)]
struct Read {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    pm: Option<bool>,
    offset: Option<i32>,
    zone: Option<String>,
    /// Whatever offset or name stands beside it.
    is_utc: bool,
}

/// Reads a date; where only parts are given the rest is its least, in UTC.
pub(crate) fn parse(layout: &str, text: &str) -> Option<Moment> {
    let mut read = Read::default();
    let mut rest = text;
    let parts = parts(layout);
    for (i, part) in parts.iter().enumerate() {
        let wants_fraction = matches!(part, Part::Second | Part::ZeroSecond)
            && !matches!(parts.get(i + 1), Some(Part::Fraction { .. }));
        rest = read.part(*part, rest)?;
        if wants_fraction && rest.starts_with(['.', ',']) {
            let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                read.nanos = nanos(&rest[1..1 + digits])?;
                rest = &rest[1 + digits..];
            }
        }
    }
    if rest.is_empty() { read.moment() } else { None }
}

fn nanos(digits: &str) -> Option<u32> {
    let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().ok()
}

/// A number of `least` to `most` digits and what follows.
fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let digits = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if digits < least {
        return None;
    }
    Some((text.get(..digits)?.parse().ok()?, text.get(digits..)?))
}

fn named<'t>(text: &'t str, names: &[&str], short: bool) -> Option<(u32, &'t str)> {
    names.iter().enumerate().find_map(|(i, name)| {
        let name = if short { &name[..3] } else { name };
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name)
            .then(|| (i as u32, &text[name.len()..]))
    })
}

impl Read {
    fn part<'t>(&mut self, part: Part<'_>, text: &'t str) -> Option<&'t str> {
        let unpadded = text.strip_prefix(' ').unwrap_or(text);
        let (value, rest) = match part {
            Part::Text(wanted) => return literal(wanted, text),
            Part::LongYear => number(text, 4, 4)?,
            Part::Year => number(text, 2, 2)?,
            Part::LongMonth => named(text, &MONTHS, false)?,
            Part::Month => named(text, &MONTHS, true)?,
            Part::LongDay => named(text, &DAYS, false)?,
            Part::WeekDay => named(text, &DAYS, true)?,
            Part::NumMonth | Part::Day | Part::Hour12 | Part::Minute | Part::Second => {
                number(text, 1, 2)?
            }
            Part::UnderDay => number(unpadded, 1, 2)?,
            Part::UnderYearDay => number(text.trim_start_matches(' '), 1, 3)?,
            Part::ZeroYearDay => number(text, 3, 3)?,
            Part::Hour => number(text, 1, 2)?,
            Part::ZeroMonth
            | Part::ZeroDay
            | Part::ZeroHour12
            | Part::ZeroMinute
            | Part::ZeroSecond => number(text, 2, 2)?,
            Part::Pm | Part::SmallPm => {
                let head = text.get(..2)?;
                let (am, pm) = if part == Part::Pm {
                    ("AM", "PM")
                } else {
                    ("am", "pm")
                };
                self.pm = Some(if head == pm {
                    true
                } else if head == am {
                    false
                } else {
                    return None;
                });
                return text.get(2..);
            }
            Part::Zone => return self.zone(text),
            Part::Offset { .. } => return self.offset(part, text),
            Part::Fraction { digits, fixed, .. } => {
                let given = text.get(1..).unwrap_or_default();
                let count = given.bytes().take_while(u8::is_ascii_digit).count();
                if fixed && (count < digits || !text.starts_with(['.', ','])) {
                    return None;
                }
                if !text.starts_with(['.', ',']) || count == 0 {
                    return Some(text);
                }
                let count = if fixed { digits } else { count };
                self.nanos = nanos(&given[..count])?;
                return given.get(count..);
            }
        };
        self.take(part, value)?;
        Some(rest)
    }

    fn take(&mut self, part: Part<'_>, value: u32) -> Option<()> {
        match part {
            Part::LongYear => self.year = value as i32,
            Part::Year => self.year = value as i32 + if value >= 69 { 1900 } else { 2000 },
            Part::LongMonth | Part::Month => self.month = Some(value + 1),
            Part::NumMonth | Part::ZeroMonth => self.month = Some(value),
            Part::Day | Part::UnderDay | Part::ZeroDay => self.day = Some(value),
            Part::UnderYearDay | Part::ZeroYearDay => self.year_day = Some(value),
            Part::Hour if value < 24 => self.hour = value,
            Part::Hour12 | Part::ZeroHour12 if value <= 12 => self.hour = value,
            Part::Minute | Part::ZeroMinute if value < 60 => self.minute = value,
            Part::Second | Part::ZeroSecond if value < 60 => self.second = value,
            Part::LongDay | Part::WeekDay => {}
            _ => return None,
        }
        Some(())
    }

    fn zone<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if let Some(rest) = text.strip_prefix("UTC") {
            self.is_utc = true;
            return Some(rest);
        }
        let (name, rest) = text.split_at_checked(zone::name_length(text)?)?;
        self.zone = Some(name.to_owned());
        Some(rest)
    }

    fn offset<'t>(&mut self, part: Part<'_>, text: &'t str) -> Option<&'t str> {
        let Part::Offset {
            z,
            colon,
            seconds,
            short,
        } = part
        else {
            return None;
        };
        if let (true, Some(rest)) = (z, text.strip_prefix('Z')) {
            self.is_utc = true;
            return Some(rest);
        }
        let sign = match text.bytes().next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let (hours, mut rest) = number(text.get(1..)?, 2, 2)?;
        // People write offsets of 24 hours and of 60 minutes.
        let mut total = (hours <= 24).then_some(hours * 3600)?;
        let fields = if short { 0 } else { 1 + usize::from(seconds) };
        for unit in [60, 1].into_iter().take(fields) {
            if colon {
                rest = rest.strip_prefix(':')?;
            }
            let (value, after) = number(rest, 2, 2)?;
            total += (value <= 60).then_some(value * unit)?;
            rest = after;
        }
        self.offset = Some(sign * i32::try_from(total).ok()?);
        Some(rest)
    }

    /// A date by its day of the year, unless month or day say otherwise.
    fn agreed(&self, date: NaiveDate) -> Option<NaiveDate> {
        let agrees = self.month.is_none_or(|month| month == date.month())
            && self.day.is_none_or(|day| day == date.day());
        agrees.then_some(date)
    }

    fn moment(self) -> Option<Moment> {
        let mut hour = self.hour;
        match self.pm {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let date = match self.year_day {
            Some(day) => self.agreed(NaiveDate::from_yo_opt(self.year, day)?)?,
            None => {
                NaiveDate::from_ymd_opt(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1))?
            }
        };
        let local = date.and_hms_nano_opt(hour, self.minute, self.second, self.nanos)?;
        let utc = || "UTC".to_owned();
        Some(match (self.offset, self.zone) {
            _ if self.is_utc => Moment::civil(local, 0, utc()),
            (None | Some(0), None) => Moment::civil(local, 0, utc()),
            (Some(offset), zone) => Moment::civil(local, offset, zone.unwrap_or_default()),
            // A name alone tells only how the moment is shown.
            (None, Some(zone)) => Moment {
                offset: zone::offset(&zone),
                ..Moment::civil(local, 0, zone)
            },
        })
    }
}

/// Text of a layout; a run of spaces there stands for any, none too.
fn literal<'t>(wanted: &str, text: &'t str) -> Option<&'t str> {
    let mut rest = text;
    let mut wanted = wanted;
    while let Some(c) = wanted.chars().next() {
        if c == ' ' {
            if !rest.is_empty() && !rest.starts_with(' ') {
                return None;
            }
            wanted = wanted.trim_start_matches(' ');
            rest = rest.trim_start_matches(' ');
            continue;
        }
        rest = rest.strip_prefix(c)?;
        wanted = &wanted[c.len_utf8()..];
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn shown(layout: &str, text: &str) -> Option<String> {
        parse(layout, text).map(|moment| moment.to_string())
    }

    #[test]
    fn an_hour_may_have_one_digit_and_a_minute_behind_a_zero_not() {
        assert_eq!(
            shown("15:04", "9:05").as_deref(),
            Some("0000-01-01 09:05:00 +0000 UTC")
        );
        assert_eq!(shown("15:04", "9:5"), None);
        assert_eq!(shown("15:04", "24:00"), None);
    }

    #[test]
    fn a_day_of_the_year_agrees_with_month_and_day() {
        assert_eq!(
            shown("2006-002-01", "2024-060-02").as_deref(),
            Some("2024-02-29 00:00:00 +0000 UTC")
        );
        assert_eq!(shown("2006-002-01", "2024-060-03"), None);
        assert_eq!(shown("2006-002-2", "2024-060-28"), None);
    }

    #[test]
    fn a_name_of_a_zone_shows_and_only_an_offset_counts() {
        for (layout, text, wanted) in [
            ("15 MST", "09 CEST", "0000-01-01 09:00:00 +0000 CEST"),
            ("15 MST", "09 GMT+3", "0000-01-01 12:00:00 +0300 GMT+3"),
            (
                "15 -0700 MST",
                "09 +0200 CEST",
                "0000-01-01 09:00:00 +0200 CEST",
            ),
            (
                "15 -0700 MST",
                "09 +0200 UTC",
                "0000-01-01 09:00:00 +0000 UTC",
            ),
            (
                "15 -0700 MST",
                "09 +0000 AST",
                "0000-01-01 09:00:00 +0000 AST",
            ),
            ("15Z07:00", "09Z", "0000-01-01 09:00:00 +0000 UTC"),
        ] {
            assert_eq!(shown(layout, text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn an_offset_is_a_day_at_most() {
        assert!(shown("-07:00", "+24:00").is_some());
        assert!(shown("-07:00", "+23:60").is_some());
        assert_eq!(shown("-07:00", "+25:00"), None);
        assert_eq!(shown("-07:00", "+23:61"), None);
    }
}
