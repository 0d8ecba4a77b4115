//! drain: SIGTERM in traffic, and with a reader that is stuck.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::client::Connection;
use crate::probe::ms;
use crate::process::Hub;
use crate::rig::FAN_OUT;
use crate::traffic::{AT_LEAST_ONCE, all, consume, produce};
use crate::{Extent, Outcome, on_runtime};

const PACKETS: u64 = 5_000;

pub fn drain(_: Extent) -> Outcome {
    let (rolling, lost) = on_runtime(rolling_restart());
    let stuck = on_runtime(stuck());
    let passed = lost == 0 && rolling.1 && stuck <= Duration::from_millis(2_500);
    let said = format!(
        "rolling restart in traffic: exit after {:.0} ms, {lost} of {PACKETS} lost, clean: {}; \
         with a stuck reader and a deadline of 2 s: exit after {:.0} ms",
        ms(rolling.0),
        rolling.1,
        ms(stuck)
    );
    Outcome::of(passed, said)
}

async fn ended(hub: Hub) -> (Duration, bool) {
    let began = Instant::now();
    let ended = tokio::task::spawn_blocking(move || hub.terminate()).await;
    let ended = ended.expect("ended");
    let clean = ended.code == Some(0) && !ended.stderr.contains("drained with losses");
    (began.elapsed(), clean)
}

async fn rolling_restart() -> ((Duration, bool), u64) {
    let (first, second) = (
        Hub::serve(AT_LEAST_ONCE, &[]),
        Hub::serve(AT_LEAST_ONCE, &[]),
    );
    let (move_to, address) = watch::channel(first.grpc);
    let (acked, _acks) = watch::channel(0);
    let (seen, mut sees) = watch::channel(0);
    let consumer = tokio::spawn(consume(address.clone(), all(PACKETS), seen));
    let producer = tokio::spawn(produce(address, all(PACKETS), acked));
    let third = sees.wait_for(|seen| *seen >= PACKETS / 3).await;
    drop(third.expect("traffic"));
    move_to.send_replace(second.grpc);
    let exit = ended(first).await;
    let got = tokio::time::timeout(Duration::from_secs(30), consumer).await;
    producer.abort();
    let first = got.ok().and_then(Result::ok).map(|got| got.first);
    let lost = first.map_or(PACKETS, |first| PACKETS - first.len() as u64);
    (exit, lost)
}

async fn stuck() -> Duration {
    let hub = Hub::serve(FAN_OUT, &["--set", "drain.deadline=2s"]);
    let mut connection = Connection::open(hub.grpc).await;
    let _never_read = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    for _ in 0..40 {
        src.send_packet("x", 200_000);
    }
    let until = Instant::now() + Duration::from_secs(10);
    let all = "hub_packets_accepted_total{story=\"story\",from=\"src\",to=\"a\"} 40";
    while !hub.get("/metrics").1.contains(all) && Instant::now() < until {
        tokio::task::yield_now().await;
    }
    ended(hub).await.0
}
