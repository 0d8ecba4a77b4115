//! Short names of zones in dates.

/// How long the short name is that a text begins with: three letters, four or five that end
/// in `T`, `GMT+3`, `-03` and a few by name.
pub(super) fn name_length(text: &str) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with("ChST") || text.starts_with("MeST") {
        return Some(4);
    }
    if let Some(after) = text.strip_prefix("GMT") {
        return Some(3 + hours_length(after).unwrap_or(0));
    }
    if text.starts_with(['+', '-']) {
        return hours_length(text);
    }
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let name = text.get(..letters)?;
    let is_name = match letters {
        3 => true,
        4 => name.ends_with('T') || name == "WITA",
        5 => name.ends_with('T'),
        _ => false,
    };
    is_name.then_some(letters)
}

/// The seconds that `GMT+3` says; 0 for every other name.
pub(super) fn offset(name: &str) -> i32 {
    let hours = name
        .strip_prefix("GMT")
        .and_then(|hours| hours.parse::<i32>().ok());
    hours.map_or(0, |hours| hours * 3600)
}

/// How long a sign with hours of less than a day is.
fn hours_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['+', '-'])?;
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let hours: u32 = digits.get(..count)?.parse().ok()?;
    (hours < 24).then_some(1 + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_known_by_its_letters() {
        for (text, length) in [
            ("CET", Some(3)),
            ("CEST x", Some(4)),
            ("ESAST", Some(5)),
            ("WITA", Some(4)),
            ("ChST", Some(4)),
            ("GMT", Some(3)),
            ("GMT+3 x", Some(5)),
            ("GMT+24", Some(3)),
            ("-03", Some(3)),
            ("+3", None),
            ("+24", None),
            ("ABCD", None),
            ("ABCDE", None),
            ("ABCDEF", None),
            ("utc", None),
            ("é", None),
            ("", None),
        ] {
            assert_eq!(name_length(text), length, "{text:?}");
        }
        assert_eq!(
            (offset("GMT-12"), offset("CEST"), offset("GMT")),
            (-43200, 0, 0)
        );
    }
}
