//! reconnect_storm: 2,000 sessions cut at once.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::client::{Connection, Process};
use crate::probe::{PROBE, Probe, comes_to, descriptors, mib, ms, resident};
use crate::process::Hub;
use crate::{Extent, Outcome, on_runtime};

const STORIES: usize = 10;
const STEPS: usize = 200;
const EVERY: Duration = Duration::from_millis(2);

fn stories() -> String {
    let mut out = String::from(PROBE);
    for s in 0..STORIES {
        let _ = write!(
            out,
            "---
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: {{ name: s{s} }}
spec:
  pattern: streaming
  transports: [{{ name: t, transportRef: grpc }}]
  steps:
"
        );
        for n in 0..STEPS {
            let needs = if n % 2 == 0 {
                String::new()
            } else {
                format!("n{}", n - 1)
            };
            let _ = writeln!(
                out,
                "    - {{ name: n{n}, ref: {{ name: r }}, transport: t, needs: [{needs}] }}"
            );
        }
    }
    out
}

async fn all(hub: SocketAddr) -> Vec<Process> {
    let mut tasks = Vec::new();
    for s in 0..STORIES {
        for n in 0..STEPS {
            tasks.push(tokio::spawn(async move {
                let (run, step) = (format!("s{s}"), format!("n{n}"));
                let changes = [("storyrun-name", run.as_str()), ("current-step-id", &step)];
                let mut connection = Connection::open(hub).await;
                connection.process_with(&changes).await.accepted().await
            }));
        }
    }
    let mut out = Vec::new();
    for task in tasks {
        out.push(task.await.expect("registered"));
    }
    out
}

pub fn reconnect_storm(_: Extent) -> Outcome {
    let hub = Hub::serve(&stories(), &["--set", "limits.max_streams=4000"]);
    let pid = hub.process.pid();
    let quiet = Probe::during(hub.grpc, EVERY, Duration::from_secs(5));
    let sessions = (STORIES * STEPS) as f64;
    on_runtime(async {
        let streams = all(hub.grpc).await;
        let (fds, memory) = (descriptors(pid), resident(pid));
        let probe = Probe::start(hub.grpc, EVERY);
        comes_to(&hub, "hub_streams", sessions + 2.0);
        let began = Instant::now();
        drop(streams);
        // Lets the sockets close: their tasks run on this thread.
        tokio::task::yield_now().await;
        let streams = all(hub.grpc).await;
        let back = began.elapsed();
        tokio::time::sleep(Duration::from_secs(5).saturating_sub(back)).await;
        let beside = probe.end();
        comes_to(&hub, "hub_streams", sessions);
        // Those of the probe and of who asks for figures close a moment later.
        let settled = Instant::now() + Duration::from_secs(5);
        while descriptors(pid) > fds && Instant::now() < settled {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (fds_after, memory_after) = (descriptors(pid), resident(pid));
        drop(streams);
        let slower = ms(beside.p99()) / ms(quiet.p99());
        let lost = beside.sent - beside.latencies.len() as u64;
        let passed =
            back <= Duration::from_secs(5) && slower <= 2.0 && fds_after <= fds && lost <= 1;
        let said = format!(
            "{sessions:.0} sessions back in {:.2} s; beside them, in the 5 s that they may take: p99 \
             {:.2} ms, worst {:.0} ms (quiet p99 {:.2} ms, {slower:.1}x); descriptors {fds} -> {fds_after}; resident {:.1} -> {:.1} MiB",
            back.as_secs_f64(),
            ms(beside.p99()),
            ms(beside.latencies.last().copied().unwrap_or_default()),
            ms(quiet.p99()),
            mib(memory),
            mib(memory_after)
        );
        Outcome::of(passed, said)
    })
}
