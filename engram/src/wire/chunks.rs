//! Payloads that were cut into chunks, put together again (spec 1, 2.3).
//!
//! Owns the assemblies of one connection, bounded in number and bytes. Knows no clock:
//! whoever owns it tells when one is too old.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::message::StreamEnvelope;

/// Most chunks of one payload.
const MAX_CHUNKS: u32 = 256;
/// Most payloads that are being put together.
const MAX_ASSEMBLIES: usize = 256;
/// Most bytes of all of them.
const MAX_IN_FLIGHT: usize = 64 * 1024 * 1024;
/// An assembly without a new chunk for this long is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why a chunk cannot be used: a fault of its producer. What other payloads have
/// gathered stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// Chunk fields without a count.
    #[error("chunked publish request missing chunk_count")]
    NoCount,
    /// A chunk without its payload's name.
    #[error("chunked publish request missing chunk_id")]
    NoId,
    /// A chunk without a stream.
    #[error("chunked publish request missing stream_id")]
    NoStream,
    /// A chunk that is no binary frame.
    #[error("chunked publish request missing binary frame")]
    NoBinary,
    /// More chunks than 256.
    #[error("chunk_count {0} exceeds max chunks per assembly {MAX_CHUNKS}")]
    Count(u32),
    /// An index past the count.
    #[error("chunk_index {index} out of range (count {count})")]
    Index {
        /// From 0.
        index: u32,
        /// How many there are.
        count: u32,
    },
    /// Another count than earlier chunks told.
    #[error("chunk_count mismatch for {id}: {found} != {known}")]
    CountMismatch {
        /// The payload's name.
        id: String,
        /// What this chunk tells.
        found: u32,
        /// What the first told.
        known: u32,
    },
    /// A chunk of another length than it tells.
    #[error("chunk_bytes {told} does not match payload {found}")]
    Bytes {
        /// By the envelope.
        told: u32,
        /// By the frame.
        found: usize,
    },
    /// The whole has another length than was told.
    #[error("total_bytes {told} does not match assembled payload {found}")]
    Total {
        /// By the first envelope that tells it.
        told: u32,
        /// By the chunks.
        found: usize,
    },
    /// Other chunks of one payload tell another total.
    #[error("total_bytes mismatch for {id}: {found} != {known}")]
    TotalMismatch {
        /// The payload's name.
        id: String,
        /// What this chunk tells.
        found: u32,
        /// What was told before.
        known: u32,
    },
    /// A chunk without bytes.
    #[error("chunk {0} missing")]
    Missing(u32),
    /// More than 256 payloads at once.
    #[error("too many chunk assemblies in flight")]
    Assemblies,
    /// More than 64 MiB at once.
    #[error("chunk reassembly buffer exceeded ({0} > {MAX_IN_FLIGHT})")]
    InFlight(usize),
}

/// One chunk, or a payload that is whole.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Of the packet.
    pub envelope: StreamEnvelope,
    /// The binary frame's bytes; `None` where the frame is another.
    pub payload: Option<Bytes>,
}

/// What came of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assembly<T> {
    /// Others are missing.
    Waits,
    /// All are there: what came with the first of them, and the joined bytes.
    Complete(T, Bytes),
}

struct Gathering<T> {
    first: T,
    total_bytes: u32,
    chunks: Vec<Option<Bytes>>,
    present: usize,
    bytes: usize,
    touched: Duration,
}

/// Stream, partition, chunk id: not trimmed.
type Key = (String, String, String);

/// Puts chunks together.
pub struct Reassembler<T> {
    gatherings: HashMap<Key, Gathering<T>>,
    in_flight: usize,
}

impl<T> Default for Reassembler<T> {
    fn default() -> Self {
        Self {
            gatherings: HashMap::new(),
            in_flight: 0,
        }
    }
}

impl<T> Reassembler<T> {
    /// Takes a chunk at the time `now`; `extra` is given back with the whole when it is
    /// the first of its payload. `None` where the packet is no chunk at all.
    ///
    /// # Errors
    /// [`ChunkError`] where it fits nowhere; it is then forgotten.
    pub fn push(
        &mut self,
        chunk: &Chunk,
        extra: T,
        now: Duration,
    ) -> Result<Option<Assembly<T>>, ChunkError> {
        let envelope = &chunk.envelope;
        if !has_chunk_fields(envelope) {
            return Ok(None);
        }
        self.expire(now);
        let payload = judge(chunk)?;
        let key = (
            envelope.stream_id.clone(),
            envelope.partition.clone(),
            envelope.chunk_id.clone(),
        );
        self.gather(&key, envelope, extra, now)?;
        self.place(key, envelope, payload)
    }

    fn expire(&mut self, now: Duration) {
        let in_flight = &mut self.in_flight;
        self.gatherings.retain(|_, gathering| {
            let keep = now.saturating_sub(gathering.touched) < PATIENCE;
            if !keep {
                *in_flight -= gathering.bytes;
            }
            keep
        });
    }

    fn gather(
        &mut self,
        key: &Key,
        envelope: &StreamEnvelope,
        extra: T,
        now: Duration,
    ) -> Result<(), ChunkError> {
        let full = self.gatherings.len() >= MAX_ASSEMBLIES;
        match self.gatherings.entry(key.clone()) {
            Entry::Vacant(_) if full => Err(ChunkError::Assemblies),
            Entry::Vacant(place) => {
                place.insert(Gathering {
                    first: extra,
                    total_bytes: envelope.total_bytes,
                    chunks: vec![None; envelope.chunk_count as usize],
                    present: 0,
                    bytes: 0,
                    touched: now,
                });
                Ok(())
            }
            Entry::Occupied(mut place) => place.get_mut().agrees(envelope, now),
        }
    }

    fn place(
        &mut self,
        key: Key,
        envelope: &StreamEnvelope,
        payload: Bytes,
    ) -> Result<Option<Assembly<T>>, ChunkError> {
        let more = self.in_flight + payload.len();
        let Some(gathering) = self.gatherings.get_mut(&key) else {
            return Ok(Some(Assembly::Waits));
        };
        let Some(slot @ None) = gathering.chunks.get_mut(envelope.chunk_index as usize) else {
            return Ok(Some(Assembly::Waits));
        };
        if more > MAX_IN_FLIGHT {
            return Err(ChunkError::InFlight(more));
        }
        gathering.bytes += payload.len();
        gathering.present += 1;
        *slot = Some(payload);
        self.in_flight = more;
        if gathering.present < gathering.chunks.len() {
            return Ok(Some(Assembly::Waits));
        }
        let Some(gathering) = self.gatherings.remove(&key) else {
            return Ok(Some(Assembly::Waits));
        };
        self.in_flight -= gathering.bytes;
        let whole = gathering.join()?;
        Ok(Some(Assembly::Complete(gathering.first, whole)))
    }
}

impl<T> Gathering<T> {
    /// Compares a further chunk with the first.
    fn agrees(&mut self, envelope: &StreamEnvelope, now: Duration) -> Result<(), ChunkError> {
        let known = self.chunks.len() as u32;
        if envelope.chunk_count != known {
            return Err(ChunkError::CountMismatch {
                id: envelope.chunk_id.clone(),
                found: envelope.chunk_count,
                known,
            });
        }
        let (found, told) = (envelope.total_bytes, self.total_bytes);
        if found != 0 && told != 0 && found != told {
            return Err(ChunkError::TotalMismatch {
                id: envelope.chunk_id.clone(),
                found,
                known: told,
            });
        }
        self.touched = now;
        Ok(())
    }

    fn join(&self) -> Result<Bytes, ChunkError> {
        let mut whole = BytesMut::with_capacity(self.bytes);
        for (index, chunk) in self.chunks.iter().enumerate() {
            match chunk {
                Some(chunk) if !chunk.is_empty() => whole.extend_from_slice(chunk),
                _ => return Err(ChunkError::Missing(index as u32)),
            }
        }
        if self.total_bytes != 0 && self.total_bytes as usize != whole.len() {
            return Err(ChunkError::Total {
                told: self.total_bytes,
                found: whole.len(),
            });
        }
        Ok(whole.freeze())
    }
}

fn has_chunk_fields(envelope: &StreamEnvelope) -> bool {
    !envelope.chunk_id.is_empty()
        || envelope.chunk_index != 0
        || envelope.chunk_count != 0
        || envelope.chunk_bytes != 0
        || envelope.total_bytes != 0
}

/// Judges a chunk on its own; gives its bytes.
fn judge(chunk: &Chunk) -> Result<Bytes, ChunkError> {
    let envelope = &chunk.envelope;
    let (index, count) = (envelope.chunk_index, envelope.chunk_count);
    let payload = chunk.payload.as_ref();
    if envelope.chunk_id.trim().is_empty() {
        Err(ChunkError::NoId)
    } else if envelope.stream_id.trim().is_empty() {
        Err(ChunkError::NoStream)
    } else if count == 0 {
        Err(ChunkError::NoCount)
    } else if count > MAX_CHUNKS {
        Err(ChunkError::Count(count))
    } else if index >= count {
        Err(ChunkError::Index { index, count })
    } else if let Some(payload) = payload {
        let told = envelope.chunk_bytes;
        if told != 0 && told as usize != payload.len() {
            let found = payload.len();
            return Err(ChunkError::Bytes { told, found });
        }
        Ok(payload.clone())
    } else {
        Err(ChunkError::NoBinary)
    }
}
