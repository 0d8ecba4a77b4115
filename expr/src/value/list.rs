//! Lists: values at hand, or the wire bytes of one.

use std::sync::Arc;

use super::Value;
use super::wire::WireList;

/// Element type of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// Any values.
    Any,
    /// Texts only, as the splitting functions give them.
    Texts,
}

#[derive(Clone, Debug)]
enum Source<'v> {
    /// A list that was never made: null as JSON, empty otherwise.
    Unmade,
    Values(Arc<[Value<'v>]>),
    Wire(WireList<'v>),
}

/// A list.
#[derive(Clone, Debug)]
pub struct List<'v> {
    kind: ListType,
    /// Levels of lists and objects that were made, this one included.
    depth: u32,
    source: Source<'v>,
}

impl<'v> List<'v> {
    /// A list of any values.
    #[must_use]
    pub fn of(values: Vec<Value<'v>>) -> Self {
        Self {
            kind: ListType::Any,
            depth: 1 + values.iter().map(Value::depth).max().unwrap_or(0),
            source: Source::Values(values.into()),
        }
    }

    /// A list of texts.
    #[must_use]
    pub fn of_texts(values: Vec<Value<'v>>) -> Self {
        Self {
            kind: ListType::Texts,
            depth: 1,
            source: Source::Values(values.into()),
        }
    }

    /// The list of any values that was never made.
    #[must_use]
    pub fn unmade() -> Self {
        Self {
            kind: ListType::Any,
            depth: 1,
            source: Source::Unmade,
        }
    }

    pub(crate) fn of_wire(list: WireList<'v>) -> Self {
        Self {
            kind: ListType::Any,
            depth: 1,
            source: Source::Wire(list),
        }
    }

    /// Its element type.
    #[must_use]
    pub fn kind(&self) -> ListType {
        self.kind
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// Bytes that one look at it walks over.
    pub(crate) fn weight(&self) -> usize {
        match &self.source {
            Source::Wire(list) => list.len(),
            _ => 0,
        }
    }

    /// Whether it was never made.
    #[must_use]
    pub fn is_unmade(&self) -> bool {
        matches!(self.source, Source::Unmade)
    }

    /// How many elements. Cost on wire bytes: one pass over them.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Unmade => 0,
            Source::Values(values) => values.len(),
            Source::Wire(list) => list.iter().count(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.source {
            Source::Unmade => true,
            Source::Values(values) => values.is_empty(),
            Source::Wire(list) => list.iter().next().is_none(),
        }
    }

    /// The element at `index`, from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value<'v>> {
        match &self.source {
            Source::Unmade => None,
            Source::Values(values) => values.get(index).cloned(),
            Source::Wire(list) => list.iter().nth(index),
        }
    }

    /// All elements; those of wire bytes are decoded for it.
    #[must_use]
    pub fn values(&self) -> Arc<[Value<'v>]> {
        match &self.source {
            Source::Unmade => Arc::new([]),
            Source::Values(values) => Arc::clone(values),
            Source::Wire(list) => list.iter().collect(),
        }
    }

    /// The same list, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> List<'static> {
        let source = if self.is_unmade() {
            Source::Unmade
        } else {
            let values = self.values();
            Source::Values(
                values
                    .iter()
                    .map(|value| value.clone().into_owned())
                    .collect(),
            )
        };
        List {
            kind: self.kind,
            depth: self.depth,
            source,
        }
    }
}
