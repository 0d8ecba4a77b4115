//! Owns readings over time: what has been delivered and consumed by when, and how late.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::run::delivered;
use super::shared::Shared;
use crate::measure::{Latencies, Percentiles, ProcessUse};
use crate::report::{Measured, Sample};
use crate::units::Nanos;

/// All counters at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    at: Nanos,
    delivered: u64,
    media_bytes: u64,
    sent: u64,
    /// The target's process, where it can be read.
    pub(super) hub: Option<ProcessUse>,
    generator: Option<ProcessUse>,
    /// CPU nanoseconds of each generator thread.
    threads: Vec<u64>,
}

impl Reading {
    /// What happened between two readings.
    pub(super) fn difference(from: &Reading, to: &Reading) -> Measured {
        let cpu = |from: &Option<ProcessUse>, to: &Option<ProcessUse>| {
            let (from, to) = (from.as_ref()?, to.as_ref()?);
            Some((to.cpu_seconds - from.cpu_seconds).max(0.0))
        };
        let seconds = to.at.since(from.at).as_secs_f64();
        let busiest = from.threads.iter().zip(&to.threads);
        let busiest = busiest.map(|(a, b)| b.saturating_sub(*a)).max();
        Measured {
            seconds,
            delivered: to.delivered.saturating_sub(from.delivered),
            media_bytes: to.media_bytes.saturating_sub(from.media_bytes),
            sent: to.sent.saturating_sub(from.sent),
            hub_cpu_seconds: cpu(&from.hub, &to.hub),
            generator_cpu_seconds: cpu(&from.generator, &to.generator).unwrap_or(0.0),
            busiest_thread: busiest.unwrap_or(0) as f64 / 1e9 / seconds.max(1e-9),
        }
    }
}

/// Samples of a run, and its latencies added up.
pub(super) struct Timeline {
    shared: Arc<Shared>,
    pid: Option<u32>,
    started: Nanos,
    last: Reading,
    /// Latencies since the last sample.
    interval: Latencies,
    total: Latencies,
    samples: Vec<Sample>,
}

impl Timeline {
    /// A timeline of traffic that begins at `started`.
    pub(super) fn new(shared: Arc<Shared>, pid: Option<u32>, started: Nanos) -> Timeline {
        let mut timeline = Timeline {
            started,
            shared,
            pid,
            last: Reading::default(),
            interval: Latencies::default(),
            total: Latencies::default(),
            samples: Vec::new(),
        };
        timeline.last = timeline.reading();
        timeline
    }

    /// Time since traffic began.
    pub(super) fn elapsed(&self) -> Duration {
        self.shared.clock.now().since(self.started)
    }

    /// All counters now.
    pub(super) fn reading(&self) -> Reading {
        let (delivered, media_bytes) = delivered(&self.shared);
        let threads = self.shared.threads.iter();
        Reading {
            at: self.shared.clock.now(),
            delivered,
            media_bytes,
            sent: self.shared.sent_deliveries(),
            hub: self.pid.and_then(ProcessUse::of),
            generator: ProcessUse::of(std::process::id()),
            threads: threads
                .map(|t| t.cpu_nanos.load(Ordering::Relaxed))
                .collect(),
        }
    }

    /// All counters of a finite load that has just ended: as of its last arrival.
    pub(super) fn final_reading(&self) -> Reading {
        let arrivals = self.shared.threads.iter();
        let last = arrivals
            .map(|t| t.last_arrival.load(Ordering::Relaxed))
            .max();
        Reading {
            at: Nanos(last.unwrap_or(0)).max(self.started),
            ..self.reading()
        }
    }

    /// All counters as of the first message.
    pub(super) fn first_reading(&self) -> Reading {
        Reading {
            at: self.started,
            ..self.reading()
        }
    }

    /// A sample, if the last one is `every` ago.
    pub(super) fn due(&mut self, every: Duration) -> Option<Sample> {
        let now = self.shared.clock.now();
        (now.since(self.last.at) >= every).then(|| self.sample())
    }

    /// All samples and latencies; complete once the threads have ended.
    pub(super) fn finish(mut self) -> (Vec<Sample>, Latencies) {
        self.take_over();
        self.total.add(&self.interval);
        (self.samples, self.total)
    }

    /// Takes what the threads have handed over.
    fn take_over(&mut self) {
        for thread in &self.shared.threads {
            if let Ok(mut latencies) = thread.latencies.lock() {
                self.interval.add(&latencies);
                latencies.clear();
            }
        }
    }

    fn faults(&self) -> u64 {
        let threads = self.shared.threads.iter();
        threads.map(|t| t.faults.load(Ordering::Relaxed)).sum()
    }

    fn sample(&mut self) -> Sample {
        self.take_over();
        let reading = self.reading();
        let change = Reading::difference(&self.last, &reading);
        let mut recent = self.interval.delivery.clone();
        // Both have the same bounds, so adding cannot fail.
        let _ = recent.add(&self.interval.warmup);
        let sample = Sample {
            at_seconds: self.elapsed().as_secs_f64(),
            sent_per_second: change.sent as f64 / change.seconds,
            delivered_per_second: change.delivered as f64 / change.seconds,
            megabytes_per_second: change.media_bytes as f64 / change.seconds / 1e6,
            latency_us: Percentiles::of(&recent),
            faults: self.faults(),
            under_way: self.shared.under_way(),
            hub_cpu: change.hub_cpu_seconds.map(|cpu| cpu / change.seconds),
            hub_rss_bytes: reading.hub.map(|hub| hub.rss_bytes),
            generator_cpu: change.generator_cpu_seconds / change.seconds,
        };
        self.total.add(&self.interval);
        self.interval.clear();
        self.last = reading;
        self.samples.push(sample.clone());
        sample
    }
}
