//! Chunk sets: the chunks of one payload share one sequence, are receipted as one, and end as one
//! (spec 2.3, chunks).
//!
//! Owns the chunks of every set that is not whole yet. Never reassembles: the chunks of a set go
//! out as they came, but only when all of them are here. A set that was let in by halves would hold
//! up whatever came between its chunks, and the chunks that it waits for with them.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;
use transport_proto::splice::Kept;
use transport_proto::view::PacketView;

use super::Item;
use crate::decide::Change;
use crate::deliver::origin::{ChunkPlace, Origin};
use crate::ids::Moment;

/// Most sets of one stream that wait for chunks (spec 2.3).
const MAX_OPEN: usize = 64;
/// Most dropped sets that are remembered; of more the one that was quiet the longest is forgotten.
const MAX_DROPPED: usize = 64;

/// What tells sets apart: the edge, the `chunk_id`, and the number of its first chunk, where its
/// producer numbers. A chunk under another number belongs to the set of its name that its producer
/// epoch began last, if that lacks it and its chunks are numbered apart; else the name begins anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetKey<'a> {
    pub edge: u32,
    pub id: &'a str,
    pub origin: Option<Origin>,
}

/// What a chunk is to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkVerdict {
    /// The first of its set.
    First,
    /// One more of this set, and others are still missing.
    More(u32),
    /// The one that makes this set whole.
    Last(u32),
    /// It was seen before, or its set has been dropped: nothing is to be done.
    Ignore,
    /// Too many sets wait for chunks.
    TooMany,
}

/// One chunk that waits for the others.
#[derive(Clone, Debug)]
pub(crate) struct Staged {
    pub packet: Bytes,
    pub view: PacketView,
    pub kept: Kept,
    /// What its edge changes in it.
    pub change: Option<Change>,
    /// Bytes on the wire, at most.
    pub len: usize,
}

/// A set that ended before it was whole, or is whole now.
#[derive(Debug)]
pub(crate) struct Unstaged {
    pub item: Item,
    pub chunks: Vec<Staged>,
    /// Bytes that its chunks took.
    pub bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Chunks are missing.
    Open,
    /// All chunks are in the log.
    Whole,
    /// It was dropped; chunks that still come are ignored.
    Dropped,
}

#[derive(Debug)]
struct Set {
    item: Item,
    id: Box<str>,
    /// That of its first chunk.
    origin: Option<Origin>,
    count: u32,
    /// Indexes of the chunks that were here.
    seen: BTreeSet<u32>,
    /// Whether they came under more than one number.
    is_apart: bool,
    staged: Vec<Staged>,
    /// Bytes of what is staged.
    bytes: usize,
    /// Payload bytes so far.
    payload: usize,
    /// The packets that carry its chunks, once it is whole.
    ordinals: SmallVec<[u64; 8]>,
    last: Moment,
    state: State,
}

/// The sets of one stream.
#[derive(Debug, Default)]
pub(super) struct Sets {
    all: Vec<Option<Set>>,
    open: usize,
    dropped: usize,
}

impl Sets {
    /// Judges a chunk; nothing changes.
    pub(super) fn judge(&self, key: SetKey<'_>, chunk: ChunkPlace) -> ChunkVerdict {
        let known = self.find(|set| set.is_of(key) && set.origin == key.origin);
        let known = known.or_else(|| self.begun_before(key, chunk));
        let Some((at, set)) = known.and_then(|at| Some((at as u32, self.get(at as u32)?))) else {
            return if self.open < MAX_OPEN {
                ChunkVerdict::First
            } else {
                ChunkVerdict::TooMany
            };
        };
        // A receiver's session ends by a chunk that says another count than those before it.
        let is_of_it = chunk.count == set.count && chunk.index < set.count;
        if set.state != State::Open || !is_of_it || set.seen.contains(&chunk.index) {
            ChunkVerdict::Ignore
        } else if set.seen.len() as u64 + 1 < u64::from(set.count) {
            ChunkVerdict::More(at)
        } else {
            ChunkVerdict::Last(at)
        }
    }

    /// Opens a set of which nothing is staged yet.
    pub(super) fn open(&mut self, key: SetKey<'_>, count: u32, item: Item) -> u32 {
        let at = self.all.iter().position(Option::is_none);
        let at = at.unwrap_or_else(|| {
            self.all.push(None);
            self.all.len() - 1
        });
        self.all[at] = Some(Set {
            item,
            id: key.id.into(),
            origin: key.origin,
            count,
            seen: BTreeSet::new(),
            is_apart: false,
            staged: Vec::new(),
            bytes: 0,
            payload: 0,
            ordinals: SmallVec::new(),
            last: item.at,
            state: State::Open,
        });
        self.open += 1;
        at as u32
    }

    /// Bytes that are staged for `set`.
    pub(super) fn staged_bytes(&self, set: u32) -> usize {
        self.get(set).map_or(0, |set| set.bytes)
    }

    /// Whether all chunks of `set` are here and one of them says that they are more or fewer bytes
    /// than they are: a receiver's session ends by that.
    pub(super) fn is_of_another_size(&self, set: u32) -> bool {
        let Some(set) = self.get(set) else {
            return false;
        };
        let is_other = |chunk: &Staged| {
            let said = chunk.view.envelope().map_or(0, |e| e.total_bytes());
            said != 0 && said as usize != set.payload
        };
        set.seen.len() as u64 >= u64::from(set.count) && set.staged.iter().any(is_other)
    }

    /// Payload bytes of `set` so far.
    pub(super) fn payload(&self, set: u32) -> usize {
        self.get(set).map_or(0, |set| set.payload)
    }

    /// Keeps a chunk until the others are here.
    pub(super) fn stage(&mut self, set: u32, chunk: Staged, now: Moment) {
        let Some(Some(set)) = self.all.get_mut(set as usize) else {
            return;
        };
        set.last = now;
        set.bytes += chunk.len;
        set.payload += chunk.view.media_len();
        set.staged.push(chunk);
    }

    /// Hands out what is staged of a set that is whole now.
    pub(super) fn complete(&mut self, set: u32) -> Option<Unstaged> {
        let set = self.all.get_mut(set as usize)?.as_mut()?;
        set.state = State::Whole;
        self.open -= 1;
        Some(set.unstage())
    }

    /// The packet `ordinal` carries a chunk of `set`.
    pub(super) fn joined(&mut self, set: u32, ordinal: u64) {
        if let Some(Some(set)) = self.all.get_mut(set as usize) {
            set.ordinals.push(ordinal);
        }
    }

    /// The packets that carry the chunks of `set`.
    pub(super) fn ordinals(&self, set: u32) -> &[u64] {
        self.get(set).map_or(&[], |set| &set.ordinals)
    }

    /// Forgets a set that was whole; gives back the packets that carried it.
    pub(super) fn end(&mut self, set: u32) -> SmallVec<[u64; 8]> {
        let ended = self.all.get_mut(set as usize).and_then(Option::take);
        ended.map_or_else(SmallVec::new, |set| set.ordinals)
    }

    /// Takes note of a chunk, whether it is staged then or not.
    pub(super) fn saw(&mut self, set: u32, index: u32, origin: Option<Origin>) {
        if let Some(Some(set)) = self.all.get_mut(set as usize) {
            set.seen.insert(index);
            set.is_apart |= set.origin != origin;
        }
    }

    /// The partition that the first chunk of `set` names.
    pub(super) fn partition(&self, set: u32) -> &str {
        let Some(first) = self.get(set).and_then(|set| set.staged.first()) else {
            return "";
        };
        let given = first.change.as_ref().and_then(|c| c.partition.as_deref());
        let own = || first.view.envelope().map(|e| e.partition(&first.packet));
        given.or_else(own).unwrap_or_default()
    }

    /// Drops a set that is not whole. While chunks of it may still come it is remembered, so that
    /// they are not taken for a new one.
    pub(super) fn drop_open(&mut self, set: u32) -> Option<Unstaged> {
        let entry = self.all.get_mut(set as usize)?;
        let set = entry.as_mut().filter(|set| set.state == State::Open)?;
        set.state = State::Dropped;
        self.open -= 1;
        let unstaged = set.unstage();
        if set.seen.len() as u64 >= u64::from(set.count) {
            *entry = None;
        } else {
            self.dropped += 1;
            self.forget_past_most();
        }
        Some(unstaged)
    }

    fn forget_past_most(&mut self) {
        if self.dropped <= MAX_DROPPED {
            return;
        }
        let dropped = self.all.iter_mut().filter(|entry| {
            let set = entry.as_ref();
            set.is_some_and(|set| set.state == State::Dropped)
        });
        if let Some(quietest) = dropped.min_by_key(|e| e.as_ref().map(|set| set.last)) {
            *quietest = None;
            self.dropped -= 1;
        }
    }

    /// Sets that are not whole and that `wanted` picks, by the packet that opened them and the
    /// time of their last chunk.
    pub(super) fn find_open(&self, wanted: impl Fn(&Item, Moment) -> bool) -> SmallVec<[u32; 4]> {
        let open = (0..).zip(&self.all).filter(|(_, set)| {
            let set = set.as_ref().filter(|set| set.state == State::Open);
            set.is_some_and(|set| wanted(&set.item, set.last))
        });
        open.map(|(at, _)| at).collect()
    }

    /// Forgets dropped sets of which nothing has come for `patience`.
    pub(super) fn forget_dropped(&mut self, patience: Duration, now: Moment) {
        for entry in &mut self.all {
            let gone = |set: &Set| set.state == State::Dropped && now.since(set.last) >= patience;
            if entry.as_ref().is_some_and(gone) {
                *entry = None;
                self.dropped -= 1;
            }
        }
    }

    /// What waits for chunks: edge and bytes of each set.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        let open = self.all.iter().flatten();
        let open = open.filter(|set| set.state == State::Open);
        open.map(|set| (set.item.edge, set.bytes))
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.all.iter().flatten().count()
    }

    fn find(&self, wanted: impl Fn(&Set) -> bool) -> Option<usize> {
        let is_it = |entry: &Option<Set>| entry.as_ref().is_some_and(&wanted);
        self.all.iter().position(is_it)
    }

    /// The set that a chunk belongs to which has not the number of a first one: that of its name
    /// which its producer began last before it, if the chunk is missing there.
    fn begun_before(&self, key: SetKey<'_>, chunk: ChunkPlace) -> Option<usize> {
        let number = |(_, set): &(usize, &Set)| set.number_before(key);
        let sets = self.all.iter().enumerate();
        let sets = sets.filter_map(|(at, set)| Some((at, set.as_ref()?)));
        let sets = sets.filter(|(_, set)| set.is_of(key) && set.number_before(key).is_some());
        let (at, set) = sets.max_by_key(number)?;
        set.misses(chunk).then_some(at)
    }

    fn get(&self, set: u32) -> Option<&Set> {
        self.all.get(set as usize)?.as_ref()
    }
}

impl Set {
    fn is_of(&self, key: SetKey<'_>) -> bool {
        self.item.edge == key.edge && *self.id == *key.id
    }

    /// The number of its first chunk, if that is of the same producer and lower.
    fn number_before(&self, key: SetKey<'_>) -> Option<u64> {
        let (first, origin) = (self.origin?, key.origin?);
        let is_before = first.producer == origin.producer && first.number < origin.number;
        is_before.then_some(first.number)
    }

    /// Whether a chunk under another number may be one that is missing. An index that was here
    /// shows that another payload has begun: a resend comes under its own number. So does another
    /// number, once two chunks have shown that all of the set have one.
    fn misses(&self, chunk: ChunkPlace) -> bool {
        let may_be_apart = self.is_apart || self.seen.len() <= 1;
        let is_new = chunk.count == self.count && !self.seen.contains(&chunk.index);
        may_be_apart && is_new
    }

    fn unstage(&mut self) -> Unstaged {
        Unstaged {
            item: self.item,
            chunks: std::mem::take(&mut self.staged),
            bytes: std::mem::take(&mut self.bytes),
        }
    }
}
