//! What was completed lately, so that what comes again is not shown again.

use std::collections::{HashSet, VecDeque};

use crate::wire::Identity;

/// As many as the Go SDK remembers (spec 2.4 rule 1).
const MOST: usize = 4096;

/// The last identities that were completed; the oldest are forgotten.
#[derive(Debug, Default)]
pub(super) struct Completed {
    order: VecDeque<Identity>,
    known: HashSet<Identity>,
}

impl Completed {
    pub(super) fn insert(&mut self, identity: Identity) {
        if !self.known.insert(identity.clone()) {
            return;
        }
        self.order.push_back(identity);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, identity: &Identity) -> bool {
        self.known.contains(identity)
    }
}
