//! The hot path: one packet in, onto every edge of its step; bytes out to a socket.

use std::cell::OnceCell;

use bytes::Bytes;
use transport_proto::limits::MAX_METADATA_PAIRS;
use transport_proto::splice::{Cut, GRPC_HEAD_LEN, Kept};
use transport_proto::view::{FrameKind, PacketView};

use super::connect::drop_aged;
use super::{Actions, Edge, Engine};
use crate::account::{DropReason, RefuseReason};
use crate::deliver::{Encoded, Entry, Pieces, SHARE_ABOVE, Session, wire_len};
use crate::ids::{ConnId, Moment, RunId};
use crate::route::ROUTING_KEYS;

/// While this much waits for a connected step, a slice may pin a larger read buffer; past it, small
/// parts of large buffers are copied (spec 6).
const BACKLOG_THAT_MAY_PIN: usize = 256 * 1024;

/// What is cut out of every packet: the hub writes these anew for each target.
const CUT: Cut<'static> = Cut {
    metadata_keys: &ROUTING_KEYS,
    envelope: true,
    inputs: false,
    payload: false,
    frame: false,
};

/// One packet as it came in.
#[derive(Clone, Copy)]
pub struct Inbound<'a> {
    /// The buffer that holds it.
    pub source: &'a Bytes,
    /// Where the packet (not its message) starts in `source`; it ends where the view ended.
    pub start: usize,
    /// The packet's bytes.
    pub packet: &'a [u8],
    /// The result of walking `packet`.
    pub view: &'a PacketView,
    /// Size in bytes of the allocation that a slice of `source` keeps alive.
    pub pinned: usize,
}

impl Engine {
    /// Routes one packet of `conn` onto every edge of its step. Never fails: what cannot be routed
    /// is counted with its reason.
    pub fn packet(
        &mut self,
        conn: ConnId,
        inbound: Inbound<'_>,
        now: Moment,
        actions: &mut Actions,
    ) {
        let Some((run, step)) = self.owner(conn) else {
            return self.refused.refuse_one(RefuseReason::Superseded);
        };
        if self.draining {
            return self.refused.refuse_one(RefuseReason::Shutdown);
        }
        if !inbound.view.is_sound() || chunk_without_binary(inbound.view) {
            return self.refused.refuse_one(RefuseReason::Invalid);
        }
        if inbound.view.is_heartbeat(inbound.packet) {
            return self.forward_heartbeat((run, step), inbound, actions);
        }
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let downstream = &live.downstream[step.at()];
        if downstream.is_empty() {
            return self.refused.refuse_one(RefuseReason::NoRoute);
        }
        let kept = kept_of(&inbound);
        let pairs_fit = fits_pairs(&inbound);
        let offered = Offered {
            inbound: &inbound,
            kept: &kept,
            targets: downstream.len(),
            copy: OnceCell::new(),
            now,
        };
        let mut room = Room {
            max_message: self.limits.max_message_bytes,
            budget: self.limits.queue_budget_bytes,
            queued: &mut self.queued_bytes,
        };
        for &at in downstream {
            let edge = &mut live.edges[at as usize];
            edge.counts.accepted += 1;
            let session = &mut live.sessions[edge.to.at()];
            let outcome = if pairs_fit {
                offer(&mut room, session, (&mut live.edges, at), &offered)
            } else {
                Err(DropReason::Invalid)
            };
            match outcome {
                Ok(true) => actions.wake.extend(session.owner),
                Ok(false) => {}
                Err(reason) => live.edges[at as usize].counts.drop_one(reason),
            }
        }
    }

    /// Bytes that wait for `conn`, heartbeats left out.
    pub fn waiting(&self, conn: ConnId) -> usize {
        let session = self.owner(conn).and_then(|(run, step)| {
            self.runs
                .get(run.0 as usize)
                .and_then(|r| r.sessions.get(step.at()))
        });
        session.map_or(0, |s| s.queue.bytes())
    }

    /// Moves what waits for `conn` into `out`, whole messages up to about `budget` bytes, oldest
    /// first, heartbeats before all. Returns the bytes moved; 0 when nothing waits.
    pub fn take(&mut self, conn: ConnId, budget: usize, now: Moment, out: &mut Pieces) -> usize {
        let Some((run, step)) = self.owner(conn) else {
            return 0;
        };
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return 0;
        };
        if live.sessions[step.at()].queue.bounds().max_age.is_some() {
            let (_, bytes) = drop_aged(live, step, &self.limits, now);
            self.queued_bytes -= bytes;
        }
        let session = &mut live.sessions[step.at()];
        let edges = &mut live.edges;
        let control = session.take_control(out);
        let media = session.queue.take(budget, out, |entry, count| {
            let edge = &mut edges[entry.edge as usize];
            edge.counts.delivered += count;
            edge.forward.record(now.since(entry.at), count);
        });
        self.queued_bytes -= media;
        control + media
    }

    /// A heartbeat refreshes its own liveness (the shell sees to that) and goes on to connected
    /// dependents, best effort, never queued for an absent one (spec 2.6).
    fn forward_heartbeat(
        &mut self,
        (run, step): (RunId, crate::ids::StepIndex),
        inbound: Inbound<'_>,
        actions: &mut Actions,
    ) {
        self.heartbeats.received += 1;
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return;
        };
        let kept = kept_of(&inbound);
        for &at in &live.downstream[step.at()] {
            let edge = &live.edges[at as usize];
            let session = &mut live.sessions[edge.to.at()];
            let (Some(owner), false) = (session.owner, edge.over_cap) else {
                continue;
            };
            let idle = session.is_idle();
            let encoded = Encoded {
                source: inbound.source,
                start: inbound.start,
                kept: &kept,
                tail: edge.stamp.tail(),
            };
            if session.push_control(&encoded.to_message()) {
                self.heartbeats.forwarded += 1;
                if idle {
                    actions.wake.push(owner);
                }
            }
        }
    }
}

/// The limits that hold across queues.
struct Room<'a> {
    max_message: usize,
    budget: usize,
    queued: &'a mut usize,
}

/// A packet on its way onto its edges.
struct Offered<'a> {
    inbound: &'a Inbound<'a>,
    kept: &'a Kept,
    targets: usize,
    /// What is kept, in a buffer of its own: made once, for all targets that must not pin the
    /// buffer it came in.
    copy: OnceCell<Bytes>,
    now: Moment,
}

/// Queues a packet for the target of the edge at `at`. `Ok(true)` when the target had nothing
/// waiting before.
#[inline]
fn offer(
    room: &mut Room<'_>,
    session: &mut Session,
    (edges, at): (&mut [Edge], u32),
    offered: &Offered<'_>,
) -> Result<bool, DropReason> {
    let edge = &edges[at as usize];
    if edge.over_cap {
        return Err(DropReason::MaxDownstreams);
    }
    let inbound = offered.inbound;
    let own = inbound
        .view
        .envelope_has_more()
        .then(|| edge.stamp.tail_with_envelope(inbound.packet, inbound.view));
    let tail_len = own.as_deref().unwrap_or(edge.stamp.tail()).len();
    let len = wire_len(offered.kept.len() + tail_len);
    // The limit is that of the message; the gRPC prefix before it does not count.
    if len - GRPC_HEAD_LEN > room.max_message {
        return Err(DropReason::Oversize);
    }
    if *room.queued + len > room.budget && *room.queued > 0 {
        return Err(DropReason::Budget);
    }
    let idle = session.is_idle();
    if !session.queue.fits(len) {
        give_way(room, session, edges, len)?;
    }
    let encoded = Encoded {
        source: inbound.source,
        start: inbound.start,
        kept: offered.kept,
        tail: own.as_deref().unwrap_or(edges[at as usize].stamp.tail()),
    };
    let entry = Entry {
        edge: at,
        len: len as u32,
        at: offered.now,
    };
    if offered.kept.len() > SHARE_ABOVE {
        push_large(session, &encoded, entry, offered);
    } else {
        session.queue.push(&encoded, entry);
    }
    *room.queued += len;
    Ok(idle)
}

/// Queues a packet whose bytes are shared between the targets, unless there is but one and it may
/// not pin the buffer that they came in.
#[inline(never)]
fn push_large(session: &mut Session, encoded: &Encoded<'_>, entry: Entry, offered: &Offered<'_>) {
    if may_pin(session, offered.inbound.pinned, entry.len as usize) {
        session.queue.push_shared(encoded, entry);
    } else if offered.targets > 1 {
        let copy = offered.copy.get_or_init(|| encoded.kept_copy());
        session.queue.push_copy(encoded, copy.clone(), entry);
    } else {
        session.queue.push(encoded, entry);
    }
}

/// Makes room for `len` bytes in a full queue by its overflow policy.
#[cold]
fn give_way(
    room: &mut Room<'_>,
    session: &mut Session,
    edges: &mut [Edge],
    len: usize,
) -> Result<(), DropReason> {
    session.queue.make_room(len, |entry| {
        *room.queued -= entry.len as usize;
        edges[entry.edge as usize]
            .counts
            .drop_one(DropReason::DropOldest);
    })
}

/// Whether a packet of `len` bytes may keep the `pinned` bytes of its buffer alive (spec 6).
fn may_pin(session: &Session, pinned: usize, len: usize) -> bool {
    pinned <= len.saturating_mul(4)
        || (session.owner.is_some() && session.queue.bytes() < BACKLOG_THAT_MAY_PIN)
}

/// Only binary frames are chunked; chunk fields elsewhere are legal bytes and no packet (spec 1).
fn chunk_without_binary(view: &PacketView) -> bool {
    view.frame() != Some(FrameKind::Binary) && view.envelope().is_some_and(|e| e.is_chunk())
}

/// What stays of a packet for every target.
#[inline(never)]
fn kept_of(inbound: &Inbound<'_>) -> Kept {
    Kept::of(inbound.packet, inbound.view, &CUT)
}

/// Whether the packet still has at most 100 metadata pairs once the hub's own are on it.
#[inline]
fn fits_pairs(inbound: &Inbound<'_>) -> bool {
    inbound.view.metadata_entries() + ROUTING_KEYS.len() <= MAX_METADATA_PAIRS
        || fits_distinct_pairs(inbound)
}

#[cold]
fn fits_distinct_pairs(inbound: &Inbound<'_>) -> bool {
    let distinct = inbound.view.distinct_metadata(inbound.packet);
    let cut = CUT.pairs_in(inbound.packet, inbound.view);
    distinct - cut.min(distinct) + ROUTING_KEYS.len() <= MAX_METADATA_PAIRS
}
