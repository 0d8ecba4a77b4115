//! reconnect_storm: 2,000 sessions cut at once.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::client::{Connection, Process};
use crate::probe::{PROBE, Probe, comes_to, descriptors, mib, ms, resident};
use crate::process::Hub;
use crate::{Extent, Outcome, on_runtime};

const STORIES: usize = 10;
const STEPS: usize = 200;
const EVERY: Duration = Duration::from_millis(2);
/// Longest until all are back.
const MAY_TAKE: Duration = Duration::from_secs(5);

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

/// Has this thread run only when no other wants to: what a storm costs its own clients, all of which
/// run here, is not what is measured.
fn give_way() {
    let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    let id = thread.file_name().unwrap_or_default();
    let mut idle = Command::new("chrt");
    idle.args(["--idle", "--pid", "0"]).arg(id);
    let done = idle.stdout(Stdio::null()).status();
    assert!(done.is_ok_and(|status| status.success()), "chrt");
}

/// The sessions: there at first, cut and back when they are told to, gone when they are told again.
/// Says each time how long it took.
fn sessions(hub: SocketAddr, mut told: UnboundedReceiver<()>, done: &mpsc::Sender<Duration>) {
    give_way();
    on_runtime(async {
        let mut streams = Vec::new();
        loop {
            let began = Instant::now();
            drop(streams);
            // Lets the sockets close: their tasks run on this thread.
            tokio::task::yield_now().await;
            streams = all(hub).await;
            let _ = done.send(began.elapsed());
            if told.recv().await.is_none() {
                return;
            }
        }
    });
}

pub fn reconnect_storm(_: Extent) -> Outcome {
    let hub = Hub::serve(&stories(), &["--set", "limits.max_streams=4000"]);
    let (pid, grpc) = (hub.process.pid(), hub.grpc);
    let count = (STORIES * STEPS) as f64;
    let (cut, told) = unbounded_channel();
    let (done, is_done) = mpsc::channel();
    let clients = std::thread::spawn(move || sessions(grpc, told, &done));
    is_done.recv().expect("all have come");
    comes_to(&hub, "hub_streams", count);
    let (fds, memory) = (descriptors(pid), resident(pid));
    // What they keep is what they had beside the same sessions before any was cut.
    let quiet = Probe::during(grpc, EVERY, MAY_TAKE);
    comes_to(&hub, "hub_streams", count);
    let probe = Probe::start(grpc, EVERY);
    comes_to(&hub, "hub_streams", count + 2.0);
    let began = Instant::now();
    cut.send(()).expect("the clients live");
    let back = is_done.recv().expect("all are back");
    std::thread::sleep(MAY_TAKE.saturating_sub(began.elapsed()));
    let beside = probe.end();
    comes_to(&hub, "hub_streams", count);
    // Those of the probe and of who asks for figures close a moment later.
    let settled = Instant::now() + Duration::from_secs(5);
    while descriptors(pid) > fds && Instant::now() < settled {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (fds_after, memory_after) = (descriptors(pid), resident(pid));
    drop(cut);
    clients.join().expect("the clients end");
    let slower = ms(beside.p99()) / ms(quiet.p99());
    let lost = beside.sent - beside.latencies.len() as u64;
    let passed = back <= MAY_TAKE && slower <= 2.0 && fds_after <= fds && lost <= 1;
    let said = format!(
        "{count:.0} sessions back in {:.2} s; beside them, in the 5 s that they may take: p99 \
         {:.2} ms, worst {:.0} ms (quiet p99 {:.2} ms, {slower:.1}x); descriptors {fds} -> \
         {fds_after}; resident {:.1} -> {:.1} MiB",
        back.as_secs_f64(),
        ms(beside.p99()),
        ms(beside.latencies.last().copied().unwrap_or_default()),
        ms(quiet.p99()),
        mib(memory),
        mib(memory_after)
    );
    Outcome::of(passed, said)
}
