//! A network that swallows everything and says nothing.

use tokio::sync::watch;

use crate::client::{Connection, Process};
use crate::proxy::{Fault, Proxy};
use crate::rig::label;
use crate::traffic::{all, fixed, hub, produce};

async fn next(process: &mut Process) -> (u64, u64) {
    loop {
        let packet = process.next().await.expect("a packet");
        if let Ok(number) = label(&packet).parse() {
            return (number, packet.envelope.map_or(0, |e| e.sequence));
        }
    }
}

#[tokio::test]
async fn a_black_hole_is_noticed_and_only_what_was_not_receipted_comes_again() {
    let hub = hub();
    let proxy = Proxy::to(hub.grpc).await;
    let mut a = Connection::open(proxy.addr).await.process("a").await;
    let (acked, mut acks) = watch::channel(0);
    let producer = tokio::spawn(produce(fixed(hub.grpc), all(10), acked));
    for n in 1..=5 {
        assert_eq!(next(&mut a).await, (n, n));
    }
    a.send_ack(3);
    acks.wait_for(|acked| *acked == 3).await.expect("acked");
    proxy.inflict(Fault::BlackHole);
    // The producer is still there; the consumer's connection, which answers no PING, is given up.
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    let mut a = Connection::open(hub.grpc).await.process("a").await;
    for n in 4..=10 {
        assert_eq!(next(&mut a).await, (n, n), "in order, by its old name");
    }
    a.send_ack(10);
    acks.wait_for(|acked| *acked == 10).await.expect("acked");
    producer.await.expect("done");
    let edge = ["from=\"src\"", "to=\"a\""];
    hub.wait_for_metric("hub_packets_delivered_total", &edge, 10.0)
        .await;
    assert_eq!(hub.metric("hub_in_flight_packets", &edge), 0.0);
}

#[tokio::test]
async fn what_a_dead_connection_says_once_it_is_back_changes_nothing() {
    let hub = hub();
    let proxy = Proxy::to(hub.grpc).await;
    let mut old = Connection::open(proxy.addr).await.process("a").await;
    let (acked, acks) = watch::channel(0);
    let producer = tokio::spawn(produce(fixed(hub.grpc), all(5), acked));
    assert_eq!(next(&mut old).await, (1, 1));
    proxy.inflict(Fault::BlackHole);
    old.send_ack(5);
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    let mut a = Connection::open(hub.grpc).await.process("a").await;
    assert_eq!(next(&mut a).await, (1, 1));
    // The ack comes out of the hole, for a connection that is no more.
    proxy.inflict(Fault::None);
    for n in 2..=5 {
        assert_eq!(next(&mut a).await, (n, n));
    }
    assert_eq!(*acks.borrow(), 0);
    a.send_ack(5);
    producer.await.expect("acked through");
}
