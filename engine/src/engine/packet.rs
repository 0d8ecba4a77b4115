//! The hot path: one packet in, onto every edge of its step; bytes out to a socket.

use std::borrow::Cow;

use bytes::Bytes;
use transport_proto::limits::MAX_METADATA_PAIRS;
use transport_proto::names::{metadata as names, mime};
use transport_proto::splice::{Cut, Kept, Parted};
use transport_proto::view::{FrameKind, PacketView};

use super::fan_out::FanOut;
use super::interrupt::Interrupt;
use super::numbered::Numbered;
use super::{Actions, Engine, Run};
use crate::account::RefuseReason;
use crate::deliver::{ChunkPlace, Encoded};
use crate::ids::{ConnId, Moment, RunId, StepIndex};
use crate::route::{Lane, ROUTING_KEYS};

/// What is cut out of every packet: the engine writes these anew for each target.
pub const CUT: Cut<'static> = Cut {
    metadata_keys: &ROUTING_KEYS,
    envelope: true,
    inputs: false,
    payload: false,
    frame: false,
};

/// Most chunks of one payload: what is remembered of a set grows with the chunks that come, and 10
/// MiB in pieces of 160 bytes is as far as that needs to go.
const MAX_CHUNKS: u32 = 65_536;

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
    /// What stays of `packet` once [`CUT`] is taken out, where that is known already.
    pub kept: Option<&'a Kept>,
    /// Its media, where that is left in pieces; the packet is a skeleton then.
    pub parted: Option<&'a Parted>,
    /// Size in bytes of the allocation that a slice of `source` keeps alive.
    pub pinned: usize,
}

/// What became of a packet that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a blocked packet was not taken: it must be offered again"]
pub enum Taken {
    /// It is routed, or counted as refused or dropped.
    Yes,
    /// An at_least_once edge has no room: nothing happened. The connection is named in
    /// [`Actions::resume`] once it may be offered again; nothing of it is to be read until then.
    Blocked,
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
    ) -> Taken {
        let Some((run, step)) = self.owner(conn) else {
            self.refused.refuse_one(RefuseReason::Superseded);
            return Taken::Yes;
        };
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return Taken::Yes;
        };
        // What engrams make of packets that are on their way is still taken: those count as
        // receipted, and an engram that does not number what it sends never sends it again.
        if self.draining && live.upstream[step.at()].is_empty() {
            self.refused.refuse_one(RefuseReason::Shutdown);
            return Taken::Yes;
        }
        if live.is_ending() {
            self.refused.refuse_one(RefuseReason::Ended);
            return Taken::Yes;
        }
        let view = inbound.view;
        let numbered = Numbered::of(live, step, view);
        if let Some(n) = numbered
            && live.has_routed(n)
        {
            // Resent: the producer has not heard that this one is on its way, or settled.
            let session = &mut live.sessions[step.at()];
            let idle = session.is_idle(now);
            if let Some(producer) = session.producer_at(n.origin.producer) {
                producer.tell_again();
            }
            if idle {
                actions.wake.push(conn);
            }
            return Taken::Yes;
        }
        if let Some(parted) = inbound.parted
            && !live.hands_on_in_pieces(step, &inbound)
        {
            return self.packet_joined((conn, parted), inbound, now, actions);
        }
        let refusal = if !view.is_sound() || is_no_chunk(view) {
            Some(RefuseReason::Invalid)
        } else if view.is_heartbeat(inbound.packet) {
            self.forward_heartbeat((run, step), inbound, now, actions);
            return Taken::Yes;
        } else {
            None
        };
        if let Some(reason) = refusal {
            self.refused.refuse_one(reason);
            self.tell_refusal((run, step), (reason, view), now);
            self.note((run, step), (numbered, 0, 0), now, actions);
            return Taken::Yes;
        }
        if view.frame().is_none()
            && view
                .metadata_bytes(inbound.packet, names::HUB_CONTROL)
                .is_some()
        {
            self.control((run, step), inbound, now, actions);
            self.note((run, step), (numbered, 0, 0), now, actions);
            return Taken::Yes;
        }
        self.route((run, step), (conn, inbound, numbered), now, actions)
    }

    /// Routes a packet that is in order.
    fn route(
        &mut self,
        (run, step): (RunId, StepIndex),
        (conn, inbound, numbered): (ConnId, Inbound<'_>, Option<Numbered>),
        now: Moment,
        actions: &mut Actions,
    ) -> Taken {
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return Taken::Yes;
        };
        // One whose packets can only end the run still decides on them.
        if live.downstream[step.at()].is_empty() && live.programs[step.at()].is_none() {
            self.refused.refuse_one(RefuseReason::NoRoute);
            self.note((run, step), (numbered, 0, 0), now, actions);
            return Taken::Yes;
        }
        let lane = lane_of(&inbound);
        let turn = live.turn_of(step, &inbound);
        if turn < live.floors[lane as usize] {
            // What may have been decided on it is for no other packet.
            live.sessions[step.at()].decided.clear();
            self.refused.refuse_one(RefuseReason::Interrupted);
            self.note((run, step), (numbered, 0, 0), now, actions);
            return Taken::Yes;
        }
        if live.plan.cancel_previous && turn > live.highest_floor() {
            self.interrupt_run(run, Interrupt { turn, lane: None }, now, actions);
        }
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return Taken::Yes;
        };
        live.sessions[step.at()].turn = live.sessions[step.at()].turn.max(turn);
        let way = FanOut {
            at: (run, step),
            numbered,
            lane,
            turn,
            now,
        };
        if live.programs[step.at()].is_none() {
            return self.fan_out::<false>(&way, (&inbound, None), actions);
        }
        self.decide_and_fan_out(conn, &way, &inbound, actions)
    }

    /// A heartbeat refreshes its own liveness (the shell sees to that) and goes on to connected
    /// dependents, best effort, never queued for an absent one (spec 2.6).
    fn forward_heartbeat(
        &mut self,
        (run, step): (RunId, StepIndex),
        inbound: Inbound<'_>,
        now: Moment,
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
            let idle = session.is_idle(now);
            let encoded = Encoded {
                source: inbound.source,
                start: inbound.start,
                view: inbound.view,
                kept: &kept,
                parted: None,
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

impl Run {
    /// The turn that a packet names, else its stream's current one (spec 2.5).
    fn turn_of(&self, step: StepIndex, inbound: &Inbound<'_>) -> u64 {
        let named = inbound.view.metadata_bytes(inbound.packet, names::TURN);
        let named = named.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        named.unwrap_or(self.sessions[step.at()].turn)
    }
}

/// The lane of a packet: that of its frame; structured packets and such without one are payload.
fn lane_of(inbound: &Inbound<'_>) -> Lane {
    match inbound.view.frame() {
        Some(FrameKind::Audio) => Lane::Audio,
        Some(FrameKind::Video) => Lane::Video,
        Some(FrameKind::Binary) => match inbound.view.mime_type(inbound.packet) {
            Some(mime::PACKET_JSON) => Lane::Payload,
            _ => Lane::Binary,
        },
        None => Lane::Payload,
    }
}

pub(super) fn chunk_of(view: &PacketView) -> Option<ChunkPlace> {
    let envelope = view.envelope().filter(|e| e.is_chunk())?;
    Some(ChunkPlace {
        index: envelope.chunk_index(),
        count: envelope.chunk_count(),
    })
}

/// Only binary frames are chunked; chunk fields elsewhere are legal bytes and no packet (spec 1).
/// Neither is a chunk of a payload in more pieces than anybody makes.
fn is_no_chunk(view: &PacketView) -> bool {
    view.envelope()
        .filter(|envelope| envelope.is_chunk())
        .is_some_and(|e| view.frame() != Some(FrameKind::Binary) || e.chunk_count() > MAX_CHUNKS)
}

/// What stays of a packet for every target.
#[inline]
pub(super) fn kept_of<'a>(inbound: &Inbound<'a>) -> Cow<'a, Kept> {
    inbound
        .kept
        .map_or_else(|| Cow::Owned(found(inbound)), Cow::Borrowed)
}

#[inline(never)]
fn found(inbound: &Inbound<'_>) -> Kept {
    Kept::of(inbound.packet, inbound.view, &CUT)
}

/// Whether the packet still has at most 100 metadata pairs once the hub's own are on it.
#[inline]
pub(super) fn fits_pairs(inbound: &Inbound<'_>) -> bool {
    inbound.view.metadata_entries() + ROUTING_KEYS.len() <= MAX_METADATA_PAIRS
        || fits_distinct_pairs(inbound)
}

#[cold]
fn fits_distinct_pairs(inbound: &Inbound<'_>) -> bool {
    let distinct = inbound.view.distinct_metadata(inbound.packet);
    let cut = CUT.pairs_in(inbound.packet, inbound.view);
    distinct - cut.min(distinct) + ROUTING_KEYS.len() <= MAX_METADATA_PAIRS
}
