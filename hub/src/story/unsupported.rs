//! What Stories may ask for that the hub does not do yet.

use std::fmt;

use super::Place;

/// A setting that is read and checked, but whose behaviour is not built yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Where it is asked for.
    pub place: Place,
    /// What is not built yet.
    pub text: String,
}

impl fmt::Display for Unsupported {
    /// `FILE:LINE: PATH: text`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}
