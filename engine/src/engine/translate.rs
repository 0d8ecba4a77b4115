//! Bytes out to a client on the connector contract: what waits, translated as it leaves.

use bytes::Bytes;
use smallvec::SmallVec;
use transport_proto::splice::GRPC_HEAD_LEN;

use super::{Edge, Engine, Run};
use crate::deliver::{Encoder, Manner, Outbox, Pieces, Settled, Towards, Unfit};
use crate::ids::{Moment, RunId, StepIndex};

/// A packet on its way out.
#[derive(Clone, Copy)]
struct Leaving {
    edge: u32,
    at: Moment,
    len: usize,
    /// Its place in a log, and whether it was sent before.
    kept: Option<(u64, bool)>,
}

/// What a translated take leaves behind.
#[derive(Default)]
pub(super) struct Left {
    /// Bytes that were moved out, as the client gets them.
    pub(super) moved: usize,
    /// Bytes that no longer wait on best_effort edges.
    pub(super) freed: usize,
}

impl Engine {
    /// Moves what may be sent to the owner of `step` into `out`, as `DataResponse`s. Control that
    /// travels among packets is left out: it has a channel of its own.
    pub(super) fn take_translated(
        &mut self,
        (run, step): (RunId, StepIndex),
        budget: usize,
        now: Moment,
        out: &mut Pieces,
    ) -> Left {
        let mut left = Left::default();
        let Some(live) = self.runs.get_mut(run.0 as usize) else {
            return left;
        };
        let encoder = &mut self.encoder;
        let manner = |numbered| Manner {
            numbered,
            max_message: self.limits.max_message_bytes,
        };
        left.moved += heartbeats(live, step, now, (encoder, manner(false)), out);
        loop {
            let (mut raw, mut leaving) = (Pieces::new(), SmallVec::<[Leaving; 16]>::new());
            let freed = gather(live, step, (budget, now), &mut raw, &mut leaving);
            if leaving.is_empty() {
                return left;
            }
            left.freed += freed;
            let mut raw = Reader::new(raw);
            for packet in leaving {
                let message = raw.next(packet.len);
                if has_ended(live, (step, packet)) {
                    live.sessions[step.at()].credit.regain(packet.len);
                    continue;
                }
                // Of at_least_once edges a set goes as one, and contradicts itself nowhere.
                let towards = packet.kept.is_none().then_some(Towards {
                    assemblies: &mut live.sessions[step.at()].assemblies,
                    edge: packet.edge,
                    now,
                });
                let encoded = encoder.encode(&message, manner(packet.kept.is_some()), towards);
                match encoded {
                    Ok(()) => went(&mut live.edges[packet.edge as usize], packet, now),
                    Err(unfit) => cannot_go(live, (step, packet), unfit, &mut self.settled),
                }
            }
            left.moved += encoder.drain(out);
            // What was dropped has made way for what is not, and nobody else says so.
            if left.moved > 0 {
                return left;
            }
        }
    }
}

/// Counts a packet that was handed to the socket.
fn went(edge: &mut Edge, packet: Leaving, now: Moment) {
    match packet.kept {
        None => {
            edge.counts.delivered += 1;
            edge.forward.record(now.since(packet.at), 1);
        }
        Some((_, true)) => edge.counts.replayed += 1,
        Some((_, false)) => edge.forward.record(now.since(packet.at), 1),
    }
}

/// Whether it is of a set that a chunk before it has ended.
fn has_ended(live: &Run, (step, packet): (StepIndex, Leaving)) -> bool {
    match (packet.kept, &live.sessions[step.at()].outbox) {
        (Some((ordinal, _)), Outbox::Log(log)) => !log.keeps(ordinal),
        _ => false,
    }
}

/// Drops a packet that its engram must not get, with its whole set where that was kept.
fn cannot_go(
    live: &mut Run,
    (step, packet): (StepIndex, Leaving),
    unfit: Unfit,
    settled: &mut Vec<Settled>,
) {
    let session = &mut live.sessions[step.at()];
    // Nobody returns credits for what never comes.
    session.credit.regain(packet.len);
    let example = &mut live.told[packet.edge as usize].example;
    example.get_or_insert_with(|| (unfit.reason, unfit.why.into()));
    match (packet.kept, &mut session.outbox) {
        (Some((ordinal, _)), Outbox::Log(log)) => log.end(ordinal, unfit.reason, settled),
        (Some(_), Outbox::Lanes(_)) => {}
        (None, _) => live.edges[packet.edge as usize]
            .counts
            .drop_one(unfit.reason),
    }
}

/// Heartbeats go before all.
fn heartbeats(
    live: &mut Run,
    step: StepIndex,
    now: Moment,
    (encoder, manner): (&mut Encoder, Manner),
    out: &mut Pieces,
) -> usize {
    let mut raw = Pieces::new();
    live.sessions[step.at()].take_control(now, &mut raw);
    let mut raw = Reader::new(raw);
    while let Some(len) = raw.message_len() {
        let message = raw.next(len);
        // One that does not fit tells nothing that the next one does not.
        let _: Result<(), Unfit> = encoder.encode(&message, manner, None);
    }
    encoder.drain(out)
}

/// Takes packets of up to `budget` bytes out of the queue or log of `step`, at least one when one
/// may go. Returns the bytes that no longer wait.
fn gather(
    live: &mut Run,
    step: StepIndex,
    (budget, now): (usize, Moment),
    raw: &mut Pieces,
    leaving: &mut SmallVec<[Leaving; 16]>,
) -> usize {
    let session = &mut live.sessions[step.at()];
    let credit = &mut session.credit;
    match &mut session.outbox {
        Outbox::Lanes(lanes) => lanes.take(budget, raw, |entry| {
            let len = entry.len as usize;
            if !credit.admits(len) {
                return false;
            }
            credit.spend(len);
            leaving.push(Leaving {
                edge: entry.edge,
                at: entry.at,
                len,
                kept: None,
            });
            true
        }),
        Outbox::Log(log) => {
            log.take(budget, (credit, now), raw, |sent| {
                leaving.push(Leaving {
                    edge: sent.edge,
                    at: sent.at,
                    len: sent.len as usize,
                    kept: Some((sent.ordinal, sent.again)),
                });
            });
            0
        }
    }
}

/// Cuts bytes in pieces into messages.
struct Reader {
    pieces: std::iter::Peekable<smallvec::IntoIter<[Bytes; 6]>>,
}

impl Reader {
    fn new(pieces: Pieces) -> Self {
        Self {
            pieces: pieces.into_iter().peekable(),
        }
    }

    /// The length of the message that comes next; its prefix lies in one piece.
    fn message_len(&mut self) -> Option<usize> {
        while self.pieces.next_if(Bytes::is_empty).is_some() {}
        let &[_, a, b, c, d] = self.pieces.peek()?.first_chunk::<GRPC_HEAD_LEN>()?;
        Some(GRPC_HEAD_LEN + u32::from_be_bytes([a, b, c, d]) as usize)
    }

    /// The next `len` bytes.
    fn next(&mut self, mut len: usize) -> SmallVec<[Bytes; 4]> {
        let mut message = SmallVec::new();
        while len > 0 {
            let Some(front) = self.pieces.peek_mut() else {
                break;
            };
            let part = front.split_to(len.min(front.len()));
            len -= part.len();
            if front.is_empty() {
                self.pieces.next();
            }
            if !part.is_empty() {
                message.push(part);
            }
        }
        message
    }
}
