//! The bounded queue in front of one step (best_effort).
//!
//! Owns the packets that wait, oldest first, and the bounds they wait within. Never grows past its
//! bounds, except that an empty queue admits one packet of any size (spec 2.4 rule 4).

use std::collections::VecDeque;

use bytes::Bytes;

use super::encode::Encoded;
use super::spool::{Pieces, Spool};
use crate::account::DropReason;
use crate::ids::Moment;
use crate::route::{OverflowPolicy, QueueBounds};

/// One waiting packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Index of the edge it came by, for accounting.
    pub edge: u32,
    /// Bytes on the wire.
    pub len: u32,
    /// When it came in.
    pub at: Moment,
}

/// Packets that wait for one step.
#[derive(Debug)]
pub(crate) struct Queue {
    bounds: QueueBounds,
    entries: VecDeque<Entry>,
    spool: Spool,
    /// Bytes on the wire of all entries.
    bytes: usize,
}

impl Queue {
    pub(crate) fn new(bounds: QueueBounds) -> Self {
        Self {
            bounds,
            entries: VecDeque::new(),
            spool: Spool::default(),
            bytes: 0,
        }
    }

    /// Makes room for `len` bytes by the overflow policy; older packets that give way are handed
    /// to `dropped`.
    ///
    /// # Errors
    /// The reason for which the newcomer must be dropped instead.
    pub(crate) fn make_room(
        &mut self,
        len: usize,
        mut dropped: impl FnMut(Entry),
    ) -> Result<(), DropReason> {
        while !self.fits(len) {
            match self.bounds.overflow {
                OverflowPolicy::DropNewest => return Err(DropReason::LaneFull),
                OverflowPolicy::DropOldest => match self.drop_front() {
                    Some(entry) => dropped(entry),
                    None => return Err(DropReason::LaneFull),
                },
            }
        }
        Ok(())
    }

    /// Appends a packet for which there is room, every byte copied.
    #[inline]
    pub(crate) fn push(&mut self, encoded: &Encoded<'_>, entry: Entry) {
        encoded.copy(&mut self.spool, entry.len as usize);
        self.note(entry);
    }

    /// Appends a packet for which there is room, large parts shared with the buffer it came in.
    pub(crate) fn push_shared(&mut self, encoded: &Encoded<'_>, entry: Entry) {
        encoded.share(&mut self.spool);
        self.note(entry);
    }

    /// Appends a packet for which there is room, with a copy of what is kept of it, which is shared.
    pub(crate) fn push_copy(&mut self, encoded: &Encoded<'_>, kept: Bytes, entry: Entry) {
        encoded.share_copy(&mut self.spool, kept);
        self.note(entry);
    }

    #[inline]
    fn note(&mut self, entry: Entry) {
        self.bytes += entry.len as usize;
        self.entries.push_back(entry);
    }

    /// Moves whole packets of up to `budget` bytes out, at least one when there is one. What
    /// neighbours have in common, edge and time, is told to `taken` once, with their number.
    /// Returns the bytes moved.
    pub(crate) fn take(
        &mut self,
        budget: usize,
        out: &mut Pieces,
        mut taken: impl FnMut(Entry, u64),
    ) -> usize {
        let Some(&(mut alike)) = self.entries.front() else {
            return 0;
        };
        let (mut len, mut count, mut alike_count) = (0, 0, 0);
        for &entry in &self.entries {
            let next = entry.len as usize;
            if count > 0 && len + next > budget {
                break;
            }
            len += next;
            count += 1;
            if (entry.edge, entry.at) != (alike.edge, alike.at) {
                taken(alike, alike_count);
                (alike, alike_count) = (entry, 0);
            }
            alike_count += 1;
        }
        taken(alike, alike_count);
        self.entries.drain(..count);
        self.bytes -= len;
        self.spool.take(len, out);
        len
    }

    /// Drops the oldest packet.
    pub(crate) fn drop_front(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.spool.skip(entry.len as usize);
        self.bytes -= entry.len as usize;
        Some(entry)
    }

    /// Drops packets that came in before `moment`, oldest first.
    pub(crate) fn drop_older(&mut self, moment: Moment, mut dropped: impl FnMut(Entry)) {
        while self.entries.front().is_some_and(|e| e.at < moment) {
            if let Some(entry) = self.drop_front() {
                dropped(entry);
            }
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
        self.entries.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn bounds(&self) -> &QueueBounds {
        &self.bounds
    }

    /// Whether `len` bytes more may wait as things are.
    #[inline]
    pub(crate) fn fits(&self, len: usize) -> bool {
        self.entries.is_empty()
            || (self.entries.len() < self.bounds.max_messages
                && self.bytes + len <= self.bounds.max_bytes)
    }
}
