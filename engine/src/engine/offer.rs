//! One packet onto one edge.

use std::borrow::Cow;
use std::cell::OnceCell;

use bytes::{Bytes, BytesMut};
use transport_proto::splice::Kept;

use super::chunk_sets::keep_chunk;
use super::packet::Inbound;
use super::room::Room;
use super::{Actions, DeadLetter, Edge, Run};
use crate::account::DropReason;
use crate::decide::{Change, Cuts};
use crate::deliver::{
    ChunkPlace, Encoded, Entry, Hears, Item, Log, Origin, Outbox, Queue, SHARE_ABOVE, Session,
    Sink, starts_decoding, wire_len,
};
use crate::ids::Moment;
use crate::mutant::{self, Mutant};
use crate::route::Lane;

/// While this much waits for a connected step, a slice may pin a larger read buffer; past it, small
/// parts of large buffers are copied (spec 6).
const BACKLOG_THAT_MAY_PIN: usize = 256 * 1024;

/// What stays of a packet for those of its targets that take the same fields out.
pub(super) struct Shape<'a> {
    pub(super) kept: Cow<'a, Kept>,
    /// The same in a buffer of its own: made once, for all targets that must not pin the buffer it
    /// came in.
    copy: OnceCell<Bytes>,
}

impl<'a> Shape<'a> {
    #[inline]
    pub(super) fn new(kept: Cow<'a, Kept>) -> Self {
        Self {
            kept,
            copy: OnceCell::new(),
        }
    }
}

/// An edge, what it changes in the packet that takes it, and who hears what becomes of that.
#[derive(Clone, Copy)]
pub(super) struct Onto<'a> {
    pub(super) edge: u32,
    pub(super) change: Option<&'a Change>,
    pub(super) hears: Option<Hears>,
}

/// A packet on its way onto its edges.
pub(super) struct Offered<'a> {
    pub(super) inbound: &'a Inbound<'a>,
    /// For targets that change nothing.
    pub(super) shape: &'a Shape<'a>,
    /// For the others.
    pub(super) changed: &'a [(Cuts, Shape<'a>)],
    pub(super) targets: usize,
    pub(super) fits_pairs: bool,
    pub(super) lane: Lane,
    pub(super) turn: u64,
    /// Media time of its frame in milliseconds; 0 where it has none.
    pub(super) media_ms: u64,
    pub(super) origin: Option<Origin>,
    pub(super) chunk: Option<ChunkPlace>,
    pub(super) now: Moment,
}

/// Queues a packet on the best_effort edge `at`, or counts why not.
#[inline]
pub(super) fn queue(
    room: &mut Room<'_>,
    session: &mut Session,
    (edges, onto): (&mut [Edge], Onto<'_>),
    offered: &Offered<'_>,
) {
    let at = onto.edge as usize;
    edges[at].counts.accepted += 1;
    if let Err(reason) = try_queue(room, session, (edges, onto), offered) {
        edges[at].counts.drop_one(reason);
    }
}

#[inline]
fn try_queue(
    room: &mut Room<'_>,
    session: &mut Session,
    (edges, onto): (&mut [Edge], Onto<'_>),
    offered: &Offered<'_>,
) -> Result<(), DropReason> {
    let at = onto.edge;
    let edge = &edges[at as usize];
    offered.may_take(edge)?;
    let connected = session.owner.is_some();
    let Outbox::Lanes(lanes) = &mut session.outbox else {
        return Ok(());
    };
    let inbound = offered.inbound;
    let own = offered.own_tail(edge, onto, 0);
    let tail_len = own.as_deref().unwrap_or(edge.stamp.tail()).len();
    let shape = offered.shape(onto);
    let len = wire_len(shape.kept.len() + inbound.added() + tail_len);
    room.judge(len)?;
    let queue = lanes.of(offered.lane);
    let newcomer = Entry {
        edge: at,
        len: len as u32,
        at: offered.now,
        turn: offered.turn,
        lane: offered.lane,
        media_ms: offered.media_ms,
        is_key: !queue.is_keyed() || starts_decoding(inbound.view, inbound.packet),
        is_gone: false,
    };
    if !queue.fits(&newcomer) {
        give_way(room, queue, edges, &newcomer)?;
    }
    let tail = own.as_deref().unwrap_or(edges[at as usize].stamp.tail());
    let encoded = offered.encoded(shape, tail);
    // While little waits for a connected step, a slice may pin a larger read buffer.
    let backlog = if connected { queue.bytes() } else { usize::MAX };
    let may_pin = inbound.pinned <= len.saturating_mul(4) || backlog < BACKLOG_THAT_MAY_PIN;
    queue.push(newcomer, |spool| {
        offered.write((shape, &encoded), spool, may_pin)
    });
    *room.queued += len;
    Ok(())
}

/// Makes room for `newcomer` in a full queue by its overflow policy.
#[cold]
fn give_way(
    room: &mut Room<'_>,
    queue: &mut Queue,
    edges: &mut [Edge],
    newcomer: &Entry,
) -> Result<(), DropReason> {
    queue.make_room(newcomer, |entry| {
        *room.queued -= entry.len as usize;
        edges[entry.edge as usize]
            .counts
            .drop_one(DropReason::DropOldest);
    })
}

/// Keeps a packet on the at_least_once edge `at`, or counts why not; wakes its target, and asks
/// producers to hold back, where that is due. Returns whether the producer must wait for the edge
/// to settle it.
#[inline(never)]
pub(super) fn keep(
    room: &mut Room<'_>,
    live: &mut Run,
    (onto, actions): (Onto<'_>, &mut Actions),
    offered: &Offered<'_>,
) -> bool {
    let at = onto.edge;
    let edge = &mut live.edges[at as usize];
    let to = edge.to;
    let session = &mut live.sessions[to.at()];
    let Outbox::Log(log) = &mut session.outbox else {
        return false;
    };
    // What stands before it has woken the target already, or waits for window or credits, and
    // these wake it.
    let is_next = log.is_caught_up();
    let paused = log.is_paused();
    let kept = match offered.may_take(edge) {
        Ok(()) => try_keep(room, (log, edge), onto, offered),
        Err(reason) => {
            edge.counts.accepted += 1;
            Err(reason)
        }
    };
    let fills = !paused && log.is_paused();
    let outstanding = kept.unwrap_or_else(|reason| {
        edge.counts.drop_one(reason);
        room.dead_letters.push(DeadLetter {
            edge: at,
            reason,
            sequence: 0,
        });
        false
    });
    if is_next && log.may_send(&session.credit) {
        actions.wake.extend(session.owner);
    }
    if fills {
        live.hold_upstream(to, offered.now, actions);
    }
    outstanding
}

/// Returns whether the edge counts as one that must settle the packet; later chunks of a set are
/// settled with the first.
fn try_keep(
    room: &mut Room<'_>,
    (log, edge): (&mut Log, &mut Edge),
    onto: Onto<'_>,
    offered: &Offered<'_>,
) -> Result<bool, DropReason> {
    if let Some(chunk) = offered.chunk {
        return keep_chunk(room, (log, edge), (onto, chunk), offered);
    }
    let (view, packet) = (offered.inbound.view, offered.inbound.packet);
    let roughly = offered.inbound.len() + 256;
    if mutant::is(Mutant::SilentDropAtBound) && !log.admits(offered.lane, roughly) {
        return Ok(false);
    }
    edge.counts.accepted += 1;
    let partitioned = view.envelope().filter(|_| log.guarantee().per_partition);
    let own = partitioned.map_or("", |e| e.partition(packet));
    let given = onto.change.and_then(|change| change.partition.as_deref());
    let place = log
        .place(given.unwrap_or(own))
        .ok_or(DropReason::MaxBuffers)?;
    let own = offered.own_tail(edge, onto, place.sequence);
    let tail = match &own {
        Some(own) => own,
        None => edge.stamp.numbered_tail(place.sequence),
    };
    let shape = offered.shape(onto);
    let encoded = offered.encoded(shape, tail);
    let len = wire_len(encoded.packet_len());
    room.judge_kept(log, offered.lane, len)?;
    let may_pin = offered.inbound.pinned <= len.saturating_mul(4);
    log.push((offered.item(onto), place), len, |store| {
        offered.write((shape, &encoded), store, may_pin);
    });
    *room.queued += len;
    Ok(true)
}

impl Offered<'_> {
    /// It on its way onto an edge that changes this in it; its own producer hears of it.
    #[inline]
    pub(super) fn onto<'a>(&self, edge: u32, change: Option<&'a Change>) -> Onto<'a> {
        Onto {
            edge,
            change: change.filter(|change| !change.is_none()),
            hears: self.origin.map(Hears::One),
        }
    }

    /// Whether the edge takes it at all.
    #[inline]
    fn may_take(&self, edge: &Edge) -> Result<(), DropReason> {
        if edge.over_cap {
            return Err(DropReason::MaxDownstreams);
        }
        if !self.fits_pairs {
            return Err(DropReason::Invalid);
        }
        Ok(())
    }

    /// What a log is told of it.
    pub(super) fn item(&self, onto: Onto<'_>) -> Item {
        Item {
            edge: onto.edge,
            lane: self.lane,
            turn: self.turn,
            at: self.now,
            hears: onto.hears,
        }
    }

    /// Most bytes that it takes on the wire to the target of `edge`.
    pub(super) fn most_len(&self, edge: &Edge, change: Option<&Change>) -> usize {
        // What is written besides the packet's own bytes and the stamp: heads, a long sequence.
        const MOST_ADDED: usize = 32;
        let more = change.map_or(0, |change| {
            change.fields.len() + change.partition.as_ref().map_or(0, |p| p.len())
        });
        self.inbound.len() + edge.stamp.tail().len() + MOST_ADDED + more
    }

    /// What stays of it on an edge.
    #[inline]
    pub(super) fn shape(&self, onto: Onto<'_>) -> &Shape<'_> {
        match onto.change {
            None => self.shape,
            Some(change) => self.shape_without(change.cuts),
        }
    }

    fn shape_without(&self, cuts: Cuts) -> &Shape<'_> {
        let found = self.changed.iter().find(|(of, _)| *of == cuts);
        found.map_or(self.shape, |(_, shape)| shape)
    }

    /// The tail of a packet that does not get the one of its edge.
    #[inline]
    fn own_tail(&self, edge: &Edge, onto: Onto<'_>, sequence: u64) -> Option<BytesMut> {
        let inbound = self.inbound;
        if let Some(change) = onto.change {
            let at = (inbound.packet, inbound.view);
            let with = (&change.fields[..], change.partition.as_deref());
            return Some(edge.stamp.tail_with(at, sequence, with));
        }
        inbound.view.envelope_has_more().then(|| {
            let stamp = &edge.stamp;
            stamp.tail_with_envelope(inbound.packet, inbound.view, sequence)
        })
    }

    #[inline]
    fn encoded<'a>(&'a self, shape: &'a Shape<'_>, tail: &'a [u8]) -> Encoded<'a> {
        Encoded {
            source: self.inbound.source,
            start: self.inbound.start,
            view: self.inbound.view,
            kept: &shape.kept,
            parted: self.inbound.parted,
            tail,
        }
    }

    /// Writes the packet: small ones are copied; of large ones the bytes are shared between the
    /// targets, in the buffer that they came in when they `may_pin` it.
    #[inline]
    fn write(
        &self,
        (shape, encoded): (&Shape<'_>, &Encoded<'_>),
        sink: &mut impl Sink,
        may_pin: bool,
    ) {
        if shape.kept.len() <= SHARE_ABOVE && encoded.parted.is_none() {
            encoded.copy(sink, wire_len(encoded.packet_len()));
        } else {
            self.write_large((shape, encoded), sink, may_pin);
        }
    }

    #[inline(never)]
    fn write_large(
        &self,
        (shape, encoded): (&Shape<'_>, &Encoded<'_>),
        sink: &mut impl Sink,
        may_pin: bool,
    ) {
        // Pieces are long, and are charged for what they are.
        if may_pin || encoded.parted.is_some() {
            encoded.share(sink);
        } else if self.targets > 1 {
            let copy = shape.copy.get_or_init(|| encoded.kept_copy());
            encoded.share_copy(sink, copy.clone());
        } else {
            encoded.copy(sink, wire_len(encoded.packet_len()));
        }
    }
}
