//! A hub that is replaced by another while packets flow.

use tokio::sync::watch;
use tokio::time::timeout;

use crate::rig::DEADLINE;
use crate::traffic::{all, consume, hub, produce};

const PACKETS: u64 = 500;

#[tokio::test]
async fn a_hub_that_drains_in_traffic_loses_nothing_that_its_successor_is_sent_again() {
    let first = hub();
    let second = hub();
    let (move_to, address) = watch::channel(first.grpc);
    let (acked, _acks) = watch::channel(0);
    let (seen, mut sees) = watch::channel(0);
    let consumer = tokio::spawn(consume(address.clone(), all(PACKETS), seen));
    let producer = tokio::spawn(produce(address, all(PACKETS), acked));
    sees.wait_for(|seen| *seen >= PACKETS / 3)
        .await
        .expect("traffic");
    move_to.send_replace(second.grpc);
    let report = tokio::task::spawn_blocking(move || first.drain());
    let got = timeout(DEADLINE, consumer).await.expect("in time");
    got.expect("consumed").assert_complete(PACKETS);
    assert!(report.await.expect("drained").in_time);
    producer.abort();
}
