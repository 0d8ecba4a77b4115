//! reconnect_storm: 2,000 sessions cut at once.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::client::{Connection, Process};
use crate::probe::{PROBE, Probe, Seen, comes_to, descriptors, mib, ms, resident};
use crate::process::Hub;
use crate::{Extent, Outcome, on_runtime};

const STORIES: usize = 10;
const STEPS: usize = 200;
const EVERY: Duration = Duration::from_millis(2);
/// Storms, one after another: the median of what they come to counts, as other machines may share the
/// processors of this one.
const STORMS: usize = 5;
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

/// Gives the hub's data plane a processor of its own, as with engrams that run elsewhere: a packet that
/// is out waits for no client to be scheduled on the processor that the hub still works on.
fn set_apart(hub: u32) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    if processors < 2 {
        return;
    }
    let rest = format!("1-{}", processors - 1);
    let pin = |what: &str, to: &str, id: &str| {
        let mut taskset = Command::new("taskset");
        taskset.args([what, to, id]).stdout(Stdio::null());
        let done = taskset.status();
        assert!(done.is_ok_and(|status| status.success()), "taskset");
    };
    pin("-apc", &rest, &hub.to_string());
    pin("-apc", &rest, &std::process::id().to_string());
    let threads = std::fs::read_dir(format!("/proc/{hub}/task")).expect("the hub lives");
    for thread in threads.flatten() {
        let name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        if name.trim() == "hub-data" {
            pin("-pc", "0", &thread.file_name().to_string_lossy());
        }
    }
}

/// What one storm came to.
struct Storm {
    back: Duration,
    quiet: Seen,
    beside: Seen,
}

impl Storm {
    /// How many times the quiet p99 the p99 beside the storm is.
    fn slower(&self) -> f64 {
        ms(self.beside.p99()) / ms(self.quiet.p99())
    }

    fn passed(&self) -> bool {
        let lost = self.beside.sent - self.beside.latencies.len() as u64;
        self.back <= MAY_TAKE && lost <= 1
    }
}

pub fn reconnect_storm(_: Extent) -> Outcome {
    let hub = Hub::serve(&stories(), &["--set", "limits.max_streams=4000"]);
    let (pid, grpc) = (hub.process.pid(), hub.grpc);
    set_apart(pid);
    let count = (STORIES * STEPS) as f64;
    let (cut, told) = unbounded_channel();
    let (done, is_done) = mpsc::channel();
    let clients = std::thread::spawn(move || sessions(grpc, told, &done));
    is_done.recv().expect("all have come");
    comes_to(&hub, "hub_streams", count);
    let (fds, memory) = (descriptors(pid), resident(pid));
    let storm = || {
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
        Storm {
            back,
            quiet,
            beside,
        }
    };
    let mut storms: Vec<_> = (0..STORMS).map(|_| storm()).collect();
    // Those of the probe and of who asks for figures close a moment later.
    let settled = Instant::now() + Duration::from_secs(5);
    while descriptors(pid) > fds && Instant::now() < settled {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (fds_after, memory_after) = (descriptors(pid), resident(pid));
    drop(cut);
    clients.join().expect("the clients end");
    storms.sort_by(|a, b| a.slower().total_cmp(&b.slower()));
    let median = &storms[STORMS / 2];
    let passed = storms.iter().all(Storm::passed) && median.slower() <= 2.0 && fds_after <= fds;
    let back = storms.iter().map(|storm| storm.back).max();
    let said = format!(
        "{STORMS} storms: {count:.0} sessions back in {:.2} s at most; beside them, in the 5 s that \
         they may take: p99 {:.2} ms, worst {:.0} ms (quiet p99 {:.2} ms; {:.1}x is the median of \
         {:.1}x to {:.1}x); descriptors {fds} -> {fds_after}; resident {:.1} -> {:.1} MiB",
        back.unwrap_or_default().as_secs_f64(),
        ms(median.beside.p99()),
        ms(median.beside.latencies.last().copied().unwrap_or_default()),
        ms(median.quiet.p99()),
        median.slower(),
        storms[0].slower(),
        storms[STORMS - 1].slower(),
        mib(memory),
        mib(memory_after)
    );
    Outcome::of(passed, said)
}
