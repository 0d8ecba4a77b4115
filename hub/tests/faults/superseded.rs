//! A connection that has lost its step and goes on as if it had not.

use tokio::sync::watch;

use crate::client::Connection;
use crate::rig::label;
use crate::traffic::{all, fixed, hub, produce};

#[tokio::test]
async fn the_receipts_of_a_superseded_consumer_release_nothing() {
    let hub = hub();
    let (acked, acks) = watch::channel(0);
    let producer = tokio::spawn(produce(fixed(hub.grpc), all(5), acked));
    let mut old = Connection::open(hub.grpc)
        .await
        .process("a")
        .await
        .accepted()
        .await;
    let edge = ["from=\"src\"", "to=\"a\""];
    hub.wait_for_metric("hub_in_flight_packets", &edge, 5.0)
        .await;
    let mut new = Connection::open(hub.grpc)
        .await
        .process("a")
        .await
        .accepted()
        .await;
    for number in 1..=5 {
        old.send_ack(number);
    }
    assert_eq!(old.ended().await.0, 10, "ABORTED");
    for number in 1..=5 {
        let packet = new.next().await.expect("a packet");
        assert_eq!(label(&packet), number.to_string(), "all of it comes again");
    }
    assert_eq!(*acks.borrow(), 0);
    assert_eq!(hub.metric("hub_in_flight_packets", &edge), 5.0);
    new.send_ack(5);
    producer.await.expect("acked through");
}

#[tokio::test]
async fn the_packets_of_a_superseded_producer_go_nowhere() {
    let hub = hub();
    let numbering = [("current-step-id", "src"), ("hub-producer-epoch", "e1")];
    let mut connection = Connection::open(hub.grpc).await;
    let mut old = connection.process_with(&numbering).await.accepted().await;
    let mut other = Connection::open(hub.grpc).await;
    let mut new = other.process_with(&numbering).await.accepted().await;
    let mut a = Connection::open(hub.grpc)
        .await
        .process("a")
        .await
        .accepted()
        .await;
    // As long as its window lets it.
    for number in 1..=1000 {
        let packet = crate::rig::message(crate::rig::packet(&format!("old {number}"), 100));
        if old.send.send_data(packet.into(), false).is_err() {
            break;
        }
    }
    assert_eq!(old.ended().await.0, 10, "ABORTED");
    new.send_numbered(1);
    assert_eq!(a.label().await, "1");
    assert_eq!(hub.metric("hub_packets_accepted_total", &[]), 1.0);
}
