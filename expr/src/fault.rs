//! What an evaluation ends with when it has no result.

/// Why an evaluation has no result. Each ends the packet on that edge only (spec 4.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A bare path into `inputs` or `packet` ends at a key that is not there. The peer's
    /// packet or the Story is wrong; a retry does not help.
    #[error("{path}: no such key{}", suggestion(.near))]
    MissingKey {
        /// The path up to the missing key.
        path: String,
        /// The nearest key that is there.
        near: Option<String>,
    },
    /// The same into `steps`: the edge does not fire for this packet, which is no failure.
    #[error("{path}: not there yet")]
    NotReady {
        /// The path up to the missing key.
        path: String,
    },
    /// It needs the content behind a storage reference.
    #[error("offloaded data: {0}")]
    Offloaded(String),
    /// It ran out of what an evaluation may use.
    #[error("limit: {0}")]
    Limit(Bound),
    /// A value of the wrong type, count or range; the Story or the packet is wrong.
    #[error("column {column}: {message}")]
    Type {
        /// Where in the expression, from 1; 0 where no place is known.
        column: usize,
        /// What was wrong.
        message: String,
    },
    /// A function refused its input (bad JSON, division by zero, `fail`, ...).
    #[error("column {column}: {message}")]
    Refused {
        /// Where in the expression, from 1; 0 where no place is known.
        column: usize,
        /// What was wrong.
        message: String,
    },
}

/// What an evaluation may run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bound {
    /// Steps ([`Limits::fuel`](crate::Limits::fuel)).
    #[error("out of fuel")]
    Fuel,
    /// Bytes of one rendered text ([`Limits::output_bytes`](crate::Limits::output_bytes)).
    #[error("output over the size limit")]
    Output,
    /// Bytes made on the way ([`Limits::memory_bytes`](crate::Limits::memory_bytes)).
    #[error("intermediate values over the size limit")]
    Memory,
    /// Nesting.
    #[error("nested too deep")]
    Depth,
}

impl Fault {
    pub(crate) fn type_error(message: impl Into<String>) -> Self {
        Self::Type {
            column: 0,
            message: message.into(),
        }
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused {
            column: 0,
            message: message.into(),
        }
    }

    /// The same with its place, where it has none yet.
    pub(crate) fn at(mut self, place: usize) -> Self {
        if let Self::Type { column, .. } | Self::Refused { column, .. } = &mut self
            && *column == 0
        {
            *column = place;
        }
        self
    }
}

pub(crate) fn suggestion(near: &Option<String>) -> String {
    near.as_ref()
        .map(|near| format!("; did you mean {near}?"))
        .unwrap_or_default()
}

/// The nearest of `names` to `wrong`, if one is near enough to be meant.
pub(crate) fn nearest<'n>(
    wrong: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let most = match wrong.chars().count() {
        0..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}
