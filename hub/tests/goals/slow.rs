//! slow_consumer: one of a hundred stops reading.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::client::{Connection, Process};
use crate::probe::{PROBE, ms};
use crate::process::Hub;
use crate::{Extent, Outcome, on_runtime, rig, span};

const SOURCES: usize = 4;
const EACH: usize = 25;
const WARM_UP: Duration = Duration::from_secs(2);
const RATE: Duration = Duration::from_millis(10);

fn story() -> String {
    let mut out = String::from(PROBE);
    out.push_str(
        "---
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports: [{ name: t, transportRef: grpc }]
  steps:
",
    );
    for s in 0..SOURCES {
        let _ = writeln!(
            out,
            "    - {{ name: s{s}, ref: {{ name: s }}, transport: t, needs: [] }}"
        );
        for c in 0..EACH {
            let _ = writeln!(
                out,
                "    - {{ name: c{s}x{c}, ref: {{ name: c }}, transport: t, needs: [s{s}] }}"
            );
        }
    }
    out
}

async fn open(hub: &Hub, step: &str) -> Process {
    let mut connection = Connection::open(hub.grpc).await;
    connection.process(step).await.accepted().await
}

/// Sends 100-byte packets for `time`; the p99 over all consumers that read, and how often one was
/// lost.
async fn measure(sources: &mut [Process], readers: Vec<Process>, time: Duration) -> Measured {
    let began = Instant::now();
    let tasks: Vec<_> = readers
        .into_iter()
        .map(|mut reader| {
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                loop {
                    let packet = reader.try_next().await;
                    let Ok(packet) = packet else {
                        panic!("a connection was lost")
                    };
                    match rig::label(&packet).parse() {
                        Ok(nanos) => {
                            latencies.push(began.elapsed() - Duration::from_nanos(nanos));
                        }
                        Err(_) if rig::label(&packet) == "end" => return (reader, latencies),
                        Err(_) => {}
                    }
                }
            })
        })
        .collect();
    let mut clock = tokio::time::interval(RATE);
    let mut sent = 0u64;
    while began.elapsed() < time {
        clock.tick().await;
        sent += 1;
        for source in sources.iter_mut() {
            source.send_packet(&began.elapsed().as_nanos().to_string(), 40);
        }
    }
    for source in sources.iter_mut() {
        source.send_packet("end", 40);
    }
    let (mut readers, mut all, mut lost) = (Vec::new(), Vec::new(), 0);
    for task in tasks {
        let (reader, latencies) = task.await.expect("read to its end");
        lost += sent - latencies.len() as u64;
        all.extend(latencies);
        readers.push(reader);
    }
    all.sort_unstable();
    let p99 = all.get(all.len() * 99 / 100).copied().unwrap_or_default();
    Measured { readers, p99, lost }
}

struct Measured {
    readers: Vec<Process>,
    p99: Duration,
    lost: u64,
}

pub fn slow_consumer(extent: Extent) -> Outcome {
    on_runtime(run(extent))
}

async fn run(extent: Extent) -> Outcome {
    let hub = Hub::serve(&story(), &[]);
    let (mut sources, mut readers) = (Vec::new(), Vec::new());
    for s in 0..SOURCES {
        sources.push(open(&hub, &format!("s{s}")).await);
        for c in 0..EACH {
            readers.push(open(&hub, &format!("c{s}x{c}")).await);
        }
    }
    // Half before the reader stops, so that there is something to compare.
    let half = if extent.full {
        Duration::from_secs(600)
    } else {
        extent.time(Duration::ZERO) / 2
    };
    let readers = measure(&mut sources, readers, WARM_UP).await.readers;
    let before = measure(&mut sources, readers, half).await;
    let mut readers = before.readers;
    // Held and never read again.
    let mut stuck = readers.remove(0);
    // Past its window and the hub's send buffer, so that its queue fills from the beginning.
    for _ in 0..20 {
        sources[0].send_packet("fill", 100_000);
    }
    // Once more without looking: what filled its queue went to its siblings, too.
    let readers = measure(&mut sources, readers, WARM_UP).await.readers;
    let after = measure(&mut sources, readers, half).await;
    let (_, page) = hub.get("/metrics");
    let queued = value(&page, "hub_queue_packets", "c0x0");
    let dropped = value(&page, "hub_packets_dropped_total", "c0x0");
    // It lives and gets what waited.
    let alive = stuck.next().await.is_ok();
    let allowed = (before.p99.mul_f64(1.1)).max(before.p99 + Duration::from_millis(1));
    let passed =
        after.p99 <= allowed && after.lost == 0 && before.lost == 0 && queued <= 1000.0 && alive;
    let said = format!(
        "1 of {} stops reading, 100 packets/s of 100 B to each for {:.0} s: p99 of the others \
         {:.2} -> {:.2} ms, lost {}, its queue {queued:.0} packets (cap 1000), {dropped:.0} dropped, \
         every connection lives: {alive}",
        SOURCES * EACH,
        half.as_secs_f64(),
        ms(before.p99),
        ms(after.p99),
        before.lost + after.lost
    );
    Outcome::of(passed, said).ran(span(half))
}

fn value(page: &str, name: &str, to: &str) -> f64 {
    let label = format!("to=\"{to}\"");
    page.lines()
        .filter(|line| line.starts_with(name) && line.contains(&label))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}
