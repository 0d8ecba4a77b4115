//! Owns one generator thread: its runtime, its streams, and what they report at the end.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::LocalSet;

use super::consumer;
use super::guarantee::Guarantee;
use super::pacer::Pacer;
use super::producer;
use super::shared::{Phase, Shared, Window};
use crate::measure::{Latencies, thread_cpu_nanos};
use crate::units::{EdgeId, Nanos};
use crate::verify::{EdgeTracker, FaultCounts};
use crate::wire::{OpenError, Peer, StreamError, Wire};

/// Streams that one thread opens at the same time.
const OPENING_AT_ONCE: usize = 32;
/// Longest wait for the other side to accept a stream.
const OPEN_DEADLINE: Duration = Duration::from_secs(10);
/// How often a thread hands its histograms over.
const HAND_OVER: Duration = Duration::from_millis(200);
/// Wait before a refused stream asks again; doubles up to the longest.
const RETRY_FIRST: Duration = Duration::from_millis(20);
const RETRY_LONGEST: Duration = Duration::from_secs(1);

/// Which streams a thread serves.
#[derive(Clone, Debug, Default)]
pub(super) struct Share {
    /// Indexes of producers.
    pub(super) producers: Vec<usize>,
    /// Indexes of consumers.
    pub(super) consumers: Vec<usize>,
}

/// What a thread tells while it runs.
#[derive(Debug)]
pub(super) enum Event {
    /// A stream is registered.
    Opened,
    /// A stream could not be opened before the traffic; the run cannot start.
    OpenFailed(OpenError),
}

/// What a thread has seen, told at the end.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Account of every edge that ends on this thread.
    pub(super) trackers: Vec<(EdgeId, EdgeTracker)>,
    /// Faults its consumers saw.
    pub(super) faults: FaultCounts,
    /// Messages of another run.
    pub(super) foreign: u64,
    /// Streams that ended by themselves, with the first reason.
    pub(super) failures: u64,
    pub(super) first_failure: Option<String>,
    /// Nanoseconds from dialling to being accepted, for every stream opened at the start.
    pub(super) connects: Vec<u64>,
    /// Nanoseconds from losing a stream to being accepted again, refusals in between included.
    pub(super) reconnects: Vec<u64>,
    /// Refused or failed attempts by gRPC code (`unreachable` without one).
    pub(super) refusals: BTreeMap<String, u64>,
    /// Edges with an end that was cut on purpose.
    pub(super) cut_edges: Vec<EdgeId>,
    /// Scheduled messages that were never sent.
    pub(super) unsent: u64,
    /// Nanoseconds that producers had something to send and the hub took nothing.
    pub(super) blocked_nanos: u64,
    /// Times that a full window saw no progress (and, for best_effort, was given up).
    pub(super) stalls: u64,
    /// Connections that were cut on purpose.
    pub(super) cuts: u64,
    /// What at_least_once adds to it.
    pub(super) guarantee: Guarantee,
}

/// What the tasks of one thread share.
#[derive(Debug)]
pub(super) struct Thread<W> {
    pub(super) shared: Arc<Shared>,
    pub(super) index: usize,
    pub(super) wire: W,
    pub(super) pacer: Pacer,
    pub(super) latencies: RefCell<Latencies>,
    pub(super) outcome: RefCell<Outcome>,
    /// Times of the traffic, once they are known.
    window: Cell<Option<Window>>,
    events: mpsc::UnboundedSender<Event>,
    opening: Semaphore,
}

/// Runs a thread's share of the streams until the run closes.
///
/// # Errors
/// When the system gives no runtime or timer.
pub(super) fn work<W: Wire>(
    shared: &Arc<Shared>,
    index: usize,
    wire: W,
    share: &Share,
    events: mpsc::UnboundedSender<Event>,
) -> io::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let thread = Rc::new(Thread {
            shared: Arc::clone(shared),
            index,
            wire,
            pacer: Pacer::new(shared.clock)?,
            latencies: RefCell::default(),
            outcome: RefCell::default(),
            window: Cell::new(None),
            events,
            opening: Semaphore::new(OPENING_AT_ONCE),
        });
        let mut streams = tokio::task::JoinSet::new();
        for &index in &share.consumers {
            streams.spawn_local(consumer::run(Rc::clone(&thread), index));
        }
        for &index in &share.producers {
            streams.spawn_local(producer::run(Rc::clone(&thread), index));
        }
        let all = async {
            while let Some(ended) = streams.join_next().await {
                if let Err(error) = ended {
                    return Err(io::Error::other(error));
                }
            }
            Ok(())
        };
        let served = tokio::select! {
            ended = all => ended,
            failed = thread.pacer.drive() => failed,
            never = hand_over(&thread) => match never {},
        };
        thread.publish();
        served.map(|()| thread.outcome.take())
    })
}

/// Publishes the thread's histograms and CPU time for as long as it is polled.
async fn hand_over<W>(thread: &Thread<W>) -> std::convert::Infallible {
    let mut ticks = tokio::time::interval(HAND_OVER);
    loop {
        ticks.tick().await;
        thread.publish();
    }
}

impl<W> Thread<W> {
    fn publish(&self) {
        let counters = &self.shared.threads[self.index];
        counters
            .cpu_nanos
            .store(thread_cpu_nanos(), Ordering::Relaxed);
        let mut mine = self.latencies.borrow_mut();
        if mine.is_empty() {
            return;
        }
        if let Ok(mut theirs) = counters.latencies.lock() {
            theirs.add(&mine);
            mine.clear();
        }
    }

    /// Waits for traffic to begin; `None` when the run closes before it does.
    pub(super) async fn traffic(&self) -> Option<Window> {
        let mut phase = self.shared.phase.clone();
        loop {
            match *phase.borrow_and_update() {
                Phase::Connect => {}
                Phase::Traffic(window) => {
                    self.window.set(Some(window));
                    return Some(window);
                }
                Phase::Drain | Phase::Close => return None,
            }
            if phase.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Notes that a stream ended by itself; whether it is to be opened again.
    pub(super) fn broke(&self, step: &str, error: &StreamError) -> bool {
        if self.shared.options.reconnect {
            return true;
        }
        let mut outcome = self.outcome.borrow_mut();
        outcome.failures += 1;
        outcome
            .first_failure
            .get_or_insert_with(|| format!("{step}: {error}"));
        false
    }

    /// Waits until producers have stopped.
    pub(super) async fn drain(&self) {
        let mut phase = self.shared.phase.clone();
        // The sender is gone only when the run is over in any case.
        let over = |phase: &Phase| matches!(phase, Phase::Drain | Phase::Close);
        let _ = phase.wait_for(over).await;
    }

    /// Waits until the run closes.
    pub(super) async fn close(&self) {
        let mut phase = self.shared.phase.clone();
        // The sender is gone only when the run is over in any case.
        let _ = phase.wait_for(|phase| *phase == Phase::Close).await;
    }

    /// Messages intended from here on are in the figures.
    pub(super) fn measure_from(&self) -> Nanos {
        self.window
            .get()
            .map_or(Nanos(0), |window| window.measure_from)
    }

    /// Seconds since traffic began.
    pub(super) fn seconds(&self, at: Nanos) -> f64 {
        let start = self.window.get().map_or(Nanos(0), |window| window.start);
        at.since(start).as_secs_f64()
    }
}

impl<W: Wire> Thread<W> {
    /// Opens a stream before the traffic; tells the run how it went.
    pub(super) async fn open(&self, peer: &Peer) -> Option<(W::Sink, W::Source)> {
        match self.attempt(peer).await {
            Ok((took, halves)) => {
                self.outcome.borrow_mut().connects.push(took);
                let _ = self.events.send(Event::Opened);
                Some(halves)
            }
            Err(error) => {
                let _ = self.events.send(Event::OpenFailed(error));
                None
            }
        }
    }

    /// Opens a stream again after a cut, as often as it takes; `None` when the run closes first.
    pub(super) async fn reopen(&self, peer: &Peer) -> Option<(W::Sink, W::Source)> {
        let mut wait = RETRY_FIRST;
        let lost = self.shared.clock.now();
        let mut phase: watch::Receiver<Phase> = self.shared.phase.clone();
        loop {
            if let Ok((_, halves)) = self.attempt(peer).await {
                let back = self.shared.clock.now().since(lost).as_nanos() as u64;
                self.outcome.borrow_mut().reconnects.push(back);
                return Some(halves);
            }
            tokio::select! {
                _ = phase.wait_for(|phase| *phase == Phase::Close) => return None,
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(RETRY_LONGEST),
            }
        }
    }

    /// Tries once; with the nanoseconds it took.
    async fn attempt(&self, peer: &Peer) -> Result<(u64, (W::Sink, W::Source)), OpenError> {
        // The semaphore is never closed.
        let _turn = self.opening.acquire().await;
        let began = self.shared.clock.now();
        let opened = tokio::time::timeout(OPEN_DEADLINE, self.wire.open(peer)).await;
        let opened = opened.unwrap_or_else(|_| {
            Err(OpenError::Broken {
                address: "the target".into(),
                step: peer.name.step.clone(),
                reason: "not accepted within 10 s".into(),
            })
        });
        if let Err(error) = &opened {
            let code = error.code();
            let code = code.map_or_else(|| "unreachable".to_owned(), |code| code.to_string());
            let mut outcome = self.outcome.borrow_mut();
            *outcome.refusals.entry(code).or_default() += 1;
        }
        let took = self.shared.clock.now().since(began).as_nanos() as u64;
        opened.map(|halves| (took, halves))
    }
}
