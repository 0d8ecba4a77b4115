//! Decisions that outlive the call that made them: on a packet that waits for room, on one that is
//! decided elsewhere, and on a payload that comes in chunks.
//!
//! Owns what was decided on packets of one step until they are taken. Never decides, and never
//! keeps more than so much of what clients leave unfinished.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::packet::Inbound;
use crate::decide::{Decided, Verdict};
use crate::ids::Moment;

/// Most chunk sets of one stream whose decision is kept (spec 2.3).
const MAX_SETS: usize = 64;
/// Most bytes of what edges change in these; one set is kept whatever it takes.
const MAX_SET_BYTES: usize = 1024 * 1024;
/// How often one packet is decided elsewhere, where what it meets has changed each time.
const MOST_ASKED: u8 = 3;

/// What is kept of the packets of one step.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// What was decided on the first chunk holds for all of a set; the oldest first.
    sets: VecDeque<DecidedSet>,
    /// Bytes of what edges change in `sets`.
    set_bytes: usize,
    /// That on the packet which the connection offers next is here, and waits for it to be offered
    /// again.
    decided: Option<Box<Decided>>,
    /// It is being made elsewhere, under this number.
    awaited: Option<u64>,
    /// How often it has been.
    asked: u8,
    next: u64,
}

/// A chunk set that is not whole yet.
#[derive(Debug)]
struct DecidedSet {
    id: Box<str>,
    count: u32,
    /// Chunks that have been taken.
    taken: BTreeSet<u32>,
    /// When one came last.
    last: Moment,
    bytes: usize,
    decided: Decided,
}

impl Pending {
    /// What is known already of the packet that is offered.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Decided> {
        self.decided.take().map(|decided| *decided)
    }

    /// Keeps a decision whose packet found no room.
    pub(super) fn keep(&mut self, decided: Decided) {
        self.decided = Some(Box::new(decided));
    }

    /// Whether the packet may be decided elsewhere (once more).
    pub(super) fn may_ask(&self) -> bool {
        self.asked < MOST_ASKED
    }

    /// A number to decide under; `None` when that is under way already.
    pub(super) fn ask(&mut self) -> Option<u64> {
        if self.awaited.is_some() {
            return None;
        }
        self.asked += 1;
        self.next += 1;
        self.awaited = Some(self.next);
        self.awaited
    }

    /// Returns whether it is what is awaited.
    pub(super) fn answer(&mut self, ticket: u64, decided: Decided) -> bool {
        if self.awaited != Some(ticket) {
            return false;
        }
        self.awaited = None;
        self.decided = Some(Box::new(decided));
        true
    }

    /// What was decided on the set that a chunk belongs to.
    #[inline]
    pub(super) fn of_set(&self, inbound: &Inbound<'_>) -> Option<Decided> {
        let set = self.sets.get(self.position(&Chunk::of(inbound)?)?)?;
        Some(set.decided.clone())
    }

    /// Takes note of what was decided on the first chunk of a set.
    #[inline]
    pub(super) fn begin_set(&mut self, inbound: &Inbound<'_>, decided: &Decided, now: Moment) {
        if let Some(chunk) = Chunk::of(inbound) {
            self.insert(&chunk, decided, now);
        }
    }

    #[cold]
    fn insert(&mut self, chunk: &Chunk<'_>, decided: &Decided, now: Moment) {
        if chunk.count <= 1 || self.position(chunk).is_some() {
            return;
        }
        let changes = decided.edges.iter().map(|verdict| match verdict {
            Verdict::Taken(change) => change.fields.len(),
            Verdict::NotTaken | Verdict::Waits | Verdict::Dropped(..) => 0,
        });
        let bytes: usize = changes.sum();
        self.set_bytes += bytes;
        self.sets.push_back(DecidedSet {
            id: chunk.id.into(),
            count: chunk.count,
            taken: BTreeSet::new(),
            last: now,
            bytes,
            decided: decided.clone(),
        });
        while self.sets.len() > MAX_SETS || self.sets.len() > 1 && self.set_bytes > MAX_SET_BYTES {
            self.forget_set(0);
        }
    }

    /// The packet was taken. Returns whether its payload is whole: it was no chunk, or the last that
    /// was missing.
    #[inline]
    pub(super) fn took(&mut self, inbound: &Inbound<'_>, now: Moment) -> bool {
        self.asked = 0;
        Chunk::of(inbound).is_none_or(|chunk| self.took_chunk(&chunk, now))
    }

    #[cold]
    fn took_chunk(&mut self, chunk: &Chunk<'_>, now: Moment) -> bool {
        let Some(at) = self.position(chunk) else {
            return true;
        };
        let set = &mut self.sets[at];
        set.last = now;
        set.taken.insert(chunk.index);
        let whole = set.taken.len() as u64 >= u64::from(set.count);
        if whole {
            self.forget_set(at);
        }
        whole
    }

    /// Forgets the packet that was to be offered again: it has ended, or its connection is gone.
    pub(crate) fn clear(&mut self) {
        self.decided = None;
        self.awaited = None;
        self.asked = 0;
    }

    /// Forgets all sets: whoever began them does not go on with them.
    pub(crate) fn forget_sets(&mut self) {
        self.sets.clear();
        self.set_bytes = 0;
    }

    /// Forgets sets of which nothing has come for `patience`, as far as their stream was read:
    /// `since` then it is.
    pub(super) fn forget_stale(&mut self, patience: Duration, (now, since): (Moment, Moment)) {
        for at in (0..self.sets.len()).rev() {
            if now.since(self.sets[at].last.max(since)) >= patience {
                self.forget_set(at);
            }
        }
    }

    /// How many sets are not whole yet.
    #[cfg(test)]
    pub(crate) fn open_sets(&self) -> usize {
        self.sets.len()
    }

    fn position(&self, chunk: &Chunk<'_>) -> Option<usize> {
        let is_it = |set: &DecidedSet| *set.id == *chunk.id && set.count == chunk.count;
        self.sets.iter().position(is_it)
    }

    fn forget_set(&mut self, at: usize) {
        if let Some(set) = self.sets.remove(at) {
            self.set_bytes -= set.bytes;
        }
    }
}

/// What a packet says of the set that it is a chunk of.
struct Chunk<'a> {
    id: &'a str,
    index: u32,
    count: u32,
}

impl<'a> Chunk<'a> {
    #[inline]
    fn of(inbound: &Inbound<'a>) -> Option<Self> {
        let envelope = inbound.view.envelope().filter(|e| e.is_chunk())?;
        Some(Self {
            id: envelope.chunk_id(inbound.packet),
            index: envelope.chunk_index(),
            count: envelope.chunk_count(),
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use transport_proto::view::{Dialect, PacketView};

    use super::*;
    use crate::decide::Change;

    /// The first chunk of two of the payload that `id` names.
    fn first(id: u8) -> Bytes {
        let envelope = [0x0a, 1, b'o', 0x22, 1, id, 0x28, 0, 0x30, 2];
        let frame = [0x3a, 3, 0x0a, 1, b'x'];
        let head = [0x42, envelope.len() as u8];
        [&frame[..], &head, &envelope].concat().into()
    }

    fn begin(pending: &mut Pending, id: u8, size: usize) {
        let packet = first(id);
        let view = PacketView::parse(&packet, Dialect::Packet).unwrap();
        let inbound = Inbound {
            source: &packet,
            start: 0,
            packet: &packet,
            view: &view,
            kept: None,
            parted: None,
            pinned: packet.len(),
        };
        let change = Change {
            fields: vec![0; size].into(),
            ..Change::default()
        };
        let decided = Decided::of(std::iter::once(Verdict::Taken(change)));
        pending.begin_set(&inbound, &decided, Moment::default());
    }

    #[test]
    fn what_edges_change_in_open_sets_is_bounded_and_one_set_is_always_kept() {
        let mut pending = Pending::default();
        for id in b'a'..=b'd' {
            begin(&mut pending, id, MAX_SET_BYTES / 3);
        }
        assert_eq!(pending.open_sets(), 3);
        assert_eq!(*pending.sets[0].id, *"b", "the oldest goes");
        begin(&mut pending, b'e', 2 * MAX_SET_BYTES);
        assert_eq!(pending.open_sets(), 1);
        begin(&mut pending, b'f', 10);
        assert_eq!((pending.open_sets(), pending.set_bytes), (1, 10));
        pending.forget_sets();
        assert_eq!((pending.open_sets(), pending.set_bytes), (0, 0));
    }
}
