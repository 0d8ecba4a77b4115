//! Owns a whole run: threads started, phases stepped through, figures taken at their moments.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, watch};

use super::outcome;
use super::shared::{EdgeProgress, Phase, ProducerProgress, Shared, ThreadCounters, Window};
use super::timeline::{Reading, Timeline};
use super::worker::{Event, Outcome, Share, work};
use crate::measure::{HubCounters, Latencies, MachineUse, scrape};
use crate::report::{Observed, Report, Sample};
use crate::scenario::{Bounds, Scenario, Topology};
use crate::units::{Clock, Nanos, Nonce};
use crate::wire::{OpenError, Wire};

/// Time between the last stream's registration and the first message.
const RUN_UP: Duration = Duration::from_millis(100);
/// How often is looked whether everything has arrived.
const LOOK: Duration = Duration::from_millis(10);
/// Nothing new for so long: what is missing is not coming.
const QUIET: Duration = Duration::from_millis(750);

/// How a run is made, beside what it sends.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Generator threads.
    pub threads: usize,
    /// Messages per producer, whatever the duration; `None`: as many as fit.
    pub messages: Option<u64>,
    /// Time between two samples for the observer.
    pub sample_every: Duration,
    /// Longest wait for the backlog and for what is under way, once the time is up.
    pub drain: Duration,
    /// Streams that end by themselves are opened again, and what was under way on them is lost with
    /// the connection; otherwise each is a failure.
    pub reconnect: bool,
    /// Becomes true when the run shall end early, with a report of what there is.
    pub stop: watch::Receiver<bool>,
}

impl RunOptions {
    /// One thread, a sample a second, ten seconds to drain.
    pub fn new(stop: watch::Receiver<bool>) -> RunOptions {
        RunOptions {
            threads: 1,
            messages: None,
            sample_every: Duration::from_secs(1),
            drain: Duration::from_secs(10),
            reconnect: false,
            stop,
        }
    }
}

/// What is put under load, beside the address that the [`Wire`] knows.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// Where it listens, for reports.
    pub address: String,
    /// Its admin address; `None`: its counters are not read.
    pub admin: Option<String>,
    /// Its process on this machine; `None`: its CPU and memory are not read.
    pub pid: Option<u32>,
    /// Whether this run started it.
    pub own: bool,
}

/// Looks on while a run goes.
pub trait Observer {
    /// Called about every [`RunOptions::sample_every`].
    fn sample(&mut self, sample: &Sample);
}

/// Why there is no report.
#[derive(Debug, Error)]
pub enum RunError {
    /// A stream could not be opened before the traffic.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// The system refused a thread, a runtime or a timer.
    #[error("the generator could not work: {0}")]
    System(#[from] std::io::Error),
    /// A generator thread died; that is a bug of the generator.
    #[error("a generator thread died; please report this")]
    Died,
    /// Stopped before the first message.
    #[error("stopped before traffic began")]
    Stopped,
}

/// Runs a scenario against a target and reports.
///
/// `wire` is called once on every generator thread.
///
/// # Errors
/// [`RunError`] when the traffic could not begin; whatever happens after that is in the report.
pub async fn run<W: Wire>(
    scenario: &Scenario,
    options: &RunOptions,
    target: &Target,
    wire: impl Fn() -> W + Clone + Send + 'static,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    keep_freed_memory();
    let mut run = Run::start(scenario, options, wire)?;
    let result = run.conduct(target, observer).await;
    // Whatever happened, the threads end before this returns.
    run.phase.send_replace(Phase::Close);
    let outcomes = run.join().await;
    let (mut observed, timeline) = result?;
    let collected = outcome::collect(&run.shared, outcomes?);
    (observed.samples, observed.latencies) = timeline.finish();
    Ok(Report::build(target, observed, collected))
}

/// Keeps the allocator from giving read buffers back to the system between two chunks, which costs
/// a page fault for every 4 KiB received: freeing one large block raises glibc's limits for good
/// (its "dynamic mmap threshold"). Other allocators take no notice.
fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(31 << 20)));
}

/// The hub's counters; `None` when it cannot be asked.
async fn counters(target: &Target) -> Option<HubCounters> {
    scrape(target.admin.as_ref()?).await.ok()
}

struct Run {
    shared: Arc<Shared>,
    phase: watch::Sender<Phase>,
    wave: watch::Sender<u64>,
    cut: watch::Sender<u64>,
    events: mpsc::UnboundedReceiver<Event>,
    threads: Vec<JoinHandle<std::io::Result<Outcome>>>,
}

impl Run {
    fn start<W: Wire>(
        scenario: &Scenario,
        options: &RunOptions,
        wire: impl Fn() -> W + Clone + Send + 'static,
    ) -> Result<Run, RunError> {
        let topology = Topology::of(scenario);
        let (phase, phase_seen) = watch::channel(Phase::Connect);
        let (wave, wave_seen) = watch::channel(0);
        let (cut, cut_seen) = watch::channel(0);
        let (tell, events) = mpsc::unbounded_channel();
        let shares = shares(&topology, options.threads.max(1));
        let shared = Arc::new(Shared {
            clock: Clock::start(),
            nonce: Nonce::fresh(),
            scenario: scenario.clone(),
            options: options.clone(),
            phase: phase_seen,
            wave: wave_seen,
            cut: cut_seen,
            edges: some(topology.edges.len(), EdgeProgress::default),
            producers: some(topology.producers.len(), ProducerProgress::default),
            threads: some(shares.len(), ThreadCounters::default),
            bounds: Bounds::of(scenario, &topology),
            topology,
        });
        let mut run = Run {
            shared,
            phase,
            wave,
            cut,
            events,
            threads: Vec::new(),
        };
        for (index, share) in shares.into_iter().enumerate() {
            let (shared, wire, tell) = (Arc::clone(&run.shared), wire.clone(), tell.clone());
            let thread = std::thread::Builder::new()
                .name(format!("load-{index}"))
                .spawn(move || work(&shared, index, wire(), &share, tell))?;
            run.threads.push(thread);
        }
        Ok(run)
    }

    async fn conduct(
        &mut self,
        target: &Target,
        observer: &mut dyn Observer,
    ) -> Result<(Observed, Timeline), RunError> {
        self.all_open().await?;
        let counters_before = counters(target).await;
        let window = self.begin();
        let mut timeline = Timeline::new(Arc::clone(&self.shared), target.pid, window.start);
        // A finite load is measured from its first message to its last arrival.
        let finite = self.shared.options.messages.is_some();
        let first = timeline.first_reading();
        self.until(window.measure_from, &mut timeline, observer)
            .await;
        let machine_from = MachineUse::now();
        let from = if finite { first } else { timeline.reading() };
        self.until(window.end, &mut timeline, observer).await;
        if finite {
            self.drain(&mut timeline, observer).await;
        }
        let machine_to = MachineUse::now();
        let to = if finite {
            timeline.final_reading()
        } else {
            let to = timeline.reading();
            self.drain(&mut timeline, observer).await;
            to
        };
        let counters_after = counters(target).await;
        let observed = Observed {
            interrupted: *self.shared.options.stop.borrow(),
            counters: counters_after
                .zip(counters_before)
                .map(|(a, b)| a.since(&b)),
            measured: Reading::difference(&from, &to),
            machine: machine_from.zip(machine_to),
            hub_at_end: to.hub,
            latencies: Latencies::default(),
            samples: Vec::new(),
        };
        Ok((observed, timeline))
    }

    /// Waits until every stream is registered.
    async fn all_open(&mut self) -> Result<(), RunError> {
        let topology = &self.shared.topology;
        let mut missing = topology.producers.len() + topology.consumers.len();
        let mut stop = self.shared.options.stop.clone();
        while missing > 0 {
            let event = tokio::select! {
                event = self.events.recv() => event,
                _ = stop.wait_for(|stop| *stop) => return Err(RunError::Stopped),
            };
            match event {
                Some(Event::Opened) => missing -= 1,
                Some(Event::OpenFailed(error)) => return Err(error.into()),
                None => return Err(RunError::Died),
            }
        }
        Ok(())
    }

    /// Lets the traffic begin.
    fn begin(&self) -> Window {
        let scenario = &self.shared.scenario;
        let start = self.shared.clock.now().plus(RUN_UP);
        let measure_from = start.plus(scenario.warmup);
        let window = Window {
            start,
            measure_from,
            end: measure_from.plus(scenario.duration),
        };
        self.phase.send_replace(Phase::Traffic(window));
        window
    }

    /// Lets time pass until `moment`, all is sent, or a stop; samples and cuts meanwhile.
    async fn until(&self, moment: Nanos, timeline: &mut Timeline, observer: &mut dyn Observer) {
        let shared = &self.shared;
        let mut stop = shared.options.stop.clone();
        let storm = shared.scenario.storm.map(|storm| storm.every);
        let cut = shared.scenario.cut.map(|cut| cut.every);
        loop {
            let now = shared.clock.now();
            if now >= moment || *stop.borrow() || shared.all_finished() {
                return;
            }
            for (every, told) in [(storm, &self.wave), (cut, &self.cut)] {
                let Some(every) = every else { continue };
                let number = (timeline.elapsed().as_nanos() / every.as_nanos().max(1)) as u64;
                told.send_if_modified(|last| {
                    let due = number > *last;
                    *last = number.max(*last);
                    due
                });
            }
            if let Some(sample) = timeline.due(shared.options.sample_every) {
                observer.sample(&sample);
            }
            let pause = moment.since(now).min(LOOK);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// Lets producers send their backlog, stops them, and waits for what is under way.
    async fn drain(&self, timeline: &mut Timeline, observer: &mut dyn Observer) {
        let shared = &self.shared;
        let stopped = *shared.options.stop.borrow();
        let patience = if stopped {
            Duration::ZERO
        } else {
            shared.options.drain
        };
        let deadline = shared.clock.now().plus(patience);
        while !shared.all_finished() && shared.clock.now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
        self.phase.send_replace(Phase::Drain);
        let deadline = shared.clock.now().plus(shared.options.drain);
        // What is guaranteed is waited for as long as it may take.
        let quiet = if shared.scenario.is_guaranteed() {
            shared.options.drain
        } else {
            QUIET
        };
        let mut last = (u64::MAX, shared.clock.now());
        loop {
            let (now, open) = (shared.clock.now(), shared.under_way() + shared.unsettled());
            if open != last.0 {
                last = (open, now);
            }
            let settled = open == 0 && shared.all_finished();
            if settled || now.since(last.1) >= quiet || now >= deadline {
                return;
            }
            if let Some(sample) = timeline.due(shared.options.sample_every) {
                observer.sample(&sample);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn join(&mut self) -> Result<Vec<Outcome>, RunError> {
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(move || {
            let ended = threads.into_iter().map(JoinHandle::join);
            ended.collect::<Vec<_>>()
        });
        let mut outcomes = Vec::new();
        for ended in joined.await.map_err(|_| RunError::Died)? {
            outcomes.push(ended.map_err(|_| RunError::Died)??);
        }
        Ok(outcomes)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Close);
    }
}

fn some<T>(count: usize, make: impl Fn() -> T) -> Vec<T> {
    (0..count).map(|_| make()).collect()
}

/// Deals the streams out: a consumer goes where its first producer is.
fn shares(topology: &Topology, threads: usize) -> Vec<Share> {
    let threads = threads.min(topology.producers.len()).max(1);
    let thread_of = |producer: usize| producer * threads / topology.producers.len().max(1);
    let mut shares = vec![Share::default(); threads];
    for producer in 0..topology.producers.len() {
        shares[thread_of(producer)].producers.push(producer);
    }
    for (index, consumer) in topology.consumers.iter().enumerate() {
        let first = consumer.inputs.first().map_or(0, |(p, _)| p.0 as usize);
        shares[thread_of(first)].consumers.push(index);
    }
    shares
}

/// Messages received so far by all threads.
pub(super) fn delivered(shared: &Shared) -> (u64, u64) {
    shared.threads.iter().fold((0, 0), |(count, bytes), t| {
        (
            count + t.delivered.load(Ordering::Relaxed),
            bytes + t.media_bytes.load(Ordering::Relaxed),
        )
    })
}
