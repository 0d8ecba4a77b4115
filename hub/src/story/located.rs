//! Values that remember where they were written.

use std::fmt;
use std::sync::Arc;

use super::yaml::Node;

/// A spot in a Story file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it (or the name given to [`super::load_str`]).
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Path inside the document, such as `spec.steps[1].if`; `(file)` for the file as a whole.
    pub path: String,
}

impl fmt::Display for Place {
    /// `FILE:LINE: PATH`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.path)
    }
}

/// Free-form JSON of a Story (`if`, `with`, `runtime`, a schema) with the line of every part.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// Where the value as a whole stands.
    pub place: Place,
    pub(super) node: Node,
}

impl Located {
    /// The value of a mapping's key.
    pub(super) fn part(&self, key: &str) -> Option<Located> {
        let node = self.node.get(key)?.clone();
        let mut path = self.place.path.clone();
        super::yaml::join(&mut path, key);
        let place = Place {
            line: node.line,
            path,
            ..self.place.clone()
        };
        Some(Self { place, node })
    }

    /// The value as JSON.
    pub fn json(&self) -> serde_json::Value {
        self.node.json()
    }
}
