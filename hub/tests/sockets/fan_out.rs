//! Packets reach every target, unchanged but for what the hub writes.

use crate::client::Connection;
use crate::rig::{Hub, label, packet};

#[tokio::test]
async fn a_packet_reaches_both_targets_stamped_for_each() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut b = connection.process("b").await.accepted().await;
    let mut src = connection.process("src").await;
    src.send_packet("hello", 640);
    for (step, stream) in [("a", &mut a), ("b", &mut b)] {
        let got = stream.next().await.expect("a packet");
        assert_eq!(label(&got), "hello");
        assert_eq!(got.metadata["current-step-id"], step);
        assert_eq!(got.metadata["storyrun-name"], "story");
        assert_eq!(got.frame, packet("hello", 640).frame);
        let envelope = got.envelope.expect("an envelope");
        assert!(
            envelope
                .stream_id
                .starts_with(&format!("default/story/{step}@"))
        );
        assert_eq!(envelope.sequence, 0);
    }
    hub.wait_for_metric("hub_packets_delivered_total", &["to=\"a\""], 1.0)
        .await;
    assert_eq!(hub.metric("hub_packets_accepted_total", &[]), 2.0);
}

#[tokio::test]
async fn order_holds_for_every_size_in_one_stream() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await;
    let sizes = [0, 1, 100, 4_000, 4_200, 70_000, 300_000, 5, 1_500_000, 80];
    let sender = tokio::spawn(async move {
        for (n, size) in sizes.into_iter().enumerate() {
            src.send_packet(&n.to_string(), size);
        }
        src
    });
    for (n, size) in sizes.into_iter().enumerate() {
        let got = a.next().await.expect("a packet");
        assert_eq!(got.frame, packet(&n.to_string(), size).frame, "packet {n}");
        assert_eq!(label(&got), n.to_string());
    }
    drop(sender.await);
}

#[tokio::test]
async fn a_message_cut_into_single_bytes_arrives_whole() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await;
    for byte in crate::rig::message(packet("slices", 50)) {
        src.send_raw(vec![byte]);
    }
    assert_eq!(a.label().await, "slices");
}

#[tokio::test]
async fn a_client_that_says_it_is_done_gets_ok() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await;
    src.send
        .send_data(bytes::Bytes::new(), true)
        .expect("half-close");
    assert_eq!(src.ended().await.0, 0);
    hub.wait_for_metric("hub_streams", &[], 0.0).await;
}

#[tokio::test]
async fn a_client_that_is_done_still_gets_what_waited_for_it() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    for n in 0..3 {
        src.send_packet(&n.to_string(), 10);
    }
    hub.wait_for_metric("hub_queue_packets", &["to=\"a\""], 3.0)
        .await;
    let mut a = connection.process("a").await;
    a.send
        .send_data(bytes::Bytes::new(), true)
        .expect("half-close");
    for n in 0..3 {
        assert_eq!(a.label().await, n.to_string());
    }
    assert_eq!(a.ended().await.0, 0);
}
