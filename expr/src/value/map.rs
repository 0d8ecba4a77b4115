//! Objects: entries at hand, wire bytes, or whatever the caller reads them from.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use super::wire::WireStruct;
use super::{Text, Value};

/// Entries in the order of their keys, which is how they print and are walked.
pub type Tree<'v> = BTreeMap<Text<'v>, Value<'v>>;

/// An object that is read where it lies: the caller of an evaluation gives its variables so.
///
/// The variables of an evaluation are one of these whose keys are the roots `inputs`,
/// `packet` and `steps`; what they give may be such objects again. Only what a program asks
/// for is asked here.
pub trait Fields: Debug + Sync {
    /// The value of `key`; `None` where there is no such key.
    fn field<'v>(&'v self, key: &[u8]) -> Option<Value<'v>>;

    /// Every entry, each key once, in any order.
    fn entries<'v>(&'v self) -> Vec<(Text<'v>, Value<'v>)>;

    /// Bytes that one look for a key walks over, which an evaluation pays for.
    fn weight(&self) -> usize {
        0
    }

    /// Whether the bytes it is read from hold `needle` anywhere; `None` where it is not read
    /// from bytes, so that only a walk can tell.
    fn bytes_hold(&self, _needle: &[u8]) -> Option<bool> {
        None
    }
}

/// Value type of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapType {
    /// Any values.
    Any,
    /// Texts only, as `split` gives them.
    Texts,
}

#[derive(Clone, Debug)]
enum Source<'v> {
    /// An object that was never made: null as JSON, empty otherwise.
    Unmade,
    Tree(Arc<Tree<'v>>),
    Wire(WireStruct<'v>),
    Fields(&'v dyn Fields),
}

/// An object.
#[derive(Clone, Debug)]
pub struct Map<'v> {
    kind: MapType,
    /// Levels of lists and objects that were made, this one included.
    depth: u32,
    source: Source<'v>,
}

impl<'v> Map<'v> {
    /// An object of any values.
    #[must_use]
    pub fn of(tree: Tree<'v>) -> Self {
        Self::new(MapType::Any, Source::Tree(Arc::new(tree)))
    }

    /// An object of texts.
    #[must_use]
    pub fn of_texts(tree: Tree<'v>) -> Self {
        Self::new(MapType::Texts, Source::Tree(Arc::new(tree)))
    }

    /// The object of any values that was never made.
    #[must_use]
    pub fn unmade() -> Self {
        Self::new(MapType::Any, Source::Unmade)
    }

    /// An object that is read where it lies.
    #[inline]
    #[must_use]
    pub fn lazy(fields: &'v dyn Fields) -> Self {
        Self::leaf(Source::Fields(fields))
    }

    #[inline]
    pub(crate) fn of_wire(wire: WireStruct<'v>) -> Self {
        Self::leaf(Source::Wire(wire))
    }

    /// An object that was not made here.
    #[inline]
    fn leaf(source: Source<'v>) -> Self {
        Self {
            kind: MapType::Any,
            depth: 1,
            source,
        }
    }

    fn new(kind: MapType, source: Source<'v>) -> Self {
        let depth = match &source {
            Source::Tree(tree) => 1 + tree.values().map(Value::depth).max().unwrap_or(0),
            _ => 1,
        };
        Self {
            kind,
            depth,
            source,
        }
    }

    /// Its value type.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> MapType {
        self.kind
    }

    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// Bytes that one look for a key walks over.
    #[inline]
    pub(crate) fn weight(&self) -> usize {
        match &self.source {
            Source::Wire(wire) => wire.len(),
            Source::Fields(fields) => fields.weight(),
            _ => 0,
        }
    }

    /// Whether it was never made.
    #[must_use]
    pub fn is_unmade(&self) -> bool {
        matches!(self.source, Source::Unmade)
    }

    /// The value of `key`.
    #[inline]
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Value<'v>> {
        match &self.source {
            Source::Unmade => None,
            Source::Tree(tree) => tree.get(key).cloned(),
            Source::Wire(wire) => wire.get(key),
            Source::Fields(fields) => fields.field(key),
        }
    }

    /// How many keys. Anything but a tree is decoded for it.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Unmade => 0,
            Source::Tree(tree) => tree.len(),
            _ => self.tree().len(),
        }
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.source {
            Source::Wire(wire) => wire.is_empty(),
            _ => self.len() == 0,
        }
    }

    /// All entries in the order of their keys; decoded for it where they are not at hand.
    #[must_use]
    pub fn tree(&self) -> Arc<Tree<'v>> {
        match &self.source {
            Source::Unmade => Arc::default(),
            Source::Tree(tree) => Arc::clone(tree),
            Source::Wire(wire) => Arc::new(wire.tree()),
            Source::Fields(fields) => Arc::new(fields.entries().into_iter().collect()),
        }
    }

    /// Whether the bytes it is decoded from hold `needle` anywhere; `None` where it is not
    /// decoded from bytes, so that only a walk can tell.
    pub(crate) fn bytes_hold(&self, needle: &[u8]) -> Option<bool> {
        match &self.source {
            Source::Unmade => Some(false),
            Source::Wire(wire) => Some(wire.holds(needle)),
            Source::Fields(fields) => fields.bytes_hold(needle),
            Source::Tree(_) => None,
        }
    }

    /// The same object, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Map<'static> {
        let source = if self.is_unmade() {
            Source::Unmade
        } else {
            let tree = self.tree();
            Source::Tree(Arc::new(
                tree.iter()
                    .map(|(key, value)| (key.clone().into_owned(), value.clone().into_owned()))
                    .collect(),
            ))
        };
        Map::new(self.kind, source)
    }
}
