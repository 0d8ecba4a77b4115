//! Sequences: contiguous from 1 per partition, never given out twice (spec 2.4 rule 1).
//!
//! Owns the counters of every partition ever seen and, of those sequences that may still be
//! receipted, which packet has which.

use std::collections::{BTreeMap, VecDeque};

/// Most partitions of one stream; the counter of each is kept as long as the stream.
const MAX_PARTITIONS: usize = 4096;

/// One partition. The one without a name is the stream itself.
#[derive(Debug)]
struct Partition {
    /// The next sequence.
    next: u64,
    /// Highest sequence that was ever sent.
    sent: u64,
    /// (sequence, ordinal) of what may still be receipted, ascending in both.
    live: VecDeque<(u64, u64)>,
}

/// All partitions of one stream.
#[derive(Debug)]
pub(super) struct Partitions {
    all: Vec<Partition>,
    by_name: BTreeMap<Box<str>, u32>,
}

impl Partitions {
    pub(super) fn new() -> Self {
        Self {
            all: vec![Partition::new()],
            by_name: BTreeMap::new(),
        }
    }

    #[inline]
    pub(super) fn index(&self, name: &str) -> Option<u32> {
        if name.is_empty() {
            return Some(0);
        }
        self.by_name.get(name).copied()
    }

    #[inline]
    pub(super) fn index_or_new(&mut self, name: &str) -> Option<u32> {
        if let Some(known) = self.index(name) {
            return Some(known);
        }
        if self.all.len() >= MAX_PARTITIONS {
            return None;
        }
        let index = self.all.len() as u32;
        self.all.push(Partition::new());
        self.by_name.insert(name.into(), index);
        Some(index)
    }

    #[inline]
    pub(super) fn next_sequence(&self, partition: u32) -> u64 {
        self.all[partition as usize].next
    }

    /// The next sequence of `partition` goes to the packet `ordinal`.
    pub(super) fn assign(&mut self, partition: u32, ordinal: u64) {
        let partition = &mut self.all[partition as usize];
        partition.live.push_back((partition.next, ordinal));
        partition.next += 1;
    }

    /// Notes that `sequence` was sent.
    #[inline]
    pub(super) fn sent(&mut self, partition: u32, sequence: u64) {
        let partition = &mut self.all[partition as usize];
        partition.sent = partition.sent.max(sequence);
    }

    pub(super) fn highest_sent(&self, partition: u32) -> u64 {
        self.all[partition as usize].sent
    }

    /// The lowest sequence that may still be receipted, and its packet.
    pub(super) fn first(&self, partition: u32) -> Option<(u64, u64)> {
        self.all[partition as usize].live.front().copied()
    }

    pub(super) fn drop_first(&mut self, partition: u32) {
        self.all[partition as usize].live.pop_front();
    }

    /// The packet that has `sequence`.
    pub(super) fn find(&self, partition: u32, sequence: u64) -> Option<u64> {
        let live = &self.all[partition as usize].live;
        let guess = sequence.checked_sub(live.front()?.0)?;
        match usize::try_from(guess).ok().and_then(|at| live.get(at)) {
            Some(&(found, ordinal)) if found == sequence => Some(ordinal),
            _ => {
                let at = live.binary_search_by_key(&sequence, |&(s, _)| s).ok()?;
                live.get(at).map(|&(_, ordinal)| ordinal)
            }
        }
    }

    /// Forgets the packets that are gone.
    pub(super) fn retain(&mut self, lives: impl Fn(u64) -> bool) {
        for partition in &mut self.all {
            partition.live.retain(|&(_, ordinal)| lives(ordinal));
        }
    }

    /// Gives memory back; nothing is kept any more.
    pub(super) fn rest(&mut self) {
        for partition in &mut self.all {
            partition.live = VecDeque::new();
        }
    }
}

impl Partition {
    fn new() -> Self {
        Self {
            next: 1,
            sent: 0,
            live: VecDeque::new(),
        }
    }
}
