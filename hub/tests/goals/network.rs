//! network_cut: a black hole between a consumer and the hub.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::client::Connection;
use crate::probe::{gauge, ms};
use crate::process::Hub;
use crate::proxy::{Fault, Proxy};
use crate::traffic::{AT_LEAST_ONCE, all, fixed, produce};
use crate::{Extent, Outcome, on_runtime, rig};

const PACKETS: u64 = 30;
const RECEIPTED: u64 = 10;

pub fn network_cut(extent: Extent) -> Outcome {
    on_runtime(run(extent))
}

async fn run(extent: Extent) -> Outcome {
    let beat = if extent.full { 10 } else { 1 };
    let (interval, timeout) = (
        format!("heartbeat.interval={beat}s"),
        format!("heartbeat.timeout={}s", 3 * beat),
    );
    let flags = ["--set", interval.as_str(), "--set", timeout.as_str()];
    let hub = Hub::serve(AT_LEAST_ONCE, &flags);
    let proxy = Proxy::to(hub.grpc).await;
    let mut a = Connection::open(proxy.addr).await.process("a").await;
    let (acked, mut acks) = watch::channel(0);
    let producer = tokio::spawn(produce(fixed(hub.grpc), all(PACKETS), acked));
    let mut got = 0;
    while got < PACKETS {
        let packet = a.next().await.expect("a packet");
        got += u64::from(!rig::label(&packet).is_empty());
    }
    a.send_ack(RECEIPTED);
    let heard = acks.wait_for(|acked| *acked == RECEIPTED).await;
    heard.expect("acked");
    proxy.inflict(Fault::BlackHole);
    let began = Instant::now();
    while gauge(&hub, "hub_streams") > 1.0 && began.elapsed() < Duration::from_secs(20 * beat) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let noticed = began.elapsed();
    let began = Instant::now();
    let mut a = Connection::open(hub.grpc).await.process("a").await;
    let mut again = Vec::new();
    while again.last() != Some(&PACKETS) {
        let packet = a.next().await.expect("a packet");
        if let Ok(number) = rig::label(&packet).parse::<u64>() {
            again.push(number);
        }
    }
    let replayed = began.elapsed();
    a.send_ack(PACKETS);
    producer.await.expect("acked through");
    let suffix = again == (RECEIPTED + 1..=PACKETS).collect::<Vec<_>>();
    let passed =
        suffix && noticed <= Duration::from_secs(3 * beat) && replayed <= Duration::from_secs(2);
    let said = format!(
        "heartbeats every {beat} s, timeout {} s: noticed after {:.2} s; then only the {} unreceipted \
         packets came again, in order: {suffix}, within {:.0} ms",
        3 * beat,
        noticed.as_secs_f64(),
        PACKETS - RECEIPTED,
        ms(replayed)
    );
    Outcome::of(passed, said).ran(format!("heartbeats of {beat} s"))
}
