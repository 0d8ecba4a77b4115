//! Joins: packets of different upstreams of one step meet by their id (spec 2.3, join).
//!
//! Owns what waits at one step of one run until its other branches are there, and which ids have
//! fired. Never reads an item, a clock or a setting that says what becomes of a packet: whoever
//! asks counts and delivers. Time passes in [`Join::expire`] only, so that [`Join::peek`] always
//! says what [`Join::offer`] would do.
//!
//! | an id | a branch that is not there yet | a branch that is |
//! | --- | --- | --- |
//! | nothing is known of | waits or, if one is enough, fires | - |
//! | waits | waits on or, if it was the last one missing, fires | takes the place of the former |
//! | fired | is absorbed | begins a new round, as if nothing were known |
//!
//! A waiting id ends by firing, by its time ([`Join::expire`]) or because [`FanInPlan`]'s
//! `max_entries` newer ones wait; one that fired is forgotten in the same two ways, and as soon as
//! it has seen every branch, since it then has nothing left to absorb. Every operation takes
//! logarithmic time in the number of ids, and goes by the order of arrival.

mod fired;
mod round;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::ids::Moment;
use crate::route::FanInPlan;

use fired::Fired;
pub(crate) use round::{Branch, Entry, MAX_BRANCHES, Part, Round};

/// What a packet means to a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It waits for others.
    Wait,
    /// It was the last one that was missing.
    Fire,
    /// Its id has fired without it.
    Absorbed,
}

/// What became of a packet that was offered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// It waits for others, and has pushed out what is named here.
    Wait(Option<Displaced<T>>),
    /// It leaves, joined with those that waited for it. It is the last of the round.
    Fire(Round<T>),
    /// Its id has fired without it. It is given back.
    Absorbed(Part<T>),
}

/// What gave way to a packet that waits now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Displaced<T> {
    /// The same branch of the same id: the latest counts.
    Replaced(Part<T>),
    /// The oldest id, because too many wait (`evicted`).
    Evicted(Entry<T>),
}

/// The joins of one step of one run.
#[derive(Debug)]
pub(crate) struct Join<T> {
    /// Branches that make an id fire; between 1 and `branches`.
    need: usize,
    branches: usize,
    timeout: Option<Duration>,
    max_entries: usize,
    /// What waits, in the order of arrival: fewer than `need` branches each. All wait equally
    /// long, so it is the order of the deadlines too; were a clock to step back, what came then
    /// would wait until what came before it is over.
    by_age: BTreeMap<u64, Entry<T>>,
    by_key: BTreeMap<Arc<str>, u64>,
    fired: Fired,
    /// Ordinal of the next round.
    next: u64,
    /// Bytes of all that waits.
    bytes: usize,
}

impl<T> Join<T> {
    /// The join of a step with so many upstreams; those beyond [`MAX_BRANCHES`] do not count.
    pub(crate) fn new(plan: &FanInPlan, branches: usize) -> Self {
        let branches = branches.clamp(1, MAX_BRANCHES);
        let max_entries = plan.max_entries.max(1);
        Self {
            need: plan.mode.needed(branches),
            branches,
            timeout: plan.timeout,
            max_entries,
            by_age: BTreeMap::new(),
            by_key: BTreeMap::new(),
            fired: Fired::new(branches, max_entries),
            next: 0,
            bytes: 0,
        }
    }

    /// What [`Join::offer`] would do with this branch of the id `key` now. Nothing changes.
    ///
    /// A branch that the step does not have is absorbed: nobody waits for it.
    pub(crate) fn peek(&self, key: &str, branch: Branch) -> Verdict {
        if branch.at() >= self.branches || self.fired.absorbs(key, branch) {
            return Verdict::Absorbed;
        }
        let there = self.there(key);
        if there.len() + 1 < self.need || there.iter().any(|p| p.branch == branch) {
            Verdict::Wait
        } else {
            Verdict::Fire
        }
    }

    /// What waits of the id `key`, in the order of the branches: when [`Join::peek`] says
    /// [`Verdict::Fire`], all that the packet would be joined with.
    pub(crate) fn there(&self, key: &str) -> &[Part<T>] {
        let ordinal = self.by_key.get(key);
        let entry = ordinal.and_then(|ordinal| self.by_age.get(ordinal));
        entry.map_or(&[], |entry| &entry.round.parts)
    }

    /// Takes a branch of the id `key` (up to 1024 bytes, the longest metadata value).
    pub(crate) fn offer(&mut self, key: &str, part: Part<T>, now: Moment) -> Outcome<T> {
        match self.peek(key, part.branch) {
            Verdict::Wait => Outcome::Wait(self.keep(key, part, now)),
            Verdict::Fire => Outcome::Fire(self.fire(key, part, now)),
            Verdict::Absorbed => {
                if part.branch.at() < self.branches {
                    self.fired.saw(key, part.branch);
                }
                Outcome::Absorbed(part)
            }
        }
    }

    /// Takes out every id whose time is over, the oldest first: `fan_in_timeout`, or a partial
    /// delivery. Also forgets the ids that fired so long ago, for which there is no deadline, so
    /// it is to be called with every tick.
    pub(crate) fn expire(&mut self, now: Moment) -> Vec<Entry<T>> {
        self.fired.expire(now);
        let mut over = Vec::new();
        while self.next_deadline().is_some_and(|deadline| deadline <= now) {
            over.extend(self.pop_oldest());
        }
        over
    }

    /// Lets an entry that [`Join::expire`] or [`Join::take_where`] took out wait again, at its old place and as overdue
    /// as it was.
    ///
    /// # Errors
    /// The entry, when its id has come anew since, or as many ids as may wait do so already.
    pub(crate) fn put_back(&mut self, entry: Entry<T>) -> Result<(), Entry<T>> {
        let key = &*entry.key;
        let anew = self.by_key.contains_key(key) || self.fired.contains(key);
        if anew || self.by_age.len() >= self.max_entries {
            return Err(entry);
        }
        self.insert(entry);
        Ok(())
    }

    /// Takes out all that waits, the oldest first, and forgets what fired: the run ends.
    pub(crate) fn drain(&mut self) -> Vec<Entry<T>> {
        self.fired.clear();
        self.by_key.clear();
        self.bytes = 0;
        std::mem::take(&mut self.by_age).into_values().collect()
    }

    /// Takes out, the oldest first, the ids whose round is `wanted` (what an interrupt ends, spec
    /// 2.5). Looks at all that waits.
    pub(crate) fn take_where(&mut self, wanted: impl Fn(&Round<T>) -> bool) -> Vec<Entry<T>> {
        let chosen = self.by_age.iter().filter(|(_, entry)| wanted(&entry.round));
        let chosen: Vec<u64> = chosen.map(|(&ordinal, _)| ordinal).collect();
        let taken = chosen
            .into_iter()
            .filter_map(|ordinal| self.remove(ordinal));
        taken.collect()
    }

    /// When the time of the oldest id that waits is over; may lie in the past after
    /// [`Join::put_back`].
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        let (_, oldest) = self.by_age.first_key_value()?;
        oldest.deadline
    }

    /// How many ids wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Bytes of all that waits, as the parts say.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn keep(&mut self, key: &str, part: Part<T>, now: Moment) -> Option<Displaced<T>> {
        let ordinal = self.by_key.get(key);
        if let Some(entry) = ordinal.and_then(|ordinal| self.by_age.get_mut(ordinal)) {
            self.bytes += part.size;
            let replaced = entry.round.put(part)?;
            self.bytes -= replaced.size;
            return Some(Displaced::Replaced(replaced));
        }
        let full = self.by_age.len() >= self.max_entries;
        let evicted = if full { self.pop_oldest() } else { None };
        let entry = self.begin(key, part, now);
        self.insert(entry);
        evicted.map(Displaced::Evicted)
    }

    fn fire(&mut self, key: &str, part: Part<T>, now: Moment) -> Round<T> {
        let waiting = self.by_key.get(key).copied();
        let entry = match waiting.and_then(|ordinal| self.remove(ordinal)) {
            Some(mut entry) => {
                entry.round.put(part);
                entry
            }
            None => self.begin(key, part, now),
        };
        let seen = entry.round.branches();
        self.fired
            .insert(entry.key, seen, entry.ordinal, entry.deadline);
        entry.round
    }

    /// A new round of the id `key`; whether it fired before no longer matters.
    fn begin(&mut self, key: &str, part: Part<T>, now: Moment) -> Entry<T> {
        self.fired.forget(key);
        let ordinal = self.next;
        self.next += 1;
        Entry {
            key: key.into(),
            round: Round::first(part),
            deadline: self.timeout.map(|timeout| now.after(timeout)),
            ordinal,
        }
    }

    fn insert(&mut self, entry: Entry<T>) {
        self.bytes += entry.round.bytes();
        self.by_key.insert(entry.key.clone(), entry.ordinal);
        self.by_age.insert(entry.ordinal, entry);
    }

    fn remove(&mut self, ordinal: u64) -> Option<Entry<T>> {
        let entry = self.by_age.remove(&ordinal)?;
        self.by_key.remove(&entry.key);
        self.bytes -= entry.round.bytes();
        Some(entry)
    }

    fn pop_oldest(&mut self) -> Option<Entry<T>> {
        let (&oldest, _) = self.by_age.first_key_value()?;
        self.remove(oldest)
    }
}
