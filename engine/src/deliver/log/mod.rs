//! What is kept for an at_least_once step until its receipt (spec 2.4).
//!
//! Owns every packet from its acceptance to its receipt or drop, in one order: what the present
//! connection has been sent (the window) lies before [`Log::next`], what it has not (the queue)
//! after. A new connection starts at the beginning, so a replay is nothing but sending, and always
//! comes before anything new. Lanes bound the queue; they never reorder it.
//!
//! | file | does |
//! | --- | --- |
//! | `mod` | packets in, bounds |
//! | `release` | letting go of packets and of their memory |
//! | `send` | packets out, again after a reconnect or a late receipt |
//! | `receipts` | cumulative and single receipts |
//! | `partitions` | sequences, and which packet has which |
//! | `chunks` | chunk sets: one sequence, one receipt, one drop |
//! | `load` | how much waits, and how much may |
//! | `store` | the bytes |

mod chunks;
mod load;
mod partitions;
mod receipts;
mod release;
mod send;
mod store;

use std::collections::VecDeque;
use std::time::Duration;

use super::origin::{ChunkPlace, Hears};
use crate::account::DropReason;
use crate::engine::Contract;
use crate::ids::Moment;
use crate::route::{FlowMode, Guarantee, Lane, Redelivery, StepPlan};

use chunks::Sets;
pub(crate) use chunks::{ChunkVerdict, SetKey, Staged, Unstaged};
use load::Load;
use partitions::Partitions;
pub(crate) use receipts::Ack;
pub(crate) use store::Store;

/// Settled packets that are kept, at least, before the log is written anew without them.
const SETTLED_KEPT: usize = 256;

/// Most packets in flight to an engram on the connector contract (spec 3).
const CONNECTOR_IN_FLIGHT: usize = 96;
/// How long its receipts may take, where its Story does not say (spec 2.4 rule 8).
const CONNECTOR_REDELIVERY: Redelivery = Redelivery {
    ack_wait: Duration::from_secs(30),
    max_deliver: 0,
};

/// What the log is told of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// Index of the edge it came by.
    pub edge: u32,
    /// Its lane.
    pub lane: Lane,
    /// The turn it belongs to.
    pub turn: u64,
    /// When it came in.
    pub at: Moment,
    /// Who hears of its end, where anybody numbers.
    pub hears: Option<Hears>,
}

/// Where a packet stands in the numbering.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub partition: u32,
    pub sequence: u64,
    /// Its chunk set.
    pub set: Option<u32>,
    /// Whether it is the packet that stands for its sequence (all but later chunks of a set).
    pub head: bool,
}

/// One packet, or one chunk.
#[derive(Clone, Debug)]
struct Slot {
    item: Item,
    place: Place,
    /// Place in the order of acceptance; never reused.
    ordinal: u64,
    /// Where its bytes start in the store.
    start: u64,
    len: u32,
    deliveries: u32,
    sent_at: Moment,
    settled: bool,
}

/// How a packet's life on its edge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    Dropped(DropReason),
    /// It is on no account: another packet stands for it (spec 2.3, join).
    Absorbed,
}

/// A packet (or chunk set) that is done with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    pub edge: u32,
    pub hears: Option<Hears>,
    pub outcome: Outcome,
    pub sequence: u64,
    /// Bytes that it no longer takes.
    pub bytes: usize,
    /// Bytes of chunks that waited for the others of their set, and no longer do.
    pub staged: usize,
}

/// Everything that is kept for one step.
#[derive(Debug)]
pub(crate) struct Log {
    guarantee: Guarantee,
    /// What the Story says of redelivery, and of packets in flight.
    planned: (Option<Redelivery>, usize),
    /// Bounds of the queue: one for everything, or one for each lane.
    bounds: [Load; Lane::COUNT],
    laned: bool,
    window_bound: Load,
    pause_pct: u8,
    resume_pct: u8,
    slots: VecDeque<Slot>,
    /// First slot that the present connection has not been sent.
    next: usize,
    next_ordinal: u64,
    /// Settled slots that still stand between others.
    settled: usize,
    queue: [Load; Lane::COUNT],
    window: Load,
    /// Ordinals to be sent again while connected.
    again: VecDeque<u64>,
    store: Store,
    partitions: Partitions,
    sets: Sets,
    /// Producers wait until the queue has drained.
    paused: bool,
}

impl Log {
    pub(crate) fn new(plan: &StepPlan, guarantee: Guarantee) -> Self {
        let all = Load {
            messages: plan.queue.max_messages.max(1),
            bytes: plan.queue.max_bytes.max(1),
        };
        let mut bounds = [all; Lane::COUNT];
        for lane in &plan.lanes {
            bounds[lane.lane as usize] = Load {
                messages: lane.bounds.max_messages.max(1),
                bytes: lane.bounds.max_bytes.max(1),
            };
        }
        let mut window_bound = all;
        if plan.flow.mode == FlowMode::Window {
            let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).max(1);
            window_bound.messages = size(plan.flow.grant.messages);
            window_bound.bytes = size(plan.flow.grant.bytes);
        }
        if let Some(most) = plan.flow.max_in_flight {
            window_bound.messages = window_bound.messages.min(most.max(1));
        }
        Self {
            guarantee,
            planned: (guarantee.redelivery, window_bound.messages),
            bounds,
            laned: !plan.lanes.is_empty(),
            window_bound,
            pause_pct: plan.flow.pause_pct,
            resume_pct: plan.flow.resume_pct,
            slots: VecDeque::new(),
            next: 0,
            next_ordinal: 0,
            settled: 0,
            queue: [Load::default(); Lane::COUNT],
            window: Load::default(),
            again: VecDeque::new(),
            store: Store::default(),
            partitions: Partitions::new(),
            sets: Sets::default(),
            paused: false,
        }
    }

    /// The next connection speaks `contract`. Engrams on the connector contract drop receipts that
    /// find their queue full: so few are in flight that it does not fill, and what is not receipted
    /// comes again (spec 2.4 rule 8, 3).
    pub(crate) fn speak(&mut self, contract: Contract) {
        let (redelivery, in_flight) = self.planned;
        (self.guarantee.redelivery, self.window_bound.messages) = match contract {
            Contract::Process => (redelivery, in_flight),
            Contract::Connector => (
                redelivery.or(Some(CONNECTOR_REDELIVERY)),
                in_flight.min(CONNECTOR_IN_FLIGHT),
            ),
        };
    }

    pub(crate) fn guarantee(&self) -> &Guarantee {
        &self.guarantee
    }

    /// Whether the queue has room for `len` bytes on `lane`.
    pub(crate) fn admits(&self, lane: Lane, len: usize) -> bool {
        let lane = self.lane(lane);
        self.queue[lane].admits(len, &self.bounds[lane])
    }

    /// Where the next packet of `partition` stands; `None` when there are too many partitions.
    pub(crate) fn place(&mut self, partition: &str) -> Option<Place> {
        let name = if self.guarantee.per_partition {
            partition
        } else {
            ""
        };
        let partition = self.partitions.index_or_new(name)?;
        Some(Place {
            partition,
            sequence: self.partitions.next_sequence(partition),
            set: None,
            head: true,
        })
    }

    /// What a chunk is to this log.
    pub(crate) fn judge_chunk(&self, key: SetKey<'_>, chunk: ChunkPlace) -> ChunkVerdict {
        self.sets.judge(key, chunk)
    }

    /// Opens the set of a first chunk, which `item` describes.
    pub(crate) fn open_set(&mut self, key: SetKey<'_>, chunk: ChunkPlace, item: Item) -> u32 {
        self.sets.open(key, chunk.count, item)
    }

    /// Bytes on the wire, and payload bytes, of what is staged of a set.
    pub(crate) fn staged(&self, set: u32) -> (usize, usize) {
        (self.sets.staged_bytes(set), self.sets.payload(set))
    }

    /// Keeps a chunk until the others of its set are here.
    pub(crate) fn stage(&mut self, set: u32, chunk: Staged, now: Moment) {
        self.sets.stage(set, chunk, now);
    }

    /// Takes note of a chunk, which is kept then, or its set is dropped with it.
    pub(crate) fn saw_chunk(&mut self, set: u32, key: SetKey<'_>, chunk: ChunkPlace) {
        self.sets.saw(set, chunk.index, key.origin);
    }

    /// Hands out the chunks of a set that is whole now, and the place at which to push them one by
    /// one; `None` when there are too many partitions, or the set is none.
    pub(crate) fn complete_set(&mut self, set: u32) -> Option<(Unstaged, Place)> {
        if self.sets.is_of_another_size(set) {
            return None;
        }
        let partition = self.sets.partition(set).to_owned();
        let place = self.place(&partition)?;
        Some((self.sets.complete(set)?, place))
    }

    /// Appends a packet of `len` bytes for which there is room, at the place that it was encoded
    /// for; `write` writes it.
    pub(crate) fn push(
        &mut self,
        (item, place): (Item, Place),
        len: usize,
        write: impl FnOnce(&mut Store),
    ) {
        let (start, len) = (self.store.end(), len as u32);
        write(&mut self.store);
        debug_assert_eq!(self.store.end() - start, u64::from(len));
        let ordinal = self.next_ordinal;
        self.next_ordinal += 1;
        if place.head {
            self.partitions.assign(place.partition, ordinal);
        }
        if let Some(set) = place.set {
            self.sets.joined(set, ordinal);
        }
        let lane = self.lane(item.lane);
        self.queue[lane].add(len);
        self.paused |= self.queue[lane].reaches(self.pause_pct, &self.bounds[lane]);
        self.slots.push_back(Slot {
            item,
            place,
            ordinal,
            start,
            len,
            deliveries: 0,
            sent_at: Moment::default(),
            settled: false,
        });
    }

    /// Notes that producers wait, whatever the fill says.
    pub(crate) fn pause(&mut self) {
        self.paused = true;
    }

    /// Whether producers are to wait.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether producers that waited may go on now; they are told once.
    pub(crate) fn resumes(&mut self) -> bool {
        let full =
            |(load, bound): (&Load, &Load)| load.reaches(self.resume_pct.saturating_add(1), bound);
        if !self.paused || self.queue.iter().zip(&self.bounds).any(full) {
            return false;
        }
        self.paused = false;
        true
    }

    /// Whether nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.len() == self.settled
    }

    /// Bytes that wait to be sent.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queue.iter().map(|load| load.bytes).sum()
    }

    /// Chunk sets that wait for chunks: edge and bytes of each.
    pub(crate) fn open_sets(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        self.sets.waiting()
    }

    /// Chunk sets of which anything is remembered.
    #[cfg(test)]
    pub(crate) fn known_sets(&self) -> usize {
        self.sets.known()
    }

    /// What is kept: edge, bytes, whether it is in flight, whether it stands for its sequence.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (u32, u32, bool, bool)> + '_ {
        let live = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| !slot.settled);
        live.map(|(at, slot)| (slot.item.edge, slot.len, at < self.next, slot.place.head))
    }

    /// Gives memory back when nothing is kept.
    pub(crate) fn rest(&mut self) {
        if self.slots.is_empty() {
            self.slots = VecDeque::new();
            self.store.rest();
            self.partitions.rest();
        }
    }

    fn lane(&self, lane: Lane) -> usize {
        if self.laned { lane as usize } else { 0 }
    }

    fn index_of(&self, ordinal: u64) -> Option<usize> {
        let first = self.slots.front()?.ordinal;
        let guess = usize::try_from(ordinal.checked_sub(first)?).ok()?;
        match self.slots.get(guess) {
            Some(slot) if slot.ordinal == ordinal => Some(guess),
            _ => self
                .slots
                .binary_search_by_key(&ordinal, |s| s.ordinal)
                .ok(),
        }
    }
}
