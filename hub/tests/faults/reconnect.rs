//! Connections that are cut while packets flow.

use tokio::sync::watch;
use tokio::time::timeout;

use crate::proxy::{Fault, Proxy};
use crate::rig::DEADLINE;
use crate::traffic::{all, consume, fixed, hub, produce};

const PACKETS: u64 = 600;

/// Cuts in turn what each of `proxies` relays, every time that some more packets have come.
async fn cut_again_and_again(proxies: [&Proxy; 2], mut seen: watch::Receiver<u64>) {
    let mut turn = 0;
    loop {
        turn += 1;
        let more = turn * 37;
        if more >= PACKETS || seen.wait_for(|seen| *seen >= more).await.is_err() {
            return;
        }
        let fault = [Fault::Cut, Fault::Reset][(turn / 2 % 2) as usize];
        proxies[(turn % 2) as usize].cut(fault).await;
    }
}

#[tokio::test]
async fn nothing_is_lost_or_out_of_order_however_often_connections_are_cut() {
    let hub = hub();
    let (to_src, to_a) = (Proxy::to(hub.grpc).await, Proxy::to(hub.grpc).await);
    let (acked, mut acks) = watch::channel(0);
    let (seen, sees) = watch::channel(0);
    let consumer = tokio::spawn(consume(fixed(to_a.addr), all(PACKETS), seen));
    let producer = tokio::spawn(produce(fixed(to_src.addr), all(PACKETS), acked));
    let everything = async {
        cut_again_and_again([&to_src, &to_a], sees).await;
        consumer.await.expect("consumed")
    };
    let got = timeout(DEADLINE, everything)
        .await
        .expect("all came in time");
    got.assert_complete(PACKETS);
    assert_eq!(got.renamed, 0, "a duplicate keeps its identity");
    // The last receipts may have died with their connection; what they said is said again by
    // whoever comes back.
    let again = tokio::spawn(consume(
        fixed(to_a.addr),
        all(u64::MAX),
        watch::channel(0).0,
    ));
    let through = timeout(DEADLINE, acks.wait_for(|acked| *acked >= PACKETS - 20)).await;
    assert!(through.is_ok(), "acked through");
    again.abort();
    producer.abort();
}
