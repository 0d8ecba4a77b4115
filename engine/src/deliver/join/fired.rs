//! The ids that fired and may still have branches to come (spec 2.3, join: later branches of the
//! same id are absorbed).
//!
//! Owns which branches each has seen. Never keeps an id that has seen every branch: what comes of
//! it then begins a new round, remembered or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::round::{Branch, Branches};
use crate::ids::Moment;

/// One id that fired.
#[derive(Debug)]
struct Memory {
    seen: Branches,
    /// Until when it is remembered; `None` until others need its place.
    until: Option<Moment>,
    ordinal: u64,
}

/// What is remembered of ids that fired.
#[derive(Debug)]
pub(super) struct Fired {
    by_key: BTreeMap<Arc<str>, Memory>,
    /// The same ids, in the order in which their rounds began.
    by_age: BTreeMap<u64, Arc<str>>,
    branches: usize,
    max: usize,
}

impl Fired {
    /// Remembers at most `max` ids of a join of so many branches.
    pub(super) fn new(branches: usize, max: usize) -> Self {
        Self {
            by_key: BTreeMap::new(),
            by_age: BTreeMap::new(),
            branches,
            max,
        }
    }

    /// Whether `key` fired without `branch`, which it would therefore absorb.
    pub(super) fn absorbs(&self, key: &str, branch: Branch) -> bool {
        let memory = self.by_key.get(key);
        memory.is_some_and(|m| !m.seen.contains(branch))
    }

    /// Takes note of a branch that was absorbed.
    pub(super) fn saw(&mut self, key: &str, branch: Branch) {
        let Some(memory) = self.by_key.get_mut(key) else {
            return;
        };
        memory.seen.insert(branch);
        if memory.seen.len() >= self.branches {
            self.forget(key);
        }
    }

    /// Remembers an id that fires now, in place of the oldest if there are too many. It is not
    /// remembered already: its round began with [`Fired::forget`].
    pub(super) fn insert(
        &mut self,
        key: Arc<str>,
        seen: Branches,
        ordinal: u64,
        until: Option<Moment>,
    ) {
        if seen.len() >= self.branches {
            return;
        }
        self.by_age.insert(ordinal, key.clone());
        let memory = Memory {
            seen,
            until,
            ordinal,
        };
        self.by_key.insert(key, memory);
        if self.by_age.len() > self.max {
            self.pop_oldest();
        }
    }

    /// Forgets `key`, if it is remembered.
    pub(super) fn forget(&mut self, key: &str) {
        if let Some(memory) = self.by_key.remove(key) {
            self.by_age.remove(&memory.ordinal);
        }
    }

    /// Forgets what is older than its time.
    pub(super) fn expire(&mut self, now: Moment) {
        while self
            .oldest()
            .is_some_and(|m| m.until.is_some_and(|until| until <= now))
        {
            self.pop_oldest();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.by_key.clear();
        self.by_age.clear();
    }

    /// Whether `key` is remembered.
    pub(super) fn contains(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    /// How many ids are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.by_key.len(), self.by_age.len());
        self.by_age.len()
    }

    fn oldest(&self) -> Option<&Memory> {
        let (_, key) = self.by_age.first_key_value()?;
        self.by_key.get(key)
    }

    fn pop_oldest(&mut self) {
        if let Some((_, key)) = self.by_age.pop_first() {
            self.by_key.remove(&key);
        }
    }
}
