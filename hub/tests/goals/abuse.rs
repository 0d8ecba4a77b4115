//! oversized, h2_abuse: lengths without bytes, and frames that are free to send.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::client::Connection;
use crate::probe::{PROBE, Probe, mib, ms, resident};
use crate::process::Hub;
use crate::raw::{
    CONTINUATION, DATA, Fate, HEADERS, PING, RST_STREAM, SETTINGS, flood, frame, process,
    process_headers,
};
use crate::rig::FAN_OUT;
use crate::{Extent, Outcome, on_runtime, span};

fn hub() -> Hub {
    Hub::serve(&format!("{FAN_OUT}{PROBE}"), &[])
}

pub fn oversized(_: Extent) -> Outcome {
    const TIMES: usize = 100;
    let hub = hub();
    on_runtime(async {
        let mut connection = Connection::open(hub.grpc).await;
        let mut refuse = async || {
            let mut b = connection.process("b").await.accepted().await;
            b.send_raw(vec![0, 0x40, 0, 0, 0]);
            b.ended().await.0 == 8
        };
        // The code of refusals, logs and events comes into memory with the first ones.
        for _ in 0..TIMES {
            refuse().await;
        }
        let before = resident(hub.process.pid());
        let (mut refused, began) = (0, Instant::now());
        for _ in 0..TIMES {
            refused += usize::from(refuse().await);
        }
        let each = began.elapsed() / TIMES as u32;
        let extra = resident(hub.process.pid()).saturating_sub(before);
        let said = format!(
            "a length of 1 GiB, {TIMES} times: {refused} refused with RESOURCE_EXHAUSTED after \
             {:.2} ms each; resident +{} KiB in all",
            ms(each),
            extra / 1024
        );
        // What waits to be written of the log and of the events of a hundred refusals is in it.
        Outcome::of(refused == TIMES && extra <= 2 * 64 * 1024, said)
    })
}

/// First words, and what comes after them again and again.
type Flood = (&'static str, Vec<u8>, Box<dyn FnMut(u32) -> Vec<u8>>);

fn floods() -> Vec<Flood> {
    let none = Vec::new;
    vec![
        ("PING", none(), Box::new(|_| frame(PING, 0, 0, &[7; 8]))),
        ("SETTINGS", none(), Box::new(|_| frame(SETTINGS, 0, 0, &[]))),
        (
            "rapid reset",
            none(),
            Box::new(|n| {
                let mut pair = process("b", 2 * n + 1);
                pair.extend(frame(RST_STREAM, 0, 2 * n + 1, &8u32.to_be_bytes()));
                pair
            }),
        ),
        (
            "CONTINUATION",
            frame(HEADERS, 0, 1, &process_headers("b")),
            Box::new(|_| frame(CONTINUATION, 0, 1, &[])),
        ),
        (
            "empty DATA",
            process("b", 1),
            Box::new(|_| frame(DATA, 0, 1, &[])),
        ),
        (
            "1-byte DATA",
            process("b", 1),
            Box::new(|_| frame(DATA, 0, 1, &[0])),
        ),
    ]
}

async fn attack(hub: SocketAddr, (_, first, more): &mut Flood) -> Duration {
    let began = Instant::now();
    let fate = flood(hub, first.clone(), more).await;
    assert!(matches!(
        fate,
        Ok(Fate::GoAway(1..) | Fate::Closed) | Err(_)
    ));
    began.elapsed()
}

pub fn h2_abuse(extent: Extent) -> Outcome {
    const EVERY: Duration = Duration::from_millis(1);
    let hub = hub();
    let mut floods = floods();
    let time = extent.time(Duration::from_secs(120));
    let each = (time / (2 * floods.len() as u32)).max(Duration::from_secs(1));
    let quiet = Probe::during(hub.grpc, EVERY, each);
    let (mut said, mut passed) = (Vec::new(), true);
    for flood in &mut floods {
        let probe = Probe::start(hub.grpc, EVERY);
        // The first one is timed; then the peer comes back again and again.
        let (longest, times) = on_runtime(async {
            let (began, mut longest, mut times) = (Instant::now(), Duration::ZERO, 0);
            while began.elapsed() < each {
                longest = longest.max(attack(hub.grpc, flood).await);
                times += 1;
            }
            (longest, times)
        });
        let beside = probe.end();
        let share = beside.latencies.len() as f64 / quiet.latencies.len() as f64;
        passed &= longest <= Duration::from_secs(1) && share >= 0.9;
        said.push(format!(
            "{}: ended {times} times, <= {:.0} ms each, others {:.0} %",
            flood.0,
            ms(longest),
            share * 100.0
        ));
    }
    let memory = resident(hub.process.pid());
    said.push(format!("resident {:.1} MiB", mib(memory)));
    let ran = format!("{} floods, {} each", floods.len(), span(each));
    Outcome::of(passed, said.join("; ")).ran(ran)
}
