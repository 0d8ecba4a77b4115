//! One bounded queue of a best_effort step.
//!
//! Owns the packets that wait, oldest first, and the bounds they wait within. Never grows past its
//! bounds, except that an empty queue admits one packet of any size (spec 2.4 rule 4).

use std::collections::VecDeque;
use std::time::Duration;

use super::spool::{Pieces, Spool};
use crate::account::DropReason;
use crate::ids::Moment;
use crate::route::{Lane, OverflowPolicy, QueueBounds};

/// One waiting packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Index of the edge it came by, for accounting.
    pub edge: u32,
    /// Bytes on the wire.
    pub len: u32,
    /// When it came in.
    pub at: Moment,
    /// The turn it belongs to (spec 2.5).
    pub turn: u64,
    /// Its lane, also where all lanes share one queue.
    pub lane: Lane,
    /// Media time of its frame in milliseconds; 0 where it has none.
    pub media_ms: u64,
    /// Whether decoding can begin here. Only asked of a keyed queue.
    pub is_key: bool,
    /// It was dropped while others wait before it; its bytes are passed over.
    pub is_gone: bool,
}

/// Packets that wait for one step.
#[derive(Debug)]
pub(crate) struct Queue {
    bounds: QueueBounds,
    max_media: Option<Duration>,
    /// A queue of video frames: what depends on a dropped frame goes with it.
    keyed: bool,
    /// A frame was dropped: nothing is of use until the next key frame.
    awaits_key: bool,
    entries: VecDeque<Entry>,
    spool: Spool,
    /// Packets that wait.
    messages: usize,
    /// Bytes on the wire of all that wait.
    bytes: usize,
}

impl Queue {
    pub(crate) fn new(bounds: QueueBounds) -> Self {
        Self {
            bounds,
            max_media: None,
            keyed: false,
            awaits_key: false,
            entries: VecDeque::new(),
            spool: Spool::default(),
            messages: 0,
            bytes: 0,
        }
    }

    /// Bounds the media time that waits.
    pub(crate) fn with_max_media(mut self, max_media: Option<Duration>) -> Self {
        self.max_media = max_media;
        self
    }

    /// Makes it a queue of video frames.
    pub(crate) fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }

    /// Whether it asks for [`Entry::is_key`].
    pub(crate) fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// Makes room for `newcomer` by the overflow policy; older packets that give way are handed to
    /// `dropped`.
    ///
    /// # Errors
    /// The reason for which the newcomer must be dropped instead.
    pub(crate) fn make_room(
        &mut self,
        newcomer: &Entry,
        mut dropped: impl FnMut(Entry),
    ) -> Result<(), DropReason> {
        if self.awaits_key {
            if !newcomer.is_key {
                return Err(self.overflow_reason());
            }
            self.awaits_key = false;
        }
        while !self.fits(newcomer) {
            match self.bounds.overflow {
                OverflowPolicy::DropNewest => {
                    self.awaits_key = self.keyed;
                    return Err(DropReason::LaneFull);
                }
                OverflowPolicy::DropOldest => self.give_way(newcomer, &mut dropped)?,
            }
        }
        Ok(())
    }

    /// Drops the oldest packet, of video everything up to the next key frame.
    fn give_way(
        &mut self,
        newcomer: &Entry,
        dropped: &mut impl FnMut(Entry),
    ) -> Result<(), DropReason> {
        let Some(entry) = self.drop_front() else {
            return Err(DropReason::LaneFull);
        };
        dropped(entry);
        if !self.keyed {
            return Ok(());
        }
        while self.entries.front().is_some_and(|e| !e.is_key) {
            if let Some(entry) = self.drop_front() {
                dropped(entry);
            }
        }
        if self.entries.is_empty() && !newcomer.is_key {
            self.awaits_key = true;
            return Err(DropReason::DropOldest);
        }
        Ok(())
    }

    fn overflow_reason(&self) -> DropReason {
        match self.bounds.overflow {
            OverflowPolicy::DropNewest => DropReason::LaneFull,
            OverflowPolicy::DropOldest => DropReason::DropOldest,
        }
    }

    /// Appends a packet for which there is room; `write` writes it.
    #[inline]
    pub(crate) fn push(&mut self, entry: Entry, write: impl FnOnce(&mut Spool)) {
        write(&mut self.spool);
        self.bytes += entry.len as usize;
        self.messages += 1;
        self.entries.push_back(entry);
    }

    /// Moves whole packets of up to `budget` bytes out, at least one when `must`, as long as
    /// `admits` says yes. Returns the bytes moved.
    pub(crate) fn take(
        &mut self,
        budget: usize,
        must: bool,
        out: &mut Pieces,
        mut admits: impl FnMut(&Entry) -> bool,
    ) -> usize {
        let (mut moved, mut run) = (0, 0);
        while let Some(&entry) = self.entries.front() {
            let next = entry.len as usize;
            if entry.is_gone {
                self.spool.take(run, out);
                run = 0;
                self.spool.skip(next);
                self.entries.pop_front();
                continue;
            }
            if (moved > 0 || !must) && moved + next > budget || !admits(&entry) {
                break;
            }
            run += next;
            moved += next;
            self.messages -= 1;
            self.entries.pop_front();
        }
        self.bytes -= moved;
        self.spool.take(run, out);
        moved
    }

    /// Drops the oldest packet.
    pub(crate) fn drop_front(&mut self) -> Option<Entry> {
        loop {
            let entry = self.entries.pop_front()?;
            self.spool.skip(entry.len as usize);
            if !entry.is_gone {
                self.messages -= 1;
                self.bytes -= entry.len as usize;
                return Some(entry);
            }
        }
    }

    /// Drops packets that came in before `moment`, oldest first.
    pub(crate) fn drop_older(&mut self, moment: Moment, mut dropped: impl FnMut(Entry)) {
        while self
            .entries
            .front()
            .is_some_and(|e| e.is_gone || e.at < moment)
        {
            let Some(entry) = self.entries.pop_front() else {
                break;
            };
            self.spool.skip(entry.len as usize);
            if !entry.is_gone {
                self.messages -= 1;
                self.bytes -= entry.len as usize;
                dropped(entry);
            }
        }
    }

    /// Drops every packet of a turn below its lane's floor, wherever it waits.
    pub(crate) fn drop_turns(
        &mut self,
        floors: &[u64; Lane::COUNT],
        mut dropped: impl FnMut(Entry),
    ) {
        for entry in &mut self.entries {
            if !entry.is_gone && entry.turn < floors[entry.lane as usize] {
                entry.is_gone = true;
                self.messages -= 1;
                self.bytes -= entry.len as usize;
                dropped(*entry);
            }
        }
        while let Some(gone) = self.entries.front().filter(|e| e.is_gone) {
            self.spool.skip(gone.len as usize);
            self.entries.pop_front();
        }
    }

    /// Gives memory back when nothing waits.
    pub(crate) fn rest(&mut self) {
        if self.entries.is_empty() {
            self.spool.rest();
            self.entries = VecDeque::new();
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| !e.is_gone)
    }

    /// The oldest packet that waits.
    pub(crate) fn front(&self) -> Option<&Entry> {
        self.entries().next()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages == 0
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether `newcomer` may wait as things are.
    #[inline]
    pub(crate) fn fits(&self, newcomer: &Entry) -> bool {
        !self.awaits_key
            && (self.is_empty()
                || (self.messages < self.bounds.max_messages
                    && self.bytes + newcomer.len as usize <= self.bounds.max_bytes
                    && self.media_fits(newcomer)))
    }

    #[inline]
    fn media_fits(&self, newcomer: &Entry) -> bool {
        let Some(max) = self.max_media else {
            return true;
        };
        let Some(oldest) = self.entries().next() else {
            return true;
        };
        let span = newcomer.media_ms.saturating_sub(oldest.media_ms);
        newcomer.media_ms == 0 || oldest.media_ms == 0 || u128::from(span) <= max.as_millis()
    }
}
