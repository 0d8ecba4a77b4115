//! Layouts taken apart.

/// An element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'l> {
    Text(&'l str),
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    Pm,
    SmallPm,
    Zone,
    /// An offset: `Z` for none, with a colon, with seconds, hours only.
    Offset {
        z: bool,
        colon: bool,
        seconds: bool,
        short: bool,
    },
    /// Digits of a fraction: after a comma or a point, how many, and whether zeros at the
    /// end stay.
    Fraction {
        comma: bool,
        digits: usize,
        fixed: bool,
    },
}

const NAMES: [(&str, Part<'static>); 34] = {
    use Part::*;
    [
        ("January", LongMonth),
        ("Jan", Month),
        ("Monday", LongDay),
        ("Mon", WeekDay),
        ("MST", Zone),
        ("002", ZeroYearDay),
        ("01", ZeroMonth),
        ("02", ZeroDay),
        ("03", ZeroHour12),
        ("04", ZeroMinute),
        ("05", ZeroSecond),
        ("06", Year),
        ("2006", LongYear),
        ("__2", UnderYearDay),
        ("_2006", Text("_")),
        ("_2", UnderDay),
        ("15", Hour),
        ("1", NumMonth),
        ("2", Day),
        ("3", Hour12),
        ("4", Minute),
        ("5", Second),
        ("PM", Pm),
        ("pm", SmallPm),
        (
            "-070000",
            Offset {
                z: false,
                colon: false,
                seconds: true,
                short: false,
            },
        ),
        (
            "-07:00:00",
            Offset {
                z: false,
                colon: true,
                seconds: true,
                short: false,
            },
        ),
        (
            "-0700",
            Offset {
                z: false,
                colon: false,
                seconds: false,
                short: false,
            },
        ),
        (
            "-07:00",
            Offset {
                z: false,
                colon: true,
                seconds: false,
                short: false,
            },
        ),
        (
            "-07",
            Offset {
                z: false,
                colon: false,
                seconds: false,
                short: true,
            },
        ),
        (
            "Z070000",
            Offset {
                z: true,
                colon: false,
                seconds: true,
                short: false,
            },
        ),
        (
            "Z07:00:00",
            Offset {
                z: true,
                colon: true,
                seconds: true,
                short: false,
            },
        ),
        (
            "Z0700",
            Offset {
                z: true,
                colon: false,
                seconds: false,
                short: false,
            },
        ),
        (
            "Z07:00",
            Offset {
                z: true,
                colon: true,
                seconds: false,
                short: false,
            },
        ),
        (
            "Z07",
            Offset {
                z: true,
                colon: false,
                seconds: false,
                short: true,
            },
        ),
    ]
};

/// The elements of a layout.
pub(super) fn parts(layout: &str) -> Vec<Part<'_>> {
    let mut out = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < layout.len() {
        if let Some((part, len)) = part_at(layout, at) {
            if from < at {
                out.push(Part::Text(&layout[from..at]));
            }
            out.push(part);
            at += len;
            from = at;
        } else {
            at += 1;
            while !layout.is_char_boundary(at) {
                at += 1;
            }
        }
    }
    if from < layout.len() {
        out.push(Part::Text(&layout[from..]));
    }
    out
}

fn part_at(layout: &str, at: usize) -> Option<(Part<'_>, usize)> {
    let rest = layout.get(at..)?;
    if rest.starts_with(['.', ',']) {
        let digit = rest
            .as_bytes()
            .get(1)
            .copied()
            .filter(|b| matches!(b, b'0' | b'9'))?;
        let digits = rest
            .bytes()
            .skip(1)
            .take_while(|byte| *byte == digit)
            .count();
        let next = rest.as_bytes().get(1 + digits);
        if next.is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let (comma, fixed) = (rest.starts_with(','), digit == b'0');
        return Some((
            Part::Fraction {
                comma,
                digits,
                fixed,
            },
            1 + digits,
        ));
    }
    if rest.starts_with("_2006") {
        return Some((Part::Text(&rest[..1]), 1));
    }
    NAMES
        .iter()
        .filter(|(name, _)| rest.starts_with(name))
        .max_by_key(|(name, _)| name.len())
        .filter(|(name, _)| {
            // A short name of a month or day is none where a longer word goes on.
            !matches!(*name, "Jan" | "Mon")
                || !rest.as_bytes().get(3).is_some_and(u8::is_ascii_lowercase)
        })
        .map(|(name, part)| (*part, name.len()))
}
