//! Stopping: what waits is delivered, streams end with UNAVAILABLE, always by the deadline.

use std::time::Duration;

use crate::client::Connection;
use crate::rig::{FAN_OUT, Hub, config};

#[tokio::test]
async fn a_drain_delivers_what_waits_and_ends_streams_with_unavailable() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut b = connection.process("b").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    for n in 0..100 {
        src.send_packet(&n.to_string(), 5_000);
    }
    hub.wait_for_metric("hub_packets_accepted_total", &["to=\"a\""], 100.0)
        .await;
    let draining = tokio::task::spawn_blocking(move || hub.drain());
    for n in 0..100 {
        assert_eq!(a.label().await, n.to_string());
        assert_eq!(b.label().await, n.to_string());
    }
    assert_eq!(a.ended().await.0, 14);
    assert_eq!(b.ended().await.0, 14);
    assert_eq!(src.ended().await.0, 14);
    drop(connection);
    let report = draining.await.expect("drained");
    assert_eq!((report.abandoned, report.in_time), (0, true));
}

#[tokio::test]
async fn an_idle_hub_drains_at_once_whatever_sockets_are_open() {
    let mut config = config();
    config.drain.deadline = Duration::from_secs(3600);
    let hub = Hub::with(config, FAN_OUT);
    let _silent = tokio::net::TcpStream::connect(hub.grpc)
        .await
        .expect("connected");
    let _idle = Connection::open(hub.grpc).await;
    let draining = tokio::task::spawn_blocking(move || hub.drain());
    let report = tokio::time::timeout(crate::rig::DEADLINE, draining).await;
    assert!(report.expect("at once").expect("drained").in_time);
}

#[tokio::test]
async fn a_reader_that_is_stuck_never_delays_past_the_deadline() {
    let mut config = config();
    config.drain.deadline = Duration::from_millis(300);
    let hub = Hub::with(config, FAN_OUT);
    let mut connection = Connection::open(hub.grpc).await;
    // Opened and never read: its window fills, then its queue.
    let _a = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    for n in 0..40 {
        src.send_packet(&n.to_string(), 200_000);
    }
    hub.wait_for_metric("hub_packets_accepted_total", &["to=\"a\""], 40.0)
        .await;
    let draining = tokio::task::spawn_blocking(move || hub.drain());
    let report = tokio::time::timeout(crate::rig::DEADLINE, draining).await;
    let report = report.expect("by the deadline").expect("drained");
    assert!(!report.in_time);
    assert!(report.abandoned > 0);
}

#[tokio::test]
async fn clients_that_act_on_control_are_told_of_a_drain() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let accept = [("current-step-id", "a"), ("hub-accept", "control")];
    let mut a = connection.process_with(&accept).await.accepted().await;
    let mut b = connection.process("b").await.accepted().await;
    let draining = tokio::task::spawn_blocking(move || hub.drain());
    let told = a.next().await.expect("a directive");
    let word = told.metadata.get("hub-control").map(String::as_str);
    assert_eq!(word, Some("draining"));
    assert_eq!(a.ended().await.0, 14);
    assert!(b.next().await.is_err(), "others see no more than the end");
    drop(connection);
    assert!(draining.await.expect("drained").in_time);
}
