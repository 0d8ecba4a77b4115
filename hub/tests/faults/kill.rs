//! The built binary, killed without warning while packets flow.

use tokio::sync::watch;
use tokio::time::timeout;

use crate::process::Hub;
use crate::rig::DEADLINE;
use crate::traffic::{AT_LEAST_ONCE, all, consume, produce};

const PACKETS: u64 = 600;
const KILLS: u64 = 3;

#[tokio::test]
async fn a_hub_that_is_killed_loses_nothing_that_a_numbering_producer_sends_again() {
    let mut hub = Hub::serve(AT_LEAST_ONCE, &[]);
    let (move_to, address) = watch::channel(hub.grpc);
    let (acked, _acks) = watch::channel(0);
    let (seen, mut sees) = watch::channel(0);
    let consumer = tokio::spawn(consume(address.clone(), all(PACKETS), seen));
    let producer = tokio::spawn(produce(address, all(PACKETS), acked));
    for kill in 1..=KILLS {
        let traffic = sees.wait_for(|seen| *seen >= kill * PACKETS / (KILLS + 1));
        let traffic = timeout(DEADLINE, traffic).await.expect("in time");
        assert!(traffic.is_ok(), "the consumer is there");
        hub.process.signal("KILL");
        hub = tokio::task::spawn_blocking(|| Hub::serve(AT_LEAST_ONCE, &[]))
            .await
            .expect("serves again");
        move_to.send_replace(hub.grpc);
    }
    let got = timeout(DEADLINE, consumer).await.expect("in time");
    got.expect("consumed").assert_complete(PACKETS);
    producer.abort();
}
