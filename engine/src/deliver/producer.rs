//! What one numbering producer has sent and what of it is settled (spec 2.4 rule 5).
//!
//! Owns the numbers of one `hub-producer-epoch`: which were routed, which are still on their way,
//! and up to where the producer may forget. Memory grows with what is on its way, never with what
//! was sent.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use transport_proto::limits::MAX_CHUNK_COUNT;

use super::origin::ChunkPlace;
use crate::ids::Moment;
use crate::mutant::{self, Mutant};
use crate::route::AckEvery;

/// Most numbers of one epoch that wait for chunks; past it the oldest is given up, so that memory
/// does not grow with what a client leaves unfinished.
const MAX_UNFINISHED: usize = 64;

/// The numbers of one producer epoch.
#[derive(Debug)]
pub(crate) struct Producer {
    /// Tells it from every other epoch of its step.
    id: u32,
    epoch: Box<str>,
    /// Highest number that was routed or counted.
    highest: u64,
    /// Numbers that are not settled, ascending; everything else up to `highest` is.
    pending: VecDeque<Pending>,
    /// What the producer was told last.
    told: u64,
    /// When the oldest news that it has not been told of came up.
    since: Option<Moment>,
    /// Packets and bytes settled since it was told.
    news: (u64, u64),
    /// It asked by resending: tell it at once.
    owed: bool,
    /// Numbers that wait for chunks.
    unfinished: usize,
}

/// One number on its way.
#[derive(Debug)]
struct Pending {
    number: u64,
    /// Edges on which it is not settled.
    outstanding: u32,
    /// Chunks that have come, while some are missing.
    chunks: Option<Box<Chunks>>,
    bytes: u64,
}

#[derive(Debug)]
struct Chunks {
    seen: BTreeSet<u32>,
    last: Moment,
}

impl Producer {
    pub(crate) fn new(id: u32, epoch: &str) -> Self {
        Self {
            id,
            epoch: epoch.into(),
            highest: 0,
            pending: VecDeque::new(),
            told: 0,
            since: None,
            news: (0, 0),
            owed: false,
            unfinished: 0,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Whether nothing of it is on its way.
    pub(crate) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether everything that it numbered is settled, and it has been told.
    pub(crate) fn knows_all(&self) -> bool {
        self.is_settled() && !self.owed && self.settled() <= self.told
    }

    /// Whether this number (this chunk of it) was routed before.
    pub(crate) fn has_routed(&self, number: u64, chunk: Option<ChunkPlace>) -> bool {
        if number > self.highest || mutant::is(Mutant::RouteResendTwice) {
            return false;
        }
        let pending = self.position(number).ok().map(|at| &self.pending[at]);
        match (chunk, pending.and_then(|p| p.chunks.as_ref())) {
            (Some(chunk), Some(chunks)) => {
                chunks.seen.contains(&chunk.index) || mutant::is(Mutant::LoseNumberedChunk)
            }
            _ => true,
        }
    }

    /// Takes note of a packet that was routed onto `outstanding` at_least_once edges; chunks after
    /// the first count edges that no earlier chunk counted. A chunk that no payload has was refused
    /// and counts as a packet: what is remembered of it would grow with what it claims.
    pub(crate) fn note(
        &mut self,
        number: u64,
        chunk: Option<ChunkPlace>,
        (outstanding, bytes): (u32, u64),
        now: Moment,
    ) {
        let chunk = chunk.filter(|c| c.index < c.count && c.count <= MAX_CHUNK_COUNT);
        self.highest = self.highest.max(number);
        let found = self.position(number);
        if found.is_err() && outstanding == 0 && chunk.is_none_or(|c| c.count <= 1) {
            return self.mark_news(bytes, now);
        }
        if found.is_err() && chunk.is_some() {
            self.begin_set(now);
        }
        let at = self.position(number).unwrap_or_else(|at| {
            let fresh = Pending {
                number,
                outstanding: 0,
                chunks: chunk.map(|_| {
                    Box::new(Chunks {
                        seen: BTreeSet::new(),
                        last: now,
                    })
                }),
                bytes: 0,
            };
            if at == self.pending.len() {
                self.pending.push_back(fresh);
            } else {
                self.pending.insert(at, fresh);
            }
            at
        });
        let pending = &mut self.pending[at];
        pending.outstanding += outstanding;
        pending.bytes += bytes;
        if let (Some(place), Some(chunks)) = (chunk, &mut pending.chunks) {
            chunks.seen.insert(place.index);
            chunks.last = now;
            if chunks.seen.len() as u64 >= u64::from(place.count) {
                pending.chunks = None;
                self.unfinished -= 1;
            }
        }
        self.close(at, now);
    }

    /// Makes room for one more number that waits for chunks.
    fn begin_set(&mut self, now: Moment) {
        self.unfinished += 1;
        if self.unfinished > MAX_UNFINISHED
            && let Some(at) = self.pending.iter().position(|p| p.chunks.is_some())
        {
            self.pending[at].chunks = None;
            self.unfinished -= 1;
            self.close(at, now);
        }
    }

    /// One edge has settled `number`.
    pub(crate) fn settle(&mut self, number: u64, now: Moment) {
        let Ok(at) = self.position(number) else {
            return;
        };
        let pending = &mut self.pending[at];
        pending.outstanding = pending.outstanding.saturating_sub(1);
        if mutant::is(Mutant::AckBeforeLastEdge) {
            pending.outstanding = 0;
        }
        self.close(at, now);
    }

    /// Gives up chunk sets of which nothing has come for `patience`. Returns how many.
    pub(crate) fn give_up_chunks(&mut self, patience: Duration, now: Moment) -> usize {
        let mut given_up = 0;
        for at in (0..self.pending.len()).rev() {
            let chunks = &mut self.pending[at].chunks;
            if chunks
                .as_ref()
                .is_some_and(|c| now.since(c.last) >= patience)
            {
                *chunks = None;
                self.unfinished -= 1;
                given_up += 1;
                self.close(at, now);
            }
        }
        given_up
    }

    /// Says again what is settled, as soon as possible: the producer has connected or resent.
    pub(crate) fn tell_again(&mut self) {
        self.owed = self.highest > 0;
    }

    /// The highest number up to which everything is settled.
    pub(crate) fn settled(&self) -> u64 {
        let front = self.pending.front();
        front.map_or(self.highest, |pending| pending.number - 1)
    }

    /// Whether there is anything that it has not been told.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.owed || self.since.is_some()
    }

    /// Whether the producer should be told now.
    pub(crate) fn wants_telling(&self, every: &AckEvery, now: Moment) -> bool {
        if self.owed || self.since.is_none() {
            return self.owed;
        }
        let (packets, bytes) = self.news;
        let due = self.since.is_some_and(|t| now.since(t) >= every.max_delay);
        self.settled() > self.told
            && (due
                || (every.messages > 0 && packets >= every.messages)
                || (every.bytes > 0 && bytes >= every.bytes))
    }

    /// When it must be told at the latest.
    pub(crate) fn deadline(&self, every: &AckEvery) -> Option<Moment> {
        let news = self.settled() > self.told;
        self.since
            .filter(|_| news)
            .map(|t| t.after(every.max_delay))
    }

    /// What to tell the producer; it counts as told.
    pub(crate) fn tell(&mut self) -> u64 {
        self.told = self.settled();
        self.since = None;
        self.news = (0, 0);
        self.owed = false;
        self.told
    }

    /// Where `number` stands, or would. New numbers come last and old ones are settled first.
    #[inline]
    fn position(&self, number: u64) -> Result<usize, usize> {
        match (self.pending.front(), self.pending.back()) {
            (_, Some(last)) if last.number < number => Err(self.pending.len()),
            (Some(first), _) if first.number == number => Ok(0),
            (None, _) => Err(0),
            (Some(first), _) => {
                // Without gaps a number stands as far from the first as its value says.
                let guess = usize::try_from(number.wrapping_sub(first.number));
                let guess = guess.ok().filter(|&at| {
                    let found = self.pending.get(at);
                    found.is_some_and(|p| p.number == number)
                });
                guess.map_or_else(|| self.search(number), Ok)
            }
        }
    }

    #[cold]
    fn search(&self, number: u64) -> Result<usize, usize> {
        self.pending.binary_search_by_key(&number, |p| p.number)
    }

    /// Forgets the entry at `at` once all its chunks are here and all its edges are settled.
    fn close(&mut self, at: usize, now: Moment) {
        let pending = &self.pending[at];
        if pending.outstanding == 0 && pending.chunks.is_none() {
            let bytes = pending.bytes;
            if at == 0 {
                self.pending.pop_front();
            } else {
                self.pending.remove(at);
            }
            self.mark_news(bytes, now);
        }
    }

    fn mark_news(&mut self, bytes: u64, now: Moment) {
        self.news.0 += 1;
        self.news.1 += bytes;
        self.since.get_or_insert(now);
    }
}
