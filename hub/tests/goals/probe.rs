//! A well-behaved stream beside what is measured, on a thread of its own, and figures of the hub's
//! process.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::client::Connection;
use crate::{on_runtime, rig};

/// A source and a sink, in a run of its own.
pub const PROBE: &str = "
---
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: probe }
spec:
  pattern: streaming
  transports: [{ name: t, transportRef: grpc }]
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
    - { name: a, ref: { name: a }, transport: t, needs: [src] }
";

/// A probe that sends a packet every `every` and measures how long it takes.
pub struct Probe {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Seen>,
}

/// What a probe has seen.
pub struct Seen {
    pub sent: u64,
    /// Sorted.
    pub latencies: Vec<Duration>,
}

impl Seen {
    pub fn p99(&self) -> Duration {
        let at = self.latencies.len() * 99 / 100;
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

impl Probe {
    pub fn start(hub: SocketAddr, every: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || on_runtime(run(hub, every, stopped)));
        Self { stop, thread }
    }

    /// Measures for `time`.
    pub fn during(hub: SocketAddr, every: Duration, time: Duration) -> Seen {
        let probe = Self::start(hub, every);
        std::thread::sleep(time);
        probe.end()
    }

    pub fn end(self) -> Seen {
        let _ = self.stop.send(());
        self.thread.join().expect("the probe lives")
    }
}

async fn run(hub: SocketAddr, every: Duration, stopped: mpsc::Receiver<()>) -> Seen {
    let as_step = |step| [("storyrun-name", "probe"), ("current-step-id", step)];
    let mut connection = Connection::open(hub).await;
    let a = connection.process_with(&as_step("a")).await;
    let mut a = a.accepted().await;
    let src = connection.process_with(&as_step("src")).await;
    let mut src = src.accepted().await;
    let began = Instant::now();
    let (mut sent, mut latencies) = (0u64, Vec::new());
    let mut clock = tokio::time::interval(every);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stopped.try_recv().is_err() {
        tokio::select! {
            _ = clock.tick() => {
                sent += 1;
                src.send_packet(&began.elapsed().as_nanos().to_string(), 100);
            }
            packet = a.next() => {
                let packet = packet.expect("the probe's stream lives");
                // Heartbeats have no label.
                if let Ok(nanos) = rig::label(&packet).parse() {
                    latencies.push(began.elapsed().saturating_sub(Duration::from_nanos(nanos)));
                }
            }
        }
    }
    latencies.sort_unstable();
    Seen { sent, latencies }
}

/// Resident bytes of a process.
pub fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Most descriptors that this process, and those that it starts, may have (`scripts/goals` asks for
/// as many as there may be).
pub fn most_descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    soft.unwrap_or(1024)
}

/// Open descriptors of a process.
pub fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Value of a gauge without labels, asked over HTTP.
pub fn gauge(hub: &crate::process::Hub, name: &str) -> f64 {
    let (_, page) = hub.get("/metrics");
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(-1.0)
}

/// Waits until a gauge is `value`, and tells how long that took.
pub fn comes_to(hub: &crate::process::Hub, name: &str, value: f64) -> Duration {
    let began = Instant::now();
    while gauge(hub, name) != value {
        assert!(began.elapsed() < Duration::from_secs(60), "{name}");
        std::thread::sleep(Duration::from_millis(5));
    }
    began.elapsed()
}
