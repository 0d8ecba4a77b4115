//! What a join holds: branches, and the rounds in which they meet.

use std::sync::Arc;

use crate::ids::Moment;

/// Most branches of one join.
pub(crate) const MAX_BRANCHES: usize = 64;

/// A branch of a join: the place of the upstream in the step's `needs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Branch(u8);

impl Branch {
    /// The branch at `place` of the step's `needs`; `None` from [`MAX_BRANCHES`] on.
    pub(crate) fn new(place: usize) -> Option<Self> {
        let place = u8::try_from(place).ok()?;
        (usize::from(place) < MAX_BRANCHES).then_some(Self(place))
    }

    /// Its place in the step's `needs`.
    pub(crate) fn at(self) -> usize {
        usize::from(self.0)
    }
}

/// A set of branches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Branches(u64);

impl Branches {
    pub(super) fn insert(&mut self, branch: Branch) {
        self.0 |= 1 << branch.0;
    }

    pub(super) fn contains(self, branch: Branch) -> bool {
        self.0 & (1 << branch.0) != 0
    }

    pub(super) fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

/// One branch of one id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<T> {
    /// Where it came from.
    pub branch: Branch,
    /// What came.
    pub item: T,
    /// Bytes that it takes while it waits.
    pub size: usize,
}

/// The branches of one id that have met; empty only once all were taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Round<T> {
    /// At most one of each branch, in the order of the branches.
    pub parts: Vec<Part<T>>,
    /// Which of `parts` came last.
    pub last: usize,
}

impl<T> Round<T> {
    pub(super) fn first(part: Part<T>) -> Self {
        Self {
            parts: vec![part],
            last: 0,
        }
    }

    /// Takes in a branch; gives back what stood for it before.
    pub(super) fn put(&mut self, part: Part<T>) -> Option<Part<T>> {
        let at = self.parts.binary_search_by_key(&part.branch, |p| p.branch);
        match at {
            Ok(at) => {
                self.last = at;
                let there = self.parts.get_mut(at)?;
                Some(std::mem::replace(there, part))
            }
            Err(at) => {
                self.last = at;
                self.parts.insert(at, part);
                None
            }
        }
    }

    /// Takes out the parts whose item is `unwanted`.
    pub(crate) fn take_parts(&mut self, unwanted: impl Fn(&T) -> bool) -> Vec<Part<T>> {
        let last = self.parts.get(self.last).map(|part| part.branch);
        let (taken, kept) = std::mem::take(&mut self.parts)
            .into_iter()
            .partition(|part| unwanted(&part.item));
        self.parts = kept;
        // Of those before the last one nobody knows which came when.
        let at = self.parts.iter().position(|part| Some(part.branch) == last);
        self.last = at.unwrap_or(self.parts.len().saturating_sub(1));
        taken
    }

    pub(super) fn branches(&self) -> Branches {
        let mut all = Branches::default();
        self.parts.iter().for_each(|p| all.insert(p.branch));
        all
    }

    /// Bytes of all its parts.
    pub(crate) fn bytes(&self) -> usize {
        self.parts.iter().map(|p| p.size).sum()
    }
}

/// An id that waited in vain, or still does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<T> {
    /// The id that its branches share.
    pub key: Arc<str>,
    /// What is there of it.
    pub round: Round<T>,
    /// Until when it waits; `None` for ever.
    pub(super) deadline: Option<Moment>,
    /// Its place in the order of arrival; never reused.
    pub(super) ordinal: u64,
}
