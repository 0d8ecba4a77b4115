//! Owns a receiving stream: deframes, checks every message, and accounts for it.

mod judge;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::drive::cut::Cuts;
use crate::drive::receipts::Receipts;
use crate::drive::shared::{Window, bump};
use crate::drive::worker::Thread;
use crate::packet::Layout;
use crate::scenario::{ConsumerPlan, StepName};
use crate::units::{EdgeId, Nanos, ProducerId};
use crate::verify::{EdgeTracker, Identities};
use crate::wire::{Deframe, Peer, Role, Sink, Source, StreamError, Wire};

/// After so many messages a slow consumer sends a receipt; others do at the end of each read.
const RECEIPT_EVERY: u64 = 10;
/// Before an at_least_once consumer's connection is cut it reads once more, for so long at most, and
/// gives no receipt for that: a cut takes receipts along (spec 2.4, "Lost receipt").
const LAST_READ: Duration = Duration::from_millis(20);

/// Receives one consumer's messages until the run is over.
pub(in crate::drive) async fn run<W: Wire>(thread: Rc<Thread<W>>, index: usize) {
    let plan = &thread.shared.topology.consumers[index];
    let producers = &thread.shared.topology.producers;
    let peer = Peer {
        name: plan.name.clone(),
        role: Role::Consumer,
        upstream: plan
            .inputs
            .iter()
            .map(|(producer, _)| producers[producer.0 as usize].name.clone())
            .collect(),
        producer_epoch: None,
        accepts_pause: false,
    };
    let Some((mut sink, mut source)) = thread.open(&peer).await else {
        return;
    };
    let Some(window) = thread.traffic().await else {
        return;
    };
    let mut consumer = Consumer::new(&thread, index, window, &peer);
    let mut cuts = Cuts::new(&thread.shared, producers.len() + index);
    loop {
        let mut ended = tokio::select! {
            biased;
            () = thread.close() => Ended::Closed,
            () = cuts.next() => Ended::Cut,
            error = consumer.receive(&mut sink, &mut source) => Ended::Failed(error),
        };
        if let (Ended::Cut, Some(keeping)) = (&ended, &mut consumer.keeping) {
            keeping.muted = true;
            tokio::select! {
                () = thread.close() => ended = Ended::Closed,
                () = tokio::time::sleep(LAST_READ) => {}
                _ = consumer.receive(&mut sink, &mut source) => {}
            }
        }
        match ended {
            Ended::Closed => break,
            Ended::Failed(error) if !thread.broke(&peer.name.step, &error) => {
                consumer.give_up();
                thread.close().await;
                break;
            }
            Ended::Cut => thread.outcome.borrow_mut().cuts += 1,
            Ended::Failed(_) => {}
        }
        source.sever();
        consumer.write_off();
        let dialled = thread.shared.clock.now();
        let Some(halves) = thread.reopen(&peer).await else {
            break;
        };
        (sink, source) = halves;
        consumer.reconnected(dialled);
    }
    sink.finish();
    consumer.report();
}

enum Ended {
    Closed,
    Cut,
    Failed(StreamError),
}

struct Input {
    producer: ProducerId,
    edge: EdgeId,
    tracker: EdgeTracker,
    /// Something arrived in the present chunk.
    touched: bool,
}

/// What one consumer keeps for at_least_once.
struct Keeping {
    identities: Identities,
    receipts: Receipts,
    /// The connection is about to be cut: what comes on it now gets no receipt any more.
    muted: bool,
    /// Sequences of the present chunk, where they are receipted one after the other.
    unread: VecDeque<u64>,
    redelivered: u64,
    rerouted: u64,
}

struct Consumer<'t, W: Wire> {
    thread: &'t Thread<W>,
    peer: &'t Peer,
    inputs: Vec<Input>,
    window: Window,
    /// Messages a second that this consumer reads, where it is slow on purpose.
    slow: Option<f64>,
    layout: Layout,
    deframe: W::Deframe,
    keeping: Option<Keeping>,
    /// When it dialled again, until something comes.
    redialled: Option<Nanos>,
    /// Messages of any kind so far.
    seen: u64,
    /// Messages and payload bytes that counted in the present chunk.
    chunk: (u64, u64),
}

impl<'t, W: Wire> Consumer<'t, W> {
    fn new(thread: &'t Thread<W>, index: usize, window: Window, peer: &'t Peer) -> Consumer<'t, W> {
        let shared = &thread.shared;
        let plan: &ConsumerPlan = &shared.topology.consumers[index];
        let scenario = &shared.scenario;
        let input = |&(producer, edge): &(ProducerId, EdgeId)| Input {
            producer,
            edge,
            tracker: EdgeTracker::default(),
            touched: false,
        };
        let slow = scenario.slow.filter(|s| index < s.consumers as usize);
        let keeping = scenario.is_guaranteed().then(|| Keeping {
            // The hub may send again what has no receipt, which is never more than it may hold.
            identities: Identities::new(shared.bounds.messages as usize * 2),
            receipts: Receipts::default(),
            muted: false,
            unread: VecDeque::new(),
            redelivered: 0,
            rerouted: 0,
        });
        let consumer = Consumer {
            thread,
            peer,
            inputs: plan.inputs.iter().map(input).collect(),
            window,
            slow: slow.map(|slow| slow.rate),
            layout: Layout::default(),
            deframe: thread.wire.deframe(),
            keeping,
            redialled: None,
            seen: 0,
            chunk: (0, 0),
        };
        if slow.is_some() {
            // Nobody's window waits for a consumer that is slow on purpose.
            consumer.give_up();
        }
        consumer
    }

    /// Receives until the stream is over; why it is.
    async fn receive(&mut self, sink: &mut W::Sink, source: &mut W::Source) -> StreamError {
        loop {
            let chunk = poll_fn(|cx| {
                if let Poll::Ready(Err(error)) = self.poll_receipts(cx, sink) {
                    return Poll::Ready(Some(Err(error)));
                }
                source.poll_chunk(cx)
            });
            let chunk = match chunk.await {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return error,
                None => return StreamError::new("the hub ended the stream"),
            };
            let now = self.thread.shared.clock.now();
            let before = self.seen;
            let mut deframe = std::mem::replace(&mut self.deframe, self.thread.wire.deframe());
            let pushed = deframe.push(chunk, |message| self.take(message, now));
            self.deframe = deframe;
            self.account(now);
            if let Err(error) = pushed {
                return error;
            }
            if self.keeping.as_ref().is_some_and(|keeping| keeping.muted) {
                return StreamError::new("cut on purpose");
            }
            let paced = match self.slow {
                Some(rate) => self.dawdle(rate, self.seen - before, sink).await,
                None => Ok(()),
            };
            if let Err(error) = paced {
                return error;
            }
            if let Some(keeping) = &mut self.keeping
                && let Some(sequence) = keeping.identities.earned()
            {
                keeping.receipts.owe(sequence);
            }
        }
    }

    /// Takes the time that a slow consumer takes for so many messages; what it has got to meanwhile
    /// is receipted. Once the time is up, what has piled up is read and accounted for.
    async fn dawdle(
        &mut self,
        rate: f64,
        messages: u64,
        sink: &mut W::Sink,
    ) -> Result<(), StreamError> {
        let mut left = messages;
        while left > 0 {
            let some = left.min(RECEIPT_EVERY);
            left -= some;
            let pause = Duration::try_from_secs_f64(some as f64 / rate).unwrap_or(Duration::MAX);
            let rest = self.window.end.since(self.thread.shared.clock.now());
            let pause = pause.min(rest);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.thread.drain() => left = 0,
            }
            let Some(keeping) = &mut self.keeping else {
                continue;
            };
            let got = keeping.unread.len().min(some as usize);
            if let Some(sequence) = keeping.unread.drain(..got).next_back() {
                keeping.receipts.owe(sequence);
            }
            poll_fn(|cx| match self.poll_receipts(cx, sink) {
                Poll::Ready(written) => Poll::Ready(written),
                Poll::Pending => Poll::Ready(Ok(())),
            })
            .await?;
        }
        if let Some(keeping) = &mut self.keeping {
            keeping.unread.clear();
        }
        Ok(())
    }

    fn poll_receipts(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut W::Sink,
    ) -> Poll<Result<(), StreamError>> {
        let Some(keeping) = self.keeping.as_mut().filter(|keeping| !keeping.muted) else {
            return Poll::Ready(Ok(()));
        };
        let how = (&self.thread.wire, self.peer);
        keeping.receipts.poll_write(cx, how, sink)
    }

    /// Publishes what the chunk brought.
    fn account(&mut self, now: Nanos) {
        let counters = &self.thread.shared.threads[self.thread.index];
        bump(&counters.delivered, self.chunk.0);
        bump(&counters.media_bytes, self.chunk.1);
        counters.last_arrival.store(now.0, Ordering::Relaxed);
        self.chunk = (0, 0);
        for input in self.inputs.iter_mut().filter(|input| input.touched) {
            input.touched = false;
            let (position, received) = (input.tracker.position(), input.tracker.received());
            let shared = &self.thread.shared;
            shared.advance(input.edge, input.producer, position, received);
        }
    }

    /// Nobody's window waits for this consumer any more.
    fn give_up(&self) {
        if self.keeping.is_some() {
            // Windows wait for acks, and an ack for everybody.
            return;
        }
        for input in &self.inputs {
            self.thread.shared.give_up(input.edge, input.producer);
        }
    }

    /// What was under way to this step is lost with its connection.
    fn write_off(&self) {
        let edges = self.inputs.iter().map(|input| input.edge);
        self.thread.outcome.borrow_mut().cut_edges.extend(edges);
        if self.keeping.is_some() {
            return;
        }
        for input in &self.inputs {
            self.thread.shared.write_off(input.edge, input.producer);
        }
    }

    /// The connection is there again; the hub may send again whatever has no receipt.
    fn reconnected(&mut self, dialled: Nanos) {
        self.redialled = Some(dialled);
        self.deframe = self.thread.wire.deframe();
        if let Some(keeping) = &mut self.keeping {
            keeping.muted = false;
            keeping.identities.reconnected();
            keeping.receipts.reconnected();
            keeping.unread.clear();
        }
    }

    fn report(self) {
        let mut outcome = self.thread.outcome.borrow_mut();
        if let Some(keeping) = self.keeping {
            let guarantee = &mut outcome.guarantee;
            guarantee.redelivered += keeping.redelivered;
            guarantee.rerouted += keeping.rerouted;
            guarantee.receipts += keeping.receipts.count;
        }
        let inputs = self.inputs.into_iter();
        outcome
            .trackers
            .extend(inputs.map(|input| (input.edge, input.tracker)));
    }
}

/// `run/step`, as reports name an end of an edge.
pub(in crate::drive) fn path(name: &StepName) -> String {
    format!("{}/{}", name.run, name.step)
}
