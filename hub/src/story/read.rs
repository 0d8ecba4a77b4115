//! Reading values: types, ranges and closed sets of words, each with its path and line.
//!
//! Owns: how a wrong value is worded. Never does: know what a Story is. A value that is wrong is reported and then counts as omitted, so that one pass
//! finds everything; `null` counts as omitted too.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::fields::Fields;
use super::yaml::{Data, Meaning, Node, Scalar};
use super::{Located, Note, Place, Problem, Warning};
use crate::config::units;

/// What has been found so far, in any order.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
    pub(super) notes: Vec<Note>,
}

/// A value that is to be read.
#[derive(Clone)]
pub(super) struct View<'a> {
    pub(super) file: &'a Arc<str>,
    pub(super) report: &'a RefCell<Report>,
    pub(super) node: &'a Node,
    /// From the document's root; empty for the document itself.
    pub(super) path: String,
}

impl<'a> View<'a> {
    pub(super) fn place(&self) -> Place {
        self.place_at(self.node.line)
    }

    pub(super) fn place_at(&self, line: u32) -> Place {
        let path = if self.path.is_empty() {
            "(file)".to_owned()
        } else {
            self.path.clone()
        };
        Place {
            file: self.file.clone(),
            line,
            path,
        }
    }

    pub(super) fn problem(&self, text: impl Into<String>) {
        self.problem_at(&self.place(), text);
    }

    pub(super) fn problem_at(&self, place: &Place, text: impl Into<String>) {
        let (place, text) = (place.clone(), text.into());
        let mut report = self.report.borrow_mut();
        report.problems.push(Problem { place, text });
    }

    pub(super) fn warn(&self, text: impl Into<String>) {
        self.warn_at(&self.place(), text);
    }

    pub(super) fn warn_at(&self, place: &Place, text: impl Into<String>) {
        let (place, text) = (place.clone(), text.into());
        let mut report = self.report.borrow_mut();
        report.warnings.push(Warning { place, text });
    }

    pub(super) fn note(&self, text: impl Into<String>) {
        self.note_at(&self.place(), text);
    }

    pub(super) fn note_at(&self, place: &Place, text: impl Into<String>) {
        let (place, text) = (place.clone(), text.into());
        let mut report = self.report.borrow_mut();
        report.notes.push(Note { place, text });
    }

    /// Reports that the value is of another type than `wanted`.
    fn mistyped<T>(&self, wanted: &str) -> Option<T> {
        self.problem(format!("must be {wanted}, is {}", shown(self.node)));
        None
    }

    fn scalar(&self) -> Option<&'a Scalar> {
        match &self.node.data {
            Data::Scalar(scalar) => Some(scalar),
            Data::List(_) | Data::Map(_) => None,
        }
    }

    /// The value as it is, with its lines.
    pub(super) fn located(&self) -> Located {
        Located {
            place: self.place(),
            node: self.node.clone(),
        }
    }

    pub(super) fn fields(&self) -> Option<Fields<'a>> {
        match &self.node.data {
            Data::Map(_) => Some(Fields::new(self.clone())),
            _ => self.mistyped("a mapping"),
        }
    }

    /// The items of a list, each with its own path.
    pub(super) fn items(&self) -> Option<Vec<View<'a>>> {
        match &self.node.data {
            Data::List(_) => Some(self.items_or_none()),
            Data::Scalar(_) | Data::Map(_) => self.mistyped("a list"),
        }
    }

    /// The items, if it is a list; nothing is reported.
    pub(super) fn items_or_none(&self) -> Vec<View<'a>> {
        let Data::List(items) = &self.node.data else {
            return Vec::new();
        };
        let view = |(i, node)| View {
            node,
            path: format!("{}[{i}]", self.path),
            ..self.clone()
        };
        items.iter().enumerate().map(view).collect()
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        match self.scalar() {
            Some(scalar) if scalar.meaning == Meaning::Text => Some(&scalar.text),
            Some(scalar) if scalar.meaning != Meaning::Null => {
                self.problem(format!(
                    "must be text, is {}; put it in quotes",
                    shown(self.node)
                ));
                None
            }
            _ => self.mistyped("text"),
        }
    }

    /// The text, if it is one; nothing is reported.
    pub(super) fn as_text(&self) -> Option<&'a str> {
        let scalar = self.scalar()?;
        (scalar.meaning == Meaning::Text).then_some(&*scalar.text)
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self.scalar().map(|scalar| scalar.meaning) {
            Some(Meaning::Boolean(flag)) => Some(flag),
            _ => self.mistyped("true or false"),
        }
    }

    /// A whole number in `allowed`.
    pub(super) fn count(&self, allowed: RangeInclusive<u64>) -> Option<u64> {
        match self.whole() {
            Some(number) => self.in_range(number, allowed),
            None => self.mistyped("a whole number"),
        }
    }

    /// Bytes in `allowed`: a number, or text like `64KiB`.
    pub(super) fn bytes(&self, allowed: RangeInclusive<u64>) -> Option<u64> {
        match (self.whole(), self.scalar()) {
            (Some(number), _) => self.in_range(number, allowed),
            (None, Some(scalar)) if scalar.meaning == Meaning::Text => {
                match units::parse_bytes(&scalar.text) {
                    Ok(number) => self.in_range(number.into(), allowed),
                    Err(error) => {
                        self.problem(error.to_string());
                        None
                    }
                }
            }
            _ => self.mistyped("bytes, as a number or like 64KiB"),
        }
    }

    fn whole(&self) -> Option<i128> {
        match self.scalar()?.meaning {
            Meaning::Integer(number) => Some(number),
            // Doubles hold whole numbers exactly up to 2^53.
            Meaning::Fraction(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => {
                Some(number as i128)
            }
            _ => None,
        }
    }

    fn in_range(&self, number: i128, allowed: RangeInclusive<u64>) -> Option<u64> {
        let fits = u64::try_from(number).ok().filter(|n| allowed.contains(n));
        if fits.is_none() {
            self.problem(format!(
                "must be {} to {}, is {}",
                allowed.start(),
                allowed.end(),
                shown(self.node)
            ));
        }
        fits
    }

    /// A number from 0 to 100, fractions allowed.
    pub(super) fn percent(&self) -> Option<f64> {
        let number = match self.scalar().map(|scalar| scalar.meaning) {
            Some(Meaning::Integer(number)) => number as f64,
            Some(Meaning::Fraction(number)) => number,
            _ => return self.mistyped("a number from 0 to 100"),
        };
        if (0.0..=100.0).contains(&number) {
            Some(number)
        } else {
            self.mistyped("a number from 0 to 100")
        }
    }

    /// A Go style duration of at most a year.
    pub(super) fn duration(&self) -> Option<Duration> {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        let Some(scalar) = self
            .scalar()
            .filter(|scalar| scalar.meaning == Meaning::Text)
        else {
            // Go's plain zero has no unit.
            return match self.whole() {
                Some(0) => Some(Duration::ZERO),
                _ => self.mistyped("a duration like 250ms, 1.5s or 1m30s"),
            };
        };
        match units::parse_duration(&scalar.text) {
            Ok(duration) if duration <= YEAR => Some(duration),
            Ok(_) => self.mistyped("a duration of at most 8760h"),
            Err(error) => {
                self.problem(error.to_string());
                None
            }
        }
    }

    /// One of a closed set of words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.problem(format!(
                "{text:?} is not one of {}{}",
                known.join(", "),
                did_you_mean(text, known.iter().copied())
            ));
        }
        found.map(|(_, meaning)| *meaning)
    }
}

/// `; did you mean X?`, or nothing.
pub(crate) fn did_you_mean<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> String {
    let mut near: Vec<(f64, &str)> = names
        .map(|name| {
            (
                strsim::jaro_winkler(&text.to_lowercase(), &name.to_lowercase()),
                name,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    match near.first() {
        Some((_, name)) => format!("; did you mean {name}?"),
        None => String::new(),
    }
}

/// A value for messages: a scalar as written, shortened, else its kind.
fn shown(node: &Node) -> String {
    match &node.data {
        Data::List(_) => "a list".to_owned(),
        Data::Map(_) => "a mapping".to_owned(),
        Data::Scalar(scalar) => match scalar.meaning {
            Meaning::Text => format!("the text {:?}", shortened(&scalar.text)),
            Meaning::Null => "null".to_owned(),
            _ => shortened(&scalar.text),
        },
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
