//! Owns what at_least_once adds to a producer: acks heard, packets sent again, pauses, and how long
//! it was held up.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::consumer::path;
use super::ledger::Ledger;
use super::shared::bump;
use super::worker::Thread;
use crate::packet::{Flow, open_flow};
use crate::units::{Nanos, ProducerId};
use crate::verify::{Example, Fault};
use crate::wire::{Deframe, StreamError, Wire};

/// What the streams of one thread saw of at_least_once.
#[derive(Debug, Default)]
pub(super) struct Guarantee {
    /// Every producer, and how many of its messages it has heard to be settled.
    pub(super) heard: Vec<(ProducerId, u64)>,
    /// Packets that producers sent again.
    pub(super) resent: u64,
    /// Packets that came again under their own identity.
    pub(super) redelivered: u64,
    /// Payloads that came again under another one because the hub was killed.
    pub(super) rerouted: u64,
    /// Receipts that consumers sent.
    pub(super) receipts: u64,
    /// Times that a producer was told to pause.
    pub(super) pauses: u64,
    /// Nanoseconds from dialling again to a consumer's first packet.
    pub(super) first_packets: Vec<u64>,
    /// Nanoseconds from dialling again to the first ack that a producer heard.
    pub(super) first_acks: Vec<u64>,
    /// Nanoseconds that each producer that was held up was.
    pub(super) held: Vec<u64>,
}

/// What one producer keeps for it.
#[derive(Debug)]
pub(super) struct Keeping<D> {
    pub(super) ledger: Ledger,
    deframe: D,
    /// The hub has told it to wait.
    pub(super) paused: bool,
    /// When it dialled again, until it hears an ack.
    redialled: Option<Nanos>,
    pub(super) resent: u64,
    pauses: u64,
    /// Since when it has had something to send and could not.
    held_since: Option<Nanos>,
    held_nanos: u64,
}

impl<D: Deframe> Keeping<D> {
    pub(super) fn new(deframe: D) -> Keeping<D> {
        Keeping {
            ledger: Ledger::default(),
            deframe,
            paused: false,
            redialled: None,
            resent: 0,
            pauses: 0,
            held_since: None,
            held_nanos: 0,
        }
    }

    /// A new connection: what is not settled goes out again.
    pub(super) fn reconnected(&mut self, deframe: D, dialled: Nanos) {
        self.deframe = deframe;
        self.paused = false;
        self.redialled = Some(dialled);
        self.ledger.rewind();
    }

    /// It has something to send and cannot.
    pub(super) fn hold(&mut self, now: Nanos) {
        self.held_since.get_or_insert(now);
    }

    /// It can.
    pub(super) fn release(&mut self, now: Nanos) {
        if let Some(since) = self.held_since.take() {
            self.held_nanos += now.since(since).as_nanos() as u64;
        }
    }

    /// Takes in what the hub says.
    pub(super) fn hear<W: Wire>(
        &mut self,
        thread: &Thread<W>,
        id: ProducerId,
        chunk: Bytes,
    ) -> Result<(), StreamError> {
        let mut flow = Flow::default();
        let mut broken = Ok(());
        let read = |message: &[u8]| match open_flow(message) {
            Ok(heard) => {
                flow.ack = flow.ack.max(heard.ack);
                flow.paused = heard.paused.or(flow.paused);
            }
            Err(error) => broken = Err(StreamError::new(error.to_string())),
        };
        self.deframe.push(chunk, read)?;
        broken?;
        if let Some(paused) = flow.paused {
            self.pauses += u64::from(paused);
            self.paused = paused;
        }
        if flow.ack > 0 {
            self.settle(thread, id, flow.ack);
        }
        Ok(())
    }

    fn settle<W: Wire>(&mut self, thread: &Thread<W>, id: ProducerId, ack: u64) {
        let now = thread.shared.clock.now();
        if let Some(dialled) = self.redialled.take() {
            let took = now.since(dialled).as_nanos() as u64;
            thread.outcome.borrow_mut().guarantee.first_acks.push(took);
        }
        let received = thread.shared.acknowledged(id);
        let mut latencies = thread.latencies.borrow_mut();
        let from = thread.measure_from();
        let sent = self.ledger.sent();
        let settled = self.ledger.settle(ack, |intended| {
            if intended >= from {
                let took = now.since(intended).as_nanos() as u64;
                latencies.settled.saturating_record(took);
            }
        });
        drop(latencies);
        let early = if settled.is_err() {
            Some((sent, format!("{ack} acknowledged of {sent} sent")))
        } else if received < ack {
            let detail = format!("{ack} acknowledged when a consumer had {received}");
            Some((received, detail))
        } else {
            None
        };
        if let Some((sequence, detail)) = early {
            acked_early(thread, id, (sequence, now), detail);
        }
        let progress = &thread.shared.producers[id.0 as usize];
        let settled = self.ledger.settled();
        progress.settled.store(settled, Ordering::Relaxed);
    }

    /// Gives its account at the end.
    pub(super) fn report(&mut self, id: ProducerId, now: Nanos, of: &mut Guarantee) {
        self.release(now);
        of.heard.push((id, self.ledger.settled()));
        of.resent += self.resent;
        of.pauses += self.pauses;
        if self.held_nanos > 0 {
            of.held.push(self.held_nanos);
        }
    }
}

fn acked_early<W>(
    thread: &Thread<W>,
    id: ProducerId,
    (sequence, now): (u64, Nanos),
    detail: String,
) {
    bump(&thread.shared.threads[thread.index].faults, 1);
    let mut outcome = thread.outcome.borrow_mut();
    outcome.faults.note(Fault::AckedEarly, || Example {
        from: path(&thread.shared.topology.producers[id.0 as usize].name),
        to: "the hub".to_owned(),
        sequence: Some(sequence),
        at_seconds: Some(thread.seconds(now)),
        detail,
    });
}
