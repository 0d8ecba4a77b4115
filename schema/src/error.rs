//! What is wrong with a schema: always its author's fault, found when it is loaded.

use std::fmt;

use crate::{limits, pointer};

/// A schema that is refused, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    pointer: String,
    problem: Problem,
}

/// Why a schema is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// More than [`limits::SCHEMA_BYTES`].
    #[error("the schema is larger than {} KiB", limits::SCHEMA_BYTES >> 10)]
    TooLarge,
    /// Deeper than [`limits::SCHEMA_DEPTH`].
    #[error("nested deeper than {}", limits::SCHEMA_DEPTH)]
    TooDeep,
    /// A `$schema` that is not known.
    #[error(
        "$schema {0:?} is not known: drafts 2020-12, 2019-09, draft-07, draft-06 and draft-04 of json-schema.org are"
    )]
    Dialect(String),
    /// A reference that leaves the schema.
    #[error(
        "{0:?} leads out of this schema: nothing is fetched; put that schema under $defs and write \"#/$defs/NAME\""
    )]
    Remote(String),
    /// A reference to what is not there.
    #[error("{0:?} leads to nothing in this schema")]
    Dangling(String),
    /// A reference to a part of the schema that is no schema.
    #[error("{0:?} leads to something that is no schema")]
    NoSchema(String),
    /// More than one of `$ref`, `$dynamicRef`, `$recursiveRef` side by side.
    #[error("more than one reference in one place: put them into allOf")]
    TwoReferences,
    /// An `$id` below the root.
    #[error("an $id inside a schema makes another document of it: refer to it by \"#/$defs/NAME\"")]
    Identified,
    /// The same anchor twice.
    #[error("the anchor {0:?} is there twice")]
    AnchoredTwice(String),
    /// A schema that applies itself to the same value again.
    #[error("refers back to itself without going down into the value: it would never end")]
    Endless,
    /// More than [`limits::CHAIN`] schemas for one value.
    #[error(
        "more than {} schemas apply to the same value one after the other here",
        limits::CHAIN
    )]
    Chain,
    /// A pattern longer than [`limits::PATTERN_BYTES`].
    #[error("the pattern is longer than {} KiB", limits::PATTERN_BYTES >> 10)]
    LongPattern,
    /// Defaults that bring forth themselves, or too many.
    #[error("the defaults cannot be applied: {0}")]
    Defaults(String),
    /// What the JSON schema standard does not allow, or a pattern that does not compile.
    #[error("{0}")]
    Invalid(String),
}

impl SchemaError {
    pub(crate) fn new(pointer: impl Into<String>, problem: Problem) -> Self {
        Self {
            pointer: pointer.into(),
            problem,
        }
    }

    /// Where, as a JSON pointer into the schema; empty for the schema itself.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Where, as it is written in a Story: `properties.name.pattern`.
    #[must_use]
    pub fn dotted(&self) -> String {
        pointer::dotted(&self.pointer)
    }

    /// What is wrong there.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.dotted())?;
        }
        self.problem.fmt(f)
    }
}

impl std::error::Error for SchemaError {}
