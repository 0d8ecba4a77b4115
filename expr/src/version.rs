//! Semantic versions (semver.org 2.0), read with some grace: `v1.2` is 1.2.0.
//!
//! Owns how a version is read, ordered and shown. Never knows of constraints, which are
//! [`versions`](crate::functions) of the template dialect.

use std::cmp::Ordering;
use std::fmt;

/// A semantic version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major, minor, patch; what the text left out is 0.
    pub(crate) parts: [u64; 3],
    /// Identifiers before a release, joined by dots; empty for a release.
    pub(crate) prerelease: String,
    /// What says nothing about the order; empty where there is none.
    pub(crate) metadata: String,
    /// The text it was read from.
    pub(crate) original: String,
}

impl Version {
    /// Reads a version: one to three numbers, a `v` before them, a prerelease and metadata
    /// after them. `None` where the text is no version.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix('v').unwrap_or(text);
        let (numbers, prerelease, metadata) = sections(body)?;
        let mut parts = [0; 3];
        let mut given = numbers.split('.');
        for (part, number) in parts.iter_mut().zip(given.by_ref()) {
            *part = whole(number)?;
        }
        if given.next().is_some() || !prerelease.split('.').all(is_identifier) {
            return None;
        }
        Some(Self {
            parts,
            prerelease: prerelease.to_owned(),
            metadata: metadata.to_owned(),
            original: text.to_owned(),
        })
    }

    /// The order of two versions, which metadata does not change.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.parts
            .cmp(&other.parts)
            .then_with(|| order_of_prereleases(&self.prerelease, &other.prerelease))
    }

    /// Whether it stands before a release.
    pub(crate) fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.parts;
        write!(f, "{major}.{minor}.{patch}")?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Numbers, prerelease and metadata of a version's text, the last two empty where they are
/// not there. `None` where they hold what they may not.
pub(crate) fn sections(text: &str) -> Option<(&str, &str, &str)> {
    let (text, metadata) = match text.split_once('+') {
        Some((text, metadata)) if is_dotted(metadata) => (text, metadata),
        Some(_) => return None,
        None => (text, ""),
    };
    match text.split_once('-') {
        Some((numbers, prerelease)) if is_dotted(prerelease) => {
            Some((numbers, prerelease, metadata))
        }
        Some(_) => None,
        None => Some((text, "", metadata)),
    }
}

/// Words of letters, digits and hyphens, joined by dots.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|word| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

/// A number in a prerelease has no zeros before it.
fn is_identifier(word: &str) -> bool {
    word.len() < 2 || !word.starts_with('0') || !is_number(word)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

fn whole(number: &str) -> Option<u64> {
    is_number(number).then(|| number.parse().ok())?
}

/// A release comes after all its prereleases; those are ordered word by word.
fn order_of_prereleases(one: &str, two: &str) -> Ordering {
    match (one.is_empty(), two.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut ones, mut twos) = (one.split('.'), two.split('.'));
    loop {
        let order = match (ones.next(), twos.next()) {
            (None, None) => return Ordering::Equal,
            (one, two) if one.is_none() || two.is_none() => one.cmp(&two),
            (one, two) => order_of_words(one.unwrap_or_default(), two.unwrap_or_default()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Numbers by value and before words; words by their bytes.
fn order_of_words(one: &str, two: &str) -> Ordering {
    match (is_number(one), is_number(two)) {
        // Without zeros before them the longer number is the larger one, however long.
        (true, true) => one.len().cmp(&two.len()).then_with(|| one.cmp(two)),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => one.cmp(two),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text} is no version"))
    }

    #[test]
    fn parts_left_out_are_zero_and_a_v_is_not_shown() {
        for (text, shown) in [
            ("v1", "1.0.0"),
            ("1.2", "1.2.0"),
            ("01.02.03", "1.2.3"),
            ("1-a", "1.0.0-a"),
            ("v1.2.3-rc.1+b.007", "1.2.3-rc.1+b.007"),
        ] {
            assert_eq!(version(text).to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            "v",
            "V1",
            " 1.2.3",
            "1.2.3 ",
            "1.",
            "1..2",
            "1.2.3.4",
            "-1",
            "+1",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3-01",
            "1.2.3+",
            "1.2.3-ä",
            "1.x",
            "99999999999999999999",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn versions_are_ordered_as_the_standard_says() {
        let rising = [
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.10.0",
            "2.0.0",
        ];
        for pair in rising.windows(2) {
            let order = version(pair[0]).order(&version(pair[1]));
            assert_eq!(order, Ordering::Less, "{pair:?}");
        }
        assert_eq!(version("1.0+a").order(&version("1+b")), Ordering::Equal);
    }
}
