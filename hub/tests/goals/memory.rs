//! memory: producers at twice the rate of their consumers.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::client::Connection;
use crate::probe::{PROBE, mib, resident};
use crate::process::Hub;
use crate::{Extent, Outcome, on_runtime, span};

const PAIRS: usize = 8;
const BUDGET_MIB: u64 = 64;
const SIZE: usize = 10_000;
const EVERY: Duration = Duration::from_millis(4);

fn story() -> String {
    let mut out = String::from(PROBE);
    out.push_str(
        "---
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports:
    - { name: t, transportRef: grpc, streaming: { backpressure: { buffer: { maxMessages: 100000, maxBytes: 33554432 } } } }
  steps:
",
    );
    for n in 0..PAIRS {
        let _ = write!(
            out,
            "    - {{ name: p{n}, ref: {{ name: p }}, transport: t, needs: [] }}
    - {{ name: c{n}, ref: {{ name: c }}, transport: t, needs: [p{n}] }}
"
        );
    }
    out
}

pub fn memory(extent: Extent) -> Outcome {
    on_runtime(run(extent))
}

async fn run(extent: Extent) -> Outcome {
    let time = extent.time(Duration::from_secs(3600));
    let budget = format!("limits.queue_budget_bytes={BUDGET_MIB}MiB");
    let hub = Hub::serve(&story(), &["--set", &budget]);
    let pid = hub.process.pid();
    let mut tasks = Vec::new();
    for n in 0..PAIRS {
        let addr = hub.grpc;
        let mut producer = Connection::open(addr).await.process(&format!("p{n}")).await;
        let mut consumer = Connection::open(addr).await.process(&format!("c{n}")).await;
        tasks.push(tokio::spawn(async move {
            let mut clock = tokio::time::interval(EVERY);
            loop {
                clock.tick().await;
                producer.send_packet("x", SIZE);
                producer.send_packet("x", SIZE);
            }
        }));
        tasks.push(tokio::spawn(async move {
            let mut clock = tokio::time::interval(EVERY);
            while consumer.try_next().await.is_ok() {
                clock.tick().await;
            }
        }));
    }
    let began = Instant::now();
    // The queues are full once the overload has brought the budget twice over.
    let (mut most, mut full, mut dropped) = (0, 0, 0.0);
    while began.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = resident(pid);
        most = most.max(now);
        let (_, page) = hub.get("/metrics");
        dropped = page
            .lines()
            .filter(|line| line.starts_with("hub_packets_dropped_total"))
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum();
        if full == 0 && dropped > 0.0 && began.elapsed() > time / 2 {
            full = now;
        }
    }
    let end = resident(pid);
    for task in tasks {
        task.abort();
    }
    let bound = (64 << 20) + BUDGET_MIB * 1024 * 1024 * 115 / 100;
    let drift = mib(end) - mib(full);
    // Over less time the allocator's own rhythm is larger than that.
    let steady = !extent.full || drift < 0.5;
    let passed = most <= bound && dropped > 0.0 && full > 0 && steady;
    let said = format!(
        "{PAIRS} pairs at 2x for {:.0} s, budget {BUDGET_MIB} MiB: most resident {:.1} MiB (bound \
         {:.1}), {dropped:.0} packets dropped by policy, {drift:+.1} MiB in the second half",
        time.as_secs_f64(),
        mib(most),
        mib(bound)
    );
    Outcome::of(passed, said).ran(span(time))
}
