//! Owns a sending stream: what is due, batched, and handed to the transport.
//!
//! | state | leaves when |
//! | --- | --- |
//! | waiting for its time or its window | the schedule says so, or a consumer has received |
//! | blocked | the transport takes the rest of the batch |
//! | cut | it is registered again |
//! | finished | the schedule is over, or the run drains |
//! | waiting for acks (at_least_once) | the hub has settled everything, or the run closes |

mod fill;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::sync::watch;

use crate::drive::cut::Cuts;
use crate::drive::guarantee::Keeping;
use crate::drive::pacer::Until;
use crate::drive::schedule::OpenLoop;
use crate::drive::shared::{Phase, Window};
use crate::drive::stock::Stock;
use crate::drive::worker::Thread;
use crate::scenario::{Flow, Pace};
use crate::units::{Nanos, ProducerId};
use crate::wire::{Peer, Role, Sink, Source, StreamError, Wire};

/// Sends one producer's messages until the run is over.
pub(in crate::drive) async fn run<W: Wire>(thread: Rc<Thread<W>>, index: usize) {
    let shared = &thread.shared;
    let plan = &shared.topology.producers[index];
    let guaranteed = shared.scenario.is_guaranteed();
    let peer = Peer {
        name: plan.name.clone(),
        role: Role::Producer,
        upstream: Vec::new(),
        producer_epoch: guaranteed.then(|| format!("load-{:08x}-{index}", shared.nonce.0)),
        accepts_pause: guaranteed && shared.scenario.accept_pause,
    };
    let Some((mut sink, mut source)) = thread.open(&peer).await else {
        return;
    };
    let Some(window) = thread.traffic().await else {
        return;
    };
    let mut producer = Producer::new(&thread, index, window, &peer);
    let mut cuts = Cuts::new(shared, index);
    let mut draining = false;
    loop {
        let ended = tokio::select! {
            biased;
            () = cuts.next() => Ended::Cut,
            ended = poll_fn(|cx| producer.poll(cx, &mut sink, &mut source)) => ended,
            () = thread.close() => Ended::Finished,
            () = thread.drain(), if !draining => {
                // Looked at again: nothing new is sent from here on.
                draining = true;
                continue;
            }
        };
        match ended {
            Ended::Finished => break,
            Ended::Failed(error) if !thread.broke(&peer.name.step, &error) => break,
            Ended::Cut => thread.outcome.borrow_mut().cuts += 1,
            Ended::Failed(_) => {}
        }
        sink.sever();
        let edges = plan.edges.iter().copied();
        thread.outcome.borrow_mut().cut_edges.extend(edges);
        producer.abandon_batch();
        let dialled = shared.clock.now();
        let Some(halves) = thread.reopen(&peer).await else {
            break;
        };
        (sink, source) = halves;
        producer.reconnected(dialled);
    }
    producer.finish();
    producer.report();
    // Heartbeats are read on, so that the hub is never left with an unread stream.
    let unread = poll_fn(|cx| producer.poll_inbound(cx, &mut source));
    tokio::select! {
        () = thread.close() => {}
        _ = unread => {}
    }
    sink.finish();
}

enum Ended {
    Finished,
    Cut,
    Failed(StreamError),
}

enum Clocked {
    Open(OpenLoop),
    Closed { window: u64, time: Window },
}

struct Producer<'t, W: Wire> {
    thread: &'t Thread<W>,
    id: ProducerId,
    stock: Stock,
    pace: Clocked,
    /// Number of the next message; equals the count sent. Never decreases.
    next: u64,
    /// Messages are over at this number.
    limit: u64,
    /// Messages below this number no longer fill the window.
    written_off: u64,
    /// When the window last moved.
    progress: (u64, Nanos),
    out: BytesMut,
    batch: Bytes,
    blocked_since: Option<Nanos>,
    /// The transport was full since the last fill, so lateness is not the generator's.
    was_blocked: bool,
    timer: Option<Until>,
    phase: watch::Receiver<Phase>,
    /// Of at_least_once: what is not settled.
    keeping: Option<Keeping<W::Deframe>>,
    finished: bool,
}

impl<'t, W: Wire> Producer<'t, W> {
    fn new(thread: &'t Thread<W>, index: usize, window: Window, peer: &Peer) -> Producer<'t, W> {
        let shared = &thread.shared;
        let plan = &shared.topology.producers[index];
        let flow: &Flow = &shared.scenario.flows[plan.flow];
        let pace = match flow.pace {
            Pace::Rate(rate) => {
                Clocked::Open(OpenLoop::new(rate, plan.phase, window.start, window.end))
            }
            Pace::Window(messages) => Clocked::Closed {
                window: u64::from(messages),
                time: window,
            },
        };
        let keeps = peer.producer_epoch.is_some();
        Producer {
            thread,
            id: plan.id,
            stock: Stock::new(peer, flow, plan.id, shared.nonce),
            pace,
            next: 0,
            limit: shared.options.messages.unwrap_or(u64::MAX),
            written_off: 0,
            progress: (0, window.start),
            out: BytesMut::new(),
            batch: Bytes::new(),
            blocked_since: None,
            was_blocked: false,
            timer: None,
            phase: shared.phase.clone(),
            keeping: keeps.then(|| Keeping::new(thread.wire.deframe())),
            finished: false,
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut W::Sink,
        source: &mut W::Source,
    ) -> Poll<Ended> {
        if let Poll::Ready(error) = self.poll_inbound(cx, source) {
            return Poll::Ready(Ended::Failed(error));
        }
        loop {
            if let Err(error) = ready!(self.poll_flush(cx, sink)) {
                return Poll::Ready(Ended::Failed(error));
            }
            if self.fill_again() {
                continue;
            }
            let over = matches!(*self.phase.borrow(), Phase::Drain | Phase::Close);
            if over || self.next >= self.limit {
                return self.poll_settled();
            }
            if self.fill(cx) {
                continue;
            }
            let Some(deadline) = self.deadline() else {
                return self.poll_settled();
            };
            if self.keeping.as_ref().is_some_and(|k| k.paused) {
                // The hub says when to go on.
                return Poll::Pending;
            }
            ready!(self.poll_timer(cx, deadline));
        }
    }

    /// All is sent: over, or as soon as the hub has settled it.
    fn poll_settled(&mut self) -> Poll<Ended> {
        self.finish();
        match &self.keeping {
            Some(keeping) if keeping.ledger.open() > 0 => Poll::Pending,
            _ => Poll::Ready(Ended::Finished),
        }
    }

    /// Reads what the hub sends to a producer; ready when the stream is over.
    fn poll_inbound(&mut self, cx: &mut Context<'_>, source: &mut W::Source) -> Poll<StreamError> {
        loop {
            match ready!(source.poll_chunk(cx)) {
                Some(Ok(chunk)) => {
                    let Some(keeping) = &mut self.keeping else {
                        // Heartbeats.
                        continue;
                    };
                    if let Err(error) = keeping.hear(self.thread, self.id, chunk) {
                        return Poll::Ready(error);
                    }
                }
                Some(Err(error)) => return Poll::Ready(error),
                None => return Poll::Ready(StreamError::new("the hub ended the stream")),
            }
        }
    }

    /// Hands the batch over, noting how long the other side makes us wait.
    fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut W::Sink,
    ) -> Poll<Result<(), StreamError>> {
        if self.batch.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let result = sink.poll_write(cx, &mut self.batch);
        let now = || self.thread.shared.clock.now();
        match (&result, self.blocked_since) {
            (Poll::Pending, None) => {
                let now = now();
                self.blocked_since = Some(now);
                self.was_blocked = true;
                if let Some(keeping) = &mut self.keeping {
                    keeping.hold(now);
                }
            }
            (Poll::Ready(_), Some(since)) => {
                let now = now();
                let waited = now.since(since).as_nanos() as u64;
                self.thread.outcome.borrow_mut().blocked_nanos += waited;
                self.blocked_since = None;
                if let Some(keeping) = &mut self.keeping {
                    keeping.release(now);
                }
            }
            _ => {}
        }
        result
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Nanos) -> Poll<()> {
        let pacer = &self.thread.pacer;
        let timer = self.timer.get_or_insert_with(|| pacer.until(deadline));
        // A timer that fails ends the thread through the pacer itself.
        let _ = ready!(Pin::new(timer).poll(cx));
        self.timer = None;
        Poll::Ready(())
    }

    /// Forgets what a cut connection had not taken yet; it is lost with the connection.
    fn abandon_batch(&mut self) {
        self.batch = Bytes::new();
        self.blocked_since = None;
        // What was due meanwhile is late through no fault of the generator's.
        self.was_blocked = true;
        if self.keeping.is_none() {
            self.written_off = self.next;
        }
    }

    /// The connection is there again.
    fn reconnected(&mut self, dialled: Nanos) {
        let deframe = self.thread.wire.deframe();
        if let Some(keeping) = &mut self.keeping {
            keeping.reconnected(deframe, dialled);
        }
    }

    /// Nothing more will be sent: what was scheduled and not sent is late for ever.
    fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let shared = &self.thread.shared;
        let now = shared.clock.now();
        let fan_out = shared.topology.producers[self.id.0 as usize].edges.len() as u64;
        if let Clocked::Open(schedule) = &mut self.pace
            && self.next < self.limit
        {
            let mut latencies = self.thread.latencies.borrow_mut();
            let mut outcome = self.thread.outcome.borrow_mut();
            while let Some(intended) = schedule.take(now) {
                let late = now.since(intended).as_nanos() as u64;
                latencies.delivery.saturating_record_n(late, fan_out);
                outcome.unsent += 1;
            }
        }
        let progress = &shared.producers[self.id.0 as usize];
        progress.finished.store(true, Ordering::Relaxed);
    }

    /// Gives its account.
    fn report(&mut self) {
        let now = self.thread.shared.clock.now();
        let mut outcome = self.thread.outcome.borrow_mut();
        if let Some(keeping) = &mut self.keeping {
            keeping.report(self.id, now, &mut outcome.guarantee);
        }
    }
}
