//! The chunk sets that an engram is putting together: what contradicts the chunks before it ends the
//! engram's session, so it must not reach one (spec 2.8, 3).
//!
//! Owns what the chunks that went to one session said of their sets. Bounded as the engram is: what
//! would be too much for it is too much here.

use std::time::Duration;

use transport_proto::limits::MAX_CHUNK_COUNT;
use transport_proto::view::PacketView;

use super::Unfit;
use super::fit::MAX_REASSEMBLED;
use crate::ids::Moment;

/// Most sets that an engram puts together at once.
const MOST_SETS: usize = 256;
/// Most bytes of these.
const MOST_BYTES: u64 = 64 << 20;
/// An engram forgets a set after two minutes; here it is remembered for longer than there.
const REMEMBERED: Duration = Duration::from_secs(240);

/// What is known of a packet that goes to a session, besides its bytes.
#[derive(Debug)]
pub(crate) struct Towards<'a> {
    /// The chunk sets of the session.
    pub assemblies: &'a mut Assemblies,
    /// The edge that it came by.
    pub edge: u32,
    /// When it goes.
    pub now: Moment,
}

/// Sets of one session that are not whole.
#[derive(Debug, Default)]
pub(crate) struct Assemblies {
    /// In the order of their keys.
    sets: Vec<Assembly>,
    /// Bytes of the chunks of all of them.
    bytes: u64,
    /// No set has been quiet since before: none is too old until this is.
    oldest: Option<Moment>,
}

#[derive(Debug)]
struct Assembly {
    stream_id: Box<str>,
    partition: Box<str>,
    chunk_id: Box<str>,
    /// The edge that its chunks come by. What they are called says nothing of that: all upstreams of
    /// a step are one stream there.
    edge: u32,
    progress: Progress,
    /// When a chunk of it went last.
    last: Moment,
}

/// What the chunks of a set have come to.
#[derive(Debug)]
struct Progress {
    count: u32,
    /// Bytes of the payload, where a chunk has said so; else 0.
    total: u32,
    /// Bytes of the chunks that went.
    bytes: u32,
    went: Indices,
}

/// Which chunks of a set went, a bit each.
#[derive(Debug, Default)]
struct Indices([u64; MAX_CHUNK_COUNT.div_ceil(u64::BITS) as usize]);

/// What tells sets apart: stream, partition, and the id of the set.
type Key<'a> = (&'a str, &'a str, &'a str);

/// What a chunk says of itself and of its set.
#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    key: Key<'a>,
    edge: u32,
    count: u32,
    /// Bytes of the payload; 0 where it does not say.
    total: u32,
    index: u32,
    /// Its own bytes.
    len: u32,
}

impl Towards<'_> {
    /// Whether a chunk, sound by itself, goes with those of its set that went before it.
    ///
    /// # Errors
    /// [`Unfit`] where it contradicts them, or is more than an engram takes.
    pub(super) fn judge(&mut self, (packet, view): (&[u8], &PacketView)) -> Result<(), Unfit> {
        let Some(piece) = Piece::of(packet, view, self.edge) else {
            return Ok(());
        };
        let verdict = self.assemblies.judge(&piece, self.now);
        verdict.map_err(Unfit::invalid)
    }

    /// Takes note of a chunk that was judged to go, and went.
    pub(super) fn note(&mut self, (packet, view): (&[u8], &PacketView)) {
        if let Some(piece) = Piece::of(packet, view, self.edge) {
            self.assemblies.note(&piece, self.now);
        }
    }
}

impl Assemblies {
    fn judge(&mut self, piece: &Piece<'_>, now: Moment) -> Result<(), &'static str> {
        self.forget_quiet(now);
        let known = self.find(piece).ok();
        match known.and_then(|place| self.sets.get(place)) {
            Some(set) if set.edge != piece.edge => {
                Err("a chunk of a set that another upstream has begun")
            }
            Some(set) => set.progress.judge(piece, self.bytes),
            None if self.sets.len() >= MOST_SETS => {
                Err("more chunk sets at once than an engram takes")
            }
            None => Progress::new(piece.count).judge(piece, self.bytes),
        }
    }

    fn note(&mut self, piece: &Piece<'_>, now: Moment) {
        match self.find(piece) {
            Ok(place) => self.go_on(place, piece, now),
            Err(place) => self.begin(place, piece, now),
        }
    }

    /// The place of its set, or where that would stand.
    fn find(&self, piece: &Piece<'_>) -> Result<usize, usize> {
        let sets = &self.sets;
        sets.binary_search_by(|set| set.key().cmp(&piece.key))
    }

    /// The first chunk of a set.
    fn begin(&mut self, place: usize, piece: &Piece<'_>, now: Moment) {
        let mut progress = Progress::new(piece.count);
        let bytes = progress.take(piece);
        if progress.is_whole() {
            return;
        }
        self.bytes += u64::from(bytes);
        let (stream_id, partition, chunk_id) = piece.key;
        let set = Assembly {
            stream_id: stream_id.into(),
            partition: partition.into(),
            chunk_id: chunk_id.into(),
            edge: piece.edge,
            progress,
            last: now,
        };
        self.sets.insert(place, set);
        self.heard(now);
    }

    /// One more chunk of a set.
    fn go_on(&mut self, place: usize, piece: &Piece<'_>, now: Moment) {
        let Some(set) = self.sets.get_mut(place) else {
            return;
        };
        set.last = now;
        self.bytes += u64::from(set.progress.take(piece));
        if set.progress.is_whole() {
            self.bytes -= u64::from(set.progress.bytes);
            self.sets.remove(place);
        }
        self.heard(now);
    }

    /// A chunk went now; clocks may step back.
    fn heard(&mut self, now: Moment) {
        self.oldest = Some(self.oldest.map_or(now, |oldest| oldest.min(now)));
    }

    fn forget_quiet(&mut self, now: Moment) {
        let is_old = |last| now.since(last) >= REMEMBERED;
        if !self.oldest.is_some_and(is_old) {
            return;
        }
        self.sets.retain(|set| !is_old(set.last));
        let bytes = self.sets.iter().map(|set| u64::from(set.progress.bytes));
        self.bytes = bytes.sum();
        self.oldest = self.sets.iter().map(|set| set.last).min();
    }
}

impl Assembly {
    fn key(&self) -> Key<'_> {
        (&self.stream_id, &self.partition, &self.chunk_id)
    }
}

impl Progress {
    fn new(count: u32) -> Self {
        Self {
            count,
            total: 0,
            bytes: 0,
            went: Indices::default(),
        }
    }

    fn is_whole(&self) -> bool {
        self.went.len() == self.count
    }

    /// Whether a chunk agrees with those before it, where an engram holds so many bytes of chunks.
    fn judge(&self, piece: &Piece<'_>, held: u64) -> Result<(), &'static str> {
        if piece.count != self.count {
            return Err("a chunk of another count than those before it");
        }
        if piece.total != 0 && self.total != 0 && piece.total != self.total {
            return Err("a chunk of another total than those before it");
        }
        if piece.index >= MAX_CHUNK_COUNT {
            return Err("a chunk beyond its count");
        }
        if self.went.contains(piece.index) {
            // The engram has it, and ignores it.
            return Ok(());
        }
        let bytes = self.bytes.saturating_add(piece.len);
        let total = piece.total.max(self.total);
        let is_last = self.went.len() + 1 == self.count;
        let fits = bytes <= MAX_REASSEMBLED && held + u64::from(piece.len) <= MOST_BYTES;
        if !fits || total != 0 && (bytes > total || is_last && bytes != total) {
            return Err("chunks of more or less than the payload that they say");
        }
        Ok(())
    }

    /// Takes note of a chunk that agrees. Returns the bytes that it adds.
    fn take(&mut self, piece: &Piece<'_>) -> u32 {
        if !self.went.insert(piece.index) {
            return 0;
        }
        self.bytes += piece.len;
        self.total = self.total.max(piece.total);
        piece.len
    }
}

impl Indices {
    fn contains(&self, index: u32) -> bool {
        let word = self.0.get((index / u64::BITS) as usize);
        word.is_some_and(|word| word & (1 << (index % u64::BITS)) != 0)
    }

    /// Returns whether it is new.
    fn insert(&mut self, index: u32) -> bool {
        let is_new = !self.contains(index);
        if let Some(word) = self.0.get_mut((index / u64::BITS) as usize) {
            *word |= 1 << (index % u64::BITS);
        }
        is_new
    }

    fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

impl<'a> Piece<'a> {
    fn of(packet: &'a [u8], view: &PacketView, edge: u32) -> Option<Self> {
        let envelope = view.envelope().filter(|envelope| envelope.is_chunk())?;
        Some(Self {
            key: (
                envelope.stream_id(packet),
                envelope.partition(packet),
                envelope.chunk_id(packet),
            ),
            edge,
            count: envelope.chunk_count(),
            total: envelope.total_bytes(),
            index: envelope.chunk_index(),
            len: u32::try_from(view.media_len()).unwrap_or(u32::MAX),
        })
    }
}

#[cfg(test)]
mod tests;
