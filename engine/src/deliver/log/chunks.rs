//! Chunk sets: the chunks of one payload share one sequence, are receipted as one, and end as one
//! (spec 2.3, chunks).
//!
//! Owns which chunks of which set have come. Never reassembles: chunks pass through one by one.

use std::collections::BTreeSet;
use std::time::Duration;

use smallvec::SmallVec;

use super::Place;
use crate::deliver::producer::ChunkPlace;
use crate::ids::Moment;

/// Most sets of one stream that wait for chunks (spec 2.3).
const MAX_OPEN: usize = 64;

/// What tells sets apart: the edge and the `chunk_id`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetKey<'a> {
    pub edge: u32,
    pub id: &'a str,
}

/// What a chunk is to the log.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChunkVerdict {
    /// The first of its set.
    First,
    /// One more of a set, at its place.
    More(Place),
    /// It was seen before, or its set has been dropped: nothing is to be done.
    Ignore,
    /// Too many sets wait for chunks.
    TooMany,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Chunks are missing.
    Open,
    /// All chunks are here.
    Complete,
    /// It was dropped; chunks that still come are ignored.
    Dropped,
}

#[derive(Debug)]
struct Set {
    edge: u32,
    id: Box<str>,
    count: u32,
    seen: BTreeSet<u32>,
    place: Place,
    ordinals: SmallVec<[u64; 8]>,
    /// Payload bytes so far.
    bytes: usize,
    last: Moment,
    state: State,
}

/// The sets of one stream.
#[derive(Debug, Default)]
pub(super) struct Sets {
    all: Vec<Option<Set>>,
    open: usize,
}

impl Sets {
    /// Judges a chunk; nothing changes.
    pub(super) fn judge(&self, key: SetKey<'_>, chunk: ChunkPlace) -> ChunkVerdict {
        let known = self.all.iter().flatten();
        let Some(set) = known
            .into_iter()
            .find(|set| set.edge == key.edge && *set.id == *key.id)
        else {
            return if self.open < MAX_OPEN {
                ChunkVerdict::First
            } else {
                ChunkVerdict::TooMany
            };
        };
        let welcome =
            set.state == State::Open && chunk.index < set.count && !set.seen.contains(&chunk.index);
        if welcome {
            ChunkVerdict::More(Place {
                head: false,
                ..set.place
            })
        } else {
            ChunkVerdict::Ignore
        }
    }

    /// Opens a set at `place`.
    pub(super) fn open(&mut self, key: SetKey<'_>, count: u32, place: Place, now: Moment) -> Place {
        let at = self.all.iter().position(Option::is_none);
        let at = at.unwrap_or_else(|| {
            self.all.push(None);
            self.all.len() - 1
        });
        let place = Place {
            set: Some(at as u32),
            ..place
        };
        self.all[at] = Some(Set {
            edge: key.edge,
            id: key.id.into(),
            count,
            seen: BTreeSet::new(),
            place,
            ordinals: SmallVec::new(),
            bytes: 0,
            last: now,
            state: State::Open,
        });
        self.open += 1;
        place
    }

    /// A chunk of `bytes` payload bytes has come. Returns the payload bytes of the set so far.
    pub(super) fn note(&mut self, set: u32, index: u32, bytes: usize, now: Moment) -> usize {
        let Some(Some(set)) = self.all.get_mut(set as usize) else {
            return 0;
        };
        set.seen.insert(index);
        set.last = now;
        set.bytes += bytes;
        if set.seen.len() as u64 >= u64::from(set.count) && set.state == State::Open {
            set.state = State::Complete;
            self.open -= 1;
        }
        set.bytes
    }

    /// The packet `ordinal` carries a chunk of `set`.
    pub(super) fn joined(&mut self, set: u32, ordinal: u64) {
        if let Some(Some(set)) = self.all.get_mut(set as usize) {
            set.ordinals.push(ordinal);
        }
    }

    pub(super) fn is_complete(&self, set: u32) -> bool {
        self.get(set)
            .is_some_and(|set| set.state == State::Complete)
    }

    /// The packets that carry the chunks of `set`.
    pub(super) fn ordinals(&self, set: u32) -> &[u64] {
        self.get(set).map_or(&[], |set| &set.ordinals)
    }

    /// Ends a set; gives back the packets that carry it. A dropped one is remembered for a while,
    /// so that chunks that still come are not taken for a new one.
    pub(super) fn end(&mut self, set: u32, dropped: bool) -> SmallVec<[u64; 8]> {
        let Some(entry) = self.all.get_mut(set as usize) else {
            return SmallVec::new();
        };
        let Some(set) = entry else {
            return SmallVec::new();
        };
        if set.state == State::Open {
            self.open -= 1;
        }
        let ordinals = std::mem::take(&mut set.ordinals);
        let missing = (set.seen.len() as u64) < u64::from(set.count);
        if dropped && missing {
            set.state = State::Dropped;
        } else {
            *entry = None;
        }
        ordinals
    }

    /// Sets of which nothing has come for `patience`: the first packet of each that must be
    /// dropped. Dropped ones are forgotten.
    pub(super) fn stale(&mut self, patience: Duration, now: Moment) -> SmallVec<[u64; 4]> {
        let mut stale = SmallVec::new();
        for entry in &mut self.all {
            let Some(set) = entry.as_ref().filter(|set| now.since(set.last) >= patience) else {
                continue;
            };
            match set.state {
                State::Open => stale.extend(set.ordinals.first().copied()),
                State::Dropped => *entry = None,
                State::Complete => {}
            }
        }
        stale
    }

    fn get(&self, set: u32) -> Option<&Set> {
        self.all.get(set as usize)?.as_ref()
    }
}
