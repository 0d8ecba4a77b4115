//! Constraints on semantic versions.
//!
//! A constraint is groups joined by `||`, a group comparisons joined by commas or spaces. A
//! comparison is an operator and a version that may be short or end in a wildcard; a part
//! that is left out or `x`, `X` or `*` is open. `1 - 2` stands for `>=1 <=2`.

use std::cmp::Ordering;

use crate::characters::is_space;
use crate::version::{Version, sections};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

/// Spellings of the operators, each before those that it begins with.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::Unequal),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
];

/// What versions satisfy.
#[derive(Debug)]
pub(super) struct Constraint(Vec<Vec<Comparison>>);

impl Constraint {
    /// `None` where the text is no constraint.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.split("||").map(group).collect::<Option<_>>().map(Self)
    }

    /// Whether the version satisfies one of the groups.
    pub(super) fn holds(&self, version: &Version) -> bool {
        self.0.iter().any(|group| satisfies(version, group))
    }
}

/// One comparison of a group.
#[derive(Debug)]
struct Comparison {
    operator: Operator,
    /// Open parts are 0 here.
    version: Version,
    /// How many parts are fixed: 0 for a wildcard alone, 3 for a full version.
    fixed: usize,
}

fn group(text: &str) -> Option<Vec<Comparison>> {
    let mut rest = text.trim_start_matches(is_space);
    let mut group = Vec::new();
    loop {
        let (operator, after) = operator(rest);
        let (version, fixed, after) = operand(after)?;
        let (next, parted) = separator(after);
        let comparison = |operator, version, fixed| Comparison {
            operator,
            version,
            fixed,
        };
        if let (None, Some(until)) = (operator, hyphen(after)) {
            let (last, last_fixed, after) = operand(until)?;
            group.push(comparison(Operator::GreaterOrEqual, version, fixed));
            group.push(comparison(Operator::LessOrEqual, last, last_fixed));
            (rest, _) = separator(after);
            if rest.len() == after.len() && !rest.is_empty() {
                return None;
            }
        } else {
            group.push(comparison(
                operator.unwrap_or(Operator::Equal),
                version,
                fixed,
            ));
            if !parted && !next.is_empty() {
                return None;
            }
            rest = next;
        }
        if rest.is_empty() {
            return Some(group);
        }
    }
}

/// What follows the hyphen of a range, which has a space on both sides.
fn hyphen(text: &str) -> Option<&str> {
    let after = text.trim_start_matches(is_space);
    if after.len() == text.len() {
        return None;
    }
    let after = after.strip_prefix('-')?;
    let operand = after.trim_start_matches(is_space);
    (operand.len() < after.len()).then_some(operand)
}

/// The next comparison's text and whether a comma or a space was before it. A comma with
/// nothing behind it stays, and is no comparison.
fn separator(text: &str) -> (&str, bool) {
    let spaced = text.trim_start_matches(is_space);
    let next = match spaced.strip_prefix(',') {
        Some(next) if !next.trim_start_matches(is_space).is_empty() => {
            next.trim_start_matches(is_space)
        }
        _ => spaced,
    };
    (next, next.len() < text.len())
}

fn operator(text: &str) -> (Option<Operator>, &str) {
    for (spelling, operator) in OPERATORS {
        if let Some(after) = text.strip_prefix(spelling) {
            return (Some(operator), after.trim_start_matches(is_space));
        }
    }
    (None, text)
}

/// A version with open parts, how many parts are fixed, and what follows.
fn operand(text: &str) -> Option<(Version, usize, &str)> {
    let end = text.find(|c| is_space(c) || c == ',').unwrap_or(text.len());
    let (word, after) = text.split_at_checked(end)?;
    let body = word.strip_prefix('v').unwrap_or(word);
    let (numbers, prerelease, metadata) = sections(body)?;
    let parts: Vec<&str> = numbers.split('.').collect();
    let is_open = |part: &&str| matches!(*part, "x" | "X" | "*");
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(|part| is_open(part) || is_number(part)) {
        return None;
    }
    // What stands behind an open part is open as well.
    let fixed = parts.iter().position(is_open).unwrap_or(parts.len());
    let mut text = parts.get(..fixed)?.join(".");
    if fixed == 0 {
        text.push('0');
    }
    for (mark, section) in [('-', prerelease), ('+', metadata)] {
        if !section.is_empty() {
            text.push(mark);
            text.push_str(section);
        }
    }
    Some((Version::parse(&text)?, fixed, after))
}

/// Whether all comparisons hold. A prerelease counts only where one is asked for.
fn satisfies(version: &Version, group: &[Comparison]) -> bool {
    let asks_for_prereleases = group.iter().any(|one| one.version.is_prerelease());
    (asks_for_prereleases || !version.is_prerelease()) && group.iter().all(|one| one.holds(version))
}

impl Comparison {
    fn holds(&self, version: &Version) -> bool {
        let order = version.order(&self.version);
        match self.operator {
            Operator::Equal if self.fixed < 3 => self.tilde(version),
            Operator::Equal => order == Ordering::Equal,
            Operator::Unequal if self.fixed < 3 => !self.agrees(version, self.fixed),
            Operator::Unequal => order != Ordering::Equal,
            Operator::Greater if self.fixed < 3 => {
                self.order_of_fixed(version) == Ordering::Greater
            }
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => {
                order != Ordering::Greater
                    || (self.fixed < 3 && self.order_of_fixed(version) != Ordering::Greater)
            }
            Operator::Tilde => self.tilde(version),
            Operator::Caret => order != Ordering::Less && self.agrees(version, self.kept()),
        }
    }

    /// At least this version, and the same up to the minor part, as far as it is fixed.
    fn tilde(&self, version: &Version) -> bool {
        let fixed = self.fixed.min(2);
        version.order(&self.version) != Ordering::Less && self.agrees(version, fixed)
    }

    /// How many parts a caret keeps: up to the first that is not 0, as far as they are fixed.
    fn kept(&self) -> usize {
        let significant = self.version.parts.iter().position(|part| *part > 0);
        significant.map_or(3, |at| at + 1).min(self.fixed)
    }

    /// Whether the first `count` parts are the same.
    fn agrees(&self, version: &Version, count: usize) -> bool {
        self.version
            .parts
            .iter()
            .take(count)
            .eq(version.parts.iter().take(count))
    }

    /// The order of the version's parts to those that are fixed here.
    fn order_of_fixed(&self, version: &Version) -> Ordering {
        let fixed = self.version.parts.iter().take(self.fixed);
        version.parts.iter().take(self.fixed).cmp(fixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(constraint: &str, version: &str) -> bool {
        let constraint = Constraint::parse(constraint)
            .unwrap_or_else(|| panic!("{constraint} is no constraint"));
        constraint.holds(&Version::parse(version).expect("a version"))
    }

    /// Constraint, the versions that satisfy it, and some that do not.
    const RANGES: &[(&str, &[&str], &[&str])] = &[
        ("1.2.3", &["1.2.3", "1.2.3+b"], &["1.2.4", "1.2.3-a"]),
        ("=1.2", &["1.2.0", "1.2.9"], &["1.3.0", "1.1.9"]),
        ("1", &["1.0.0", "1.9.9"], &["2.0.0", "0.9.9"]),
        ("*", &["0.0.0", "9.9.9"], &["1.0.0-a"]),
        ("!=1.2.3", &["1.2.4"], &["1.2.3"]),
        ("!=1.2.x", &["1.3.0"], &["1.2.0", "1.2.9"]),
        (">1", &["2.0.0"], &["1.0.0", "1.9.9"]),
        (">1.2", &["1.3.0"], &["1.2.9"]),
        (">1.2.3", &["1.2.4"], &["1.2.3"]),
        (">=1.2.x", &["1.2.0", "3.0.0"], &["1.1.9"]),
        ("<1.2", &["1.1.9"], &["1.2.0"]),
        ("<=2.x", &["2.9.9"], &["3.0.0"]),
        ("<=1.2.3", &["1.2.3"], &["1.2.4"]),
        ("~1.2.3", &["1.2.3", "1.2.9"], &["1.2.2", "1.3.0"]),
        ("~1", &["1.9.9"], &["2.0.0"]),
        ("~>2.3", &["2.3.0", "2.3.9"], &["2.4.0", "2.2.9"]),
        ("~1.x", &["1.0.0", "1.9.0"], &["2.0.0"]),
        ("^1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0"]),
        ("^1.2.x", &["1.2.0", "1.9.0"], &["1.1.9", "2.0.0"]),
        ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]),
        ("^0.2", &["0.2.0", "0.2.9"], &["0.3.0"]),
        ("^0.0.3", &["0.0.3"], &["0.0.4", "0.0.2"]),
        ("^0.0", &["0.0.0", "0.0.9"], &["0.1.0"]),
        ("^0", &["0.0.0", "0.9.0"], &["1.0.0"]),
        ("1.2 - 1.4.5", &["1.2.0", "1.4.5"], &["1.4.6", "1.1.9"]),
        ("2.3.4 - 4.5", &["2.3.4", "4.5.9"], &["4.6.0", "2.3.3"]),
        (">=1, <1.5 || ~3", &["1.4.9", "3.9.0"], &["1.5.0", "2.0.0"]),
        (">= 1.0 , < 2.0", &["1.5.0"], &["2.0.0"]),
        ("v1.2.3", &["1.2.3"], &["1.2.4"]),
    ];

    #[test]
    fn constraints_hold_for_their_ranges() {
        for (constraint, inside, outside) in RANGES {
            for version in *inside {
                assert!(holds(constraint, version), "{constraint} {version}");
            }
            for version in *outside {
                assert!(!holds(constraint, version), "{constraint} {version}");
            }
        }
    }

    #[test]
    fn a_prerelease_counts_only_where_its_group_asks_for_one() {
        assert!(!holds(">=1.0.0", "1.2.0-rc.1"));
        assert!(holds(">=1.0.0-0", "1.2.0-rc.1"));
        assert!(holds(">=1.0.0-0 <2", "1.2.0-rc.1"));
        assert!(!holds("<1.0.0-0 || >=1.0", "1.2.0-rc.1"));
        assert!(!holds("^1.2.3-beta", "2.0.0-alpha"));
    }

    #[test]
    fn what_is_no_constraint_is_refused() {
        for constraint in [
            "", " ", "||", "1 ||", "bad", ">", "> = 1", ">1<2", "1.2.3.4", "1,", ",1", "1,,2",
            "1x", "1.xx", ">1 - 2", "1 -2 -", "1 - ", "==1", "1|2",
        ] {
            assert!(Constraint::parse(constraint).is_none(), "{constraint:?}");
        }
    }
}
