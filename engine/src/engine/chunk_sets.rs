//! One chunk onto one at_least_once edge.

use bytes::Bytes;

use super::Edge;
use super::offer::{Offered, Onto};
use super::packet::Inbound;
use super::room::Room;
use crate::account::DropReason;
use crate::deliver::{
    ChunkPlace, ChunkVerdict, Encoded, Log, Place, SHARE_ABOVE, SetKey, Staged, wire_len,
};

/// Most bytes of chunks, of all streams, that wait for the others of their sets (spec 2.3).
const MAX_STAGED_BYTES: usize = 64 * 1024 * 1024;

/// Keeps a chunk until its set is whole, and then the set, as one packet (spec 2.3, chunks).
pub(super) fn keep_chunk(
    room: &mut Room<'_>,
    (log, edge): (&mut Log, &mut Edge),
    (onto, chunk): (Onto<'_>, ChunkPlace),
    offered: &Offered<'_>,
) -> Result<bool, DropReason> {
    let at = onto.edge;
    let key = offered.set_key(at);
    let verdict = log.judge_chunk(key, chunk);
    let (set, is_first) = match verdict {
        ChunkVerdict::Ignore => return Ok(false),
        ChunkVerdict::More(set) | ChunkVerdict::Last(set) => (set, false),
        // One too many is dropped like every other: once, and with what still comes of it.
        ChunkVerdict::First | ChunkVerdict::TooMany => {
            edge.counts.accepted += 1;
            (log.open_set(key, chunk, offered.item(onto)), true)
        }
    };
    let len = offered.most_len(edge, onto.change);
    let (staged, payload) = log.staged(set);
    let is_last = chunk.count <= 1 || matches!(verdict, ChunkVerdict::Last(_));
    let judged = if verdict == ChunkVerdict::TooMany {
        Err(DropReason::MaxBuffers)
    } else if payload + offered.inbound.view.media_len() > room.max_message {
        Err(DropReason::Oversize)
    } else if is_last {
        room.judge_kept(log, offered.lane, staged + len)
            .or_else(|reason| match reason {
                // Of the set, no single message is as large as all of them.
                DropReason::Oversize => Ok(()),
                other => Err(other),
            })
            .and_then(|()| room.judge_size(len))
    } else if *room.staged + len > MAX_STAGED_BYTES {
        Err(DropReason::MaxBuffers)
    } else {
        room.judge_size(len)
    };
    log.saw_chunk(set, key, chunk);
    if let Err(reason) = judged {
        log.drop_set(set, reason, room.settled);
        return Ok(is_first);
    }
    log.stage(set, offered.staged(onto, len), offered.now);
    *room.staged += len;
    if is_last {
        push_set(room, (log, edge), set);
    }
    Ok(is_first)
}

/// Appends a set that is whole now: its chunks one by one, under one sequence.
fn push_set(room: &mut Room<'_>, (log, edge): (&mut Log, &mut Edge), set: u32) {
    let Some((whole, place)) = log.complete_set(set) else {
        log.drop_set(set, DropReason::MaxBuffers, room.settled);
        return;
    };
    *room.staged -= whole.bytes;
    for (nth, chunk) in whole.chunks.iter().enumerate() {
        let change = chunk.change.as_ref();
        let with = change.map(|c| (&c.fields[..], c.partition.as_deref()));
        let at = (&chunk.packet[..], &chunk.view);
        let tail = edge
            .stamp
            .tail_with(at, place.sequence, with.unwrap_or_default());
        let encoded = Encoded {
            source: &chunk.packet,
            start: 0,
            view: &chunk.view,
            kept: &chunk.kept,
            parted: None,
            tail: &tail,
        };
        let len = wire_len(encoded.packet_len());
        let place = Place {
            set: Some(set),
            head: nth == 0,
            ..place
        };
        log.push((whole.item, place), len, |store| {
            if chunk.kept.len() <= SHARE_ABOVE {
                encoded.copy(store, len);
            } else {
                encoded.share(store);
            }
        });
        *room.queued += len;
    }
}

impl Offered<'_> {
    /// The set that it is a chunk of.
    pub(super) fn set_key(&self, edge: u32) -> SetKey<'_> {
        let envelope = self.inbound.view.envelope();
        SetKey {
            edge,
            id: envelope.map_or("", |e| e.chunk_id(self.inbound.packet)),
            origin: self.origin,
        }
    }

    /// It and what is known of it, to be kept while its set is not whole.
    fn staged(&self, onto: Onto<'_>, len: usize) -> Staged {
        let Inbound {
            source,
            start,
            packet,
            view,
            pinned,
            ..
        } = *self.inbound;
        let packet = if pinned <= len.saturating_mul(4) {
            source.slice(start..start + packet.len())
        } else {
            Bytes::copy_from_slice(packet)
        };
        Staged {
            packet,
            view: view.clone(),
            kept: self.shape(onto).kept.clone().into_owned(),
            change: onto.change.cloned(),
            len,
        }
    }
}
