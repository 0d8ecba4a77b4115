//! Owns a sending stream: what is due, batched, and handed to the transport.
//!
//! | state | leaves when |
//! | --- | --- |
//! | waiting for its time or its window | the schedule says so, or a consumer has received |
//! | blocked | the transport takes the rest of the batch |
//! | cut | it is registered again |
//! | finished | the schedule is over, or the run drains |

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::watch;

use super::pacer::Until;
use super::schedule::OpenLoop;
use super::shared::{Phase, Window};
use super::worker::Thread;
use crate::packet::{Stamp, Template};
use crate::scenario::{Flow, Pace};
use crate::units::{Nanos, ProducerId, Sequence};
use crate::wire::{Peer, Role, Sink, Source, StreamError, Wire};

/// Bytes that are handed over at once, at most (one message is always admitted).
const MAX_BATCH_BYTES: usize = 256 * 1024;
/// A full window without progress for so long is given up: what is under way is lost.
const STALL: Duration = Duration::from_secs(2);

/// Sends one producer's messages until the run is over.
pub(super) async fn run<W: Wire>(thread: Rc<Thread<W>>, index: usize) {
    let plan = &thread.shared.topology.producers[index];
    let peer = Peer {
        name: plan.name.clone(),
        role: Role::Producer,
        upstream: Vec::new(),
    };
    let Some((mut sink, mut source)) = thread.open(&peer).await else {
        return;
    };
    let Some(window) = thread.traffic().await else {
        return;
    };
    let Some(mut producer) = Producer::new(&thread, index, window, &peer) else {
        return;
    };
    let mut waves = thread.shared.wave.clone();
    loop {
        let ended = tokio::select! {
            biased;
            () = thread.cut(&mut waves, index) => Ended::Cut,
            ended = poll_fn(|cx| producer.poll(cx, &mut sink, &mut source)) => ended,
        };
        match ended {
            Ended::Finished => break,
            Ended::Failed(error) if !thread.broke(&peer.name.step, &error) => break,
            Ended::Cut | Ended::Failed(_) => {}
        }
        sink.sever();
        let edges = plan.edges.iter().copied();
        thread.outcome.borrow_mut().cut_edges.extend(edges);
        producer.abandon_batch();
        let Some(halves) = thread.reopen(&peer).await else {
            break;
        };
        (sink, source) = halves;
    }
    producer.finish();
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

struct Producer<'t, W> {
    thread: &'t Thread<W>,
    id: ProducerId,
    /// Ordinary message first, then the key frame where the flow has one.
    templates: Vec<Template>,
    key_every: u64,
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
}

impl<'t, W: Wire> Producer<'t, W> {
    fn new(
        thread: &'t Thread<W>,
        index: usize,
        window: Window,
        peer: &Peer,
    ) -> Option<Producer<'t, W>> {
        let shared = &thread.shared;
        let plan = &shared.topology.producers[index];
        let flow: &Flow = &shared.scenario.flows[plan.flow];
        // The scenario was checked, so the templates can be built.
        let templates = flow.templates(plan.id, shared.nonce).ok()?;
        let templates = templates
            .into_iter()
            .map(|template| {
                let (prefix, suffix) = thread.wire.framing(peer, template.wire_bytes());
                template.framed(&prefix, &suffix)
            })
            .collect();
        let pace = match flow.pace {
            Pace::Rate(rate) => {
                Clocked::Open(OpenLoop::new(rate, plan.phase, window.start, window.end))
            }
            Pace::Window(messages) => Clocked::Closed {
                window: u64::from(messages),
                time: window,
            },
        };
        Some(Producer {
            thread,
            id: plan.id,
            templates,
            key_every: u64::from(flow.key_every),
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
        })
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
            let over = matches!(*self.phase.borrow(), Phase::Drain | Phase::Close);
            if over || self.next >= self.limit {
                return Poll::Ready(Ended::Finished);
            }
            if self.fill(cx) {
                continue;
            }
            let Some(deadline) = self.deadline() else {
                return Poll::Ready(Ended::Finished);
            };
            ready!(self.poll_timer(cx, deadline));
        }
    }

    /// Reads and forgets what the hub sends to a producer; ready when the stream is over.
    fn poll_inbound(&self, cx: &mut Context<'_>, source: &mut W::Source) -> Poll<StreamError> {
        loop {
            match ready!(source.poll_chunk(cx)) {
                Some(Ok(_heartbeat)) => {}
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
                self.blocked_since = Some(now());
                self.was_blocked = true;
            }
            (Poll::Ready(_), Some(since)) => {
                let waited = now().since(since).as_nanos() as u64;
                self.thread.outcome.borrow_mut().blocked_nanos += waited;
                self.blocked_since = None;
            }
            _ => {}
        }
        result
    }

    /// Makes a batch of what is due; false when nothing is.
    fn fill(&mut self, cx: &Context<'_>) -> bool {
        let now = self.thread.shared.clock.now();
        let first = self.next;
        let room = match &self.pace {
            Clocked::Open(_) => u64::MAX,
            Clocked::Closed { time, .. } if now < time.start || now >= time.end => 0,
            Clocked::Closed { window, .. } => {
                let window = *window;
                self.room(cx, window, now)
            }
        };
        let until = self.limit.min(first.saturating_add(room));
        let mut latencies = self.thread.latencies.borrow_mut();
        while self.next < until && self.out.len() < MAX_BATCH_BYTES {
            let intended = match &mut self.pace {
                Clocked::Closed { .. } => now,
                Clocked::Open(schedule) => match schedule.take(now) {
                    Some(intended) => {
                        if !self.was_blocked {
                            let late = now.since(intended).as_nanos() as u64;
                            latencies.send_lag.saturating_record(late);
                        }
                        intended
                    }
                    None => break,
                },
            };
            let key = self.key_every > 0 && self.next.is_multiple_of(self.key_every);
            let template = &self.templates[usize::from(key)];
            let stamp = Stamp {
                sequence: Sequence(self.next),
                intended,
                unix_ms: self.thread.shared.clock.unix_ms(intended),
            };
            template.append(stamp, &mut self.out);
            self.next += 1;
        }
        drop(latencies);
        if self.next == first {
            return false;
        }
        self.was_blocked = false;
        self.batch = self.out.split().freeze();
        let progress = &self.thread.shared.producers[self.id.0 as usize];
        progress.sent.store(self.next, Ordering::Relaxed);
        true
    }

    /// Free places in the window; asks to be woken when there are more.
    fn room(&mut self, cx: &Context<'_>, window: u64, now: Nanos) -> u64 {
        let shared = &self.thread.shared;
        shared.producers[self.id.0 as usize]
            .window
            .register(cx.waker());
        let acknowledged = shared
            .acknowledged(self.id)
            .clamp(self.written_off, self.next);
        if acknowledged != self.progress.0 || acknowledged == self.next {
            self.progress = (acknowledged, now);
        } else if now.since(self.progress.1) >= STALL {
            self.thread.outcome.borrow_mut().stalls += 1;
            self.written_off = self.next;
            self.progress = (self.next, now);
        }
        let under_way = self.next - acknowledged.max(self.written_off);
        window.saturating_sub(under_way)
    }

    /// When to look again though nobody wakes us; `None` when all is sent.
    fn deadline(&self) -> Option<Nanos> {
        match &self.pace {
            Clocked::Open(schedule) => schedule.peek(),
            Clocked::Closed { time, .. } => {
                let now = self.thread.shared.clock.now();
                if now < time.start {
                    return Some(time.start);
                }
                (now < time.end).then(|| self.progress.1.plus(STALL).min(time.end))
            }
        }
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
        self.written_off = self.next;
    }

    /// Nothing more will be sent: what was scheduled and not sent is late for ever.
    fn finish(&mut self) {
        let now = self.thread.shared.clock.now();
        let fan_out = self.thread.shared.topology.producers[self.id.0 as usize]
            .edges
            .len() as u64;
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
        let progress = &self.thread.shared.producers[self.id.0 as usize];
        progress.finished.store(true, Ordering::Relaxed);
    }
}
