//! The label file: which samples of a recording are speech.
//!
//! Owns its text form: one segment a line, `number <tab> first sample <tab> sample after the last
//! one <tab> text`; lines that start with `#` are comments.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;

/// The number of a segment, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct SegmentNumber(pub(super) u32);

impl fmt::Display for SegmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One stretch of speech.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) segment: SegmentNumber,
    pub(super) samples: Range<usize>,
    /// What is said.
    pub(super) text: String,
}

/// A label file that cannot be used; the line counts from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(super) struct LabelError {
    line: usize,
    reason: &'static str,
}

/// Reads a label file: segments numbered from 1, in order, apart from each other.
pub(super) fn parse(text: &str) -> Result<Vec<Label>, LabelError> {
    let mut labels: Vec<Label> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let refuse = |reason| LabelError {
            line: at + 1,
            reason,
        };
        let label = parse_line(line).map_err(refuse)?;
        let (number, end) = labels
            .last()
            .map_or((0, None), |l| (l.segment.0, Some(l.samples.end)));
        if number.checked_add(1) != Some(label.segment.0) {
            return Err(refuse("segments are numbered from 1 without gaps"));
        }
        if end.is_some_and(|end| label.samples.start <= end) {
            return Err(refuse("the segment begins before the one above has ended"));
        }
        labels.push(label);
    }
    Ok(labels)
}

fn parse_line(line: &str) -> Result<Label, &'static str> {
    let fields: Vec<&str> = line.splitn(4, '\t').collect();
    let [number, start, end, text] = fields[..] else {
        return Err("four fields are needed, with a tab between them");
    };
    let number = number.parse().map_err(|_| "the segment is no number")?;
    let start = start.parse().map_err(|_| "the first sample is no number")?;
    let end = end.parse().map_err(|_| "the end is no number")?;
    if start >= end {
        return Err("the segment ends before it begins");
    }
    Ok(Label {
        segment: SegmentNumber(number),
        samples: start..end,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_read_and_comments_are_not() {
        let labels = parse("# heading\n1\t320\t640\tone\n\n2\t960\t1280\ttwo words\n").unwrap();
        assert_eq!(labels.len(), 2);
        assert_eq!(labels[1].segment, SegmentNumber(2));
        assert_eq!(labels[1].samples, 960..1280);
        assert_eq!(labels[1].text, "two words");
    }

    #[test]
    fn a_bad_line_is_refused_with_its_number() {
        for (text, line) in [
            ("1\t2\t3", 1),
            ("# x\nx\t0\t320\ttext", 2),
            ("1\t-1\t320\ttext", 1),
            ("1\t0\tfar\ttext", 1),
            ("1\t320\t320\ttext", 1),
            ("2\t0\t320\ttext", 1),
            ("1\t0\t320\ta\n3\t640\t960\tb", 2),
            ("1\t0\t640\ta\n2\t320\t960\tb", 2),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text:?}");
        }
    }
}
