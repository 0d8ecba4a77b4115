//! The chunk sets that an engram is putting together: what contradicts the chunks before it ends the
//! engram's session, so it must not reach one (spec 2.8, 3).
//!
//! Owns what the chunks that went to one session said of their sets. Bounded as the engram is: what
//! would be too much for it is too much here.

use std::collections::VecDeque;
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

/// Sets of one session that are not whole, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Assemblies(VecDeque<Assembly>);

#[derive(Debug)]
struct Assembly {
    stream_id: Box<str>,
    partition: Box<str>,
    chunk_id: Box<str>,
    count: u32,
    /// Bytes of the payload, where a chunk has said so; else 0.
    total: u32,
    /// Bytes of the chunks that went.
    bytes: u32,
    /// By index.
    went: [bool; MAX_CHUNK_COUNT as usize],
    last: Moment,
}

impl Assemblies {
    /// Whether a chunk, sound by itself, goes with those of its set that went before it, and takes
    /// note of it.
    ///
    /// # Errors
    /// [`Unfit`] where it contradicts them, or is more than an engram takes.
    pub(super) fn admit(
        &mut self,
        (packet, view): (&[u8], &PacketView),
        now: Moment,
    ) -> Result<(), Unfit> {
        let Some(envelope) = view.envelope().filter(|envelope| envelope.is_chunk()) else {
            return Ok(());
        };
        self.0.retain(|set| now.since(set.last) < REMEMBERED);
        let key = (
            envelope.stream_id(packet),
            envelope.partition(packet),
            envelope.chunk_id(packet),
        );
        let held: u64 = self.0.iter().map(|set| u64::from(set.bytes)).sum();
        let place = self.0.iter().position(|set| set.key() == key);
        let is_new = place.is_none();
        if is_new && self.0.len() >= MOST_SETS {
            return Err(Unfit::invalid(
                "more chunk sets at once than an engram takes",
            ));
        }
        let place = place.unwrap_or(self.0.len());
        if is_new {
            self.0.push_back(Assembly::new(key, envelope.chunk_count()));
        }
        let Some(set) = self.0.get_mut(place) else {
            return Ok(());
        };
        let len = u32::try_from(view.media_len()).unwrap_or(u32::MAX);
        let said = (envelope.chunk_count(), envelope.total_bytes());
        let went = set.take(said, (envelope.chunk_index(), len), held);
        set.last = now;
        if set.is_whole() || is_new && went.is_err() {
            self.0.remove(place);
        }
        went.map_err(Unfit::invalid)
    }
}

impl Assembly {
    fn new((stream_id, partition, chunk_id): (&str, &str, &str), count: u32) -> Self {
        Self {
            stream_id: stream_id.into(),
            partition: partition.into(),
            chunk_id: chunk_id.into(),
            count,
            total: 0,
            bytes: 0,
            went: [false; MAX_CHUNK_COUNT as usize],
            last: Moment::default(),
        }
    }

    fn key(&self) -> (&str, &str, &str) {
        (&self.stream_id, &self.partition, &self.chunk_id)
    }

    fn is_whole(&self) -> bool {
        self.went.iter().filter(|went| **went).count() == self.count as usize
    }

    fn take(
        &mut self,
        (count, total): (u32, u32),
        (index, len): (u32, u32),
        held: u64,
    ) -> Result<(), &'static str> {
        if count != self.count {
            return Err("a chunk of another count than those before it");
        }
        if total != 0 && self.total != 0 && total != self.total {
            return Err("a chunk of another total than those before it");
        }
        let Some(went) = self.went.get_mut(index as usize) else {
            return Err("a chunk beyond its count");
        };
        if *went {
            // The engram has it, and ignores it.
            return Ok(());
        }
        let bytes = self.bytes.saturating_add(len);
        let total = total.max(self.total);
        *went = true;
        let is_whole = self.is_whole();
        let fits = bytes <= MAX_REASSEMBLED && held + u64::from(len) <= MOST_BYTES;
        if !fits || total != 0 && (bytes > total || is_whole && bytes != total) {
            if let Some(went) = self.went.get_mut(index as usize) {
                *went = false;
            }
            return Err("chunks of more or less than the payload that they say");
        }
        (self.bytes, self.total) = (bytes, total);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
