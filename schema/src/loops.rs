//! Refuses schemas that apply themselves to the same value again, or in too long a chain: depth of
//! evaluation is the value's depth times the longest such chain.

use crate::error::{Problem, SchemaError};
use crate::limits;
use crate::survey::{Id, Survey};

/// Checks every schema of the survey.
pub(crate) fn check(survey: &Survey) -> Result<(), SchemaError> {
    let mut search = Search {
        survey,
        lengths: vec![Length::Unknown; survey.nodes.len()],
    };
    (0..survey.nodes.len()).try_for_each(|id| search.length(Id(id), 1).map(drop))
}

#[derive(Clone, Copy)]
enum Length {
    Unknown,
    /// On the way that is being walked.
    Open,
    Known(usize),
}

struct Search<'a> {
    survey: &'a Survey,
    lengths: Vec<Length>,
}

impl Search<'_> {
    /// Schemas in the longest chain that begins with `id`, which is the `depth`th of one. Goes no
    /// deeper than [`limits::CHAIN`].
    fn length(&mut self, id: Id, depth: usize) -> Result<usize, SchemaError> {
        let node = &self.survey.nodes[id.0];
        let refused = |problem| Err(SchemaError::new(node.pointer.clone(), problem));
        match self.lengths[id.0] {
            Length::Open => return refused(Problem::Endless),
            Length::Known(length) => return Ok(length),
            Length::Unknown if depth > limits::CHAIN => return refused(Problem::Chain),
            Length::Unknown => self.lengths[id.0] = Length::Open,
        }
        let same = node.children.iter().filter(|(keyword, _)| keyword.same);
        let mut longest = 0;
        for next in same.map(|(_, id)| *id).chain(node.reference) {
            longest = longest.max(self.length(next, depth + 1)?);
        }
        if longest >= limits::CHAIN {
            return refused(Problem::Chain);
        }
        self.lengths[id.0] = Length::Known(longest + 1);
        Ok(longest + 1)
    }
}
