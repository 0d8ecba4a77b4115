//! kill_9: random kills of the hub in traffic.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::probe::ms;
use crate::process::Hub;
use crate::traffic::{AT_LEAST_ONCE, consume, produce};
use crate::{Extent, Outcome, on_runtime};

/// As many as there are to be.
const KILLS: u64 = 1000;

pub fn kill_9(extent: Extent) -> Outcome {
    on_runtime(run(extent))
}

async fn run(extent: Extent) -> Outcome {
    let began = Instant::now();
    let time = extent.time(Duration::ZERO);
    let mut hub = Hub::serve(AT_LEAST_ONCE, &[]);
    let (move_to, address) = watch::channel(hub.grpc);
    let (stop_at, total) = watch::channel(u64::MAX);
    let (acked, acks) = watch::channel(0);
    let (seen, mut sees) = watch::channel(0);
    let consumer = tokio::spawn(consume(address.clone(), total.clone(), seen));
    let producer = tokio::spawn(produce(address, total, acked));
    let (mut kills, mut ready, mut resumed) = (0u64, Vec::new(), Vec::new());
    while began.elapsed() < time || (extent.full && kills < KILLS) {
        // Random enough: how far traffic has come when the clock says so.
        let pause = Duration::from_micros(20_000 + began.elapsed().subsec_nanos() as u64 % 150_000);
        tokio::time::sleep(pause).await;
        let before = *sees.borrow();
        hub.process.signal("KILL");
        kills += 1;
        let killed = Instant::now();
        hub = tokio::task::spawn_blocking(|| Hub::serve(AT_LEAST_ONCE, &[]))
            .await
            .expect("serves again");
        ready.push(killed.elapsed());
        move_to.send_replace(hub.grpc);
        let moved = sees.wait_for(|seen| *seen > before);
        moved.await.expect("the consumer lives");
        resumed.push(killed.elapsed());
    }
    let last = *acks.borrow() + 100;
    stop_at.send_replace(last);
    let got = tokio::time::timeout(Duration::from_secs(30), consumer).await;
    producer.abort();
    let Ok(Ok(got)) = got else {
        return Outcome::of(false, format!("{kills} kills; the rest never came"));
    };
    let in_order = got.first.windows(2).all(|pair| pair[0] < pair[1]);
    let lost = last.saturating_sub(got.first.len() as u64);
    ready.sort_unstable();
    resumed.sort_unstable();
    let (ready, resumed) = (ready[ready.len() - 1], resumed[resumed.len() * 99 / 100]);
    let passed = lost == 0
        && in_order
        && ready <= Duration::from_millis(500)
        && resumed <= Duration::from_secs(2);
    let said = format!(
        "{kills} kills of the hub, {last} packets: {lost} lost, order {}, {} again under a new \
         epoch; ready again <= {:.0} ms (start of the process included), resumed p99 {:.0} ms",
        if in_order { "kept" } else { "BROKEN" },
        got.renamed,
        ms(ready),
        ms(resumed)
    );
    Outcome::of(passed, said).ran(format!("{kills} kills"))
}
