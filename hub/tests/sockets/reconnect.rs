//! What a reconnect finds and what it ends.

use crate::client::Connection;
use crate::rig::Hub;

#[tokio::test]
async fn packets_wait_for_a_step_that_is_away() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    src.send_packet("early", 10);
    hub.wait_for_metric("hub_queue_packets", &["to=\"a\""], 1.0)
        .await;
    let mut a = connection.process("a").await;
    assert_eq!(a.label().await, "early");
}

#[tokio::test]
async fn the_same_generation_replaces_and_the_old_stream_is_aborted() {
    let hub = Hub::start();
    let mut first = Connection::open(hub.grpc).await;
    let mut second = Connection::open(hub.grpc).await;
    let mut src = first.process("src").await.accepted().await;
    let mut old = first.process("a").await.accepted().await;
    let mut new = second.process("a").await.accepted().await;
    assert_eq!(
        old.ended().await,
        (10, "superseded by generation 1".to_owned())
    );
    src.send_packet("hello", 10);
    assert_eq!(new.label().await, "hello");
    hub.wait_for_metric("hub_streams", &[], 2.0).await;
}

#[tokio::test]
async fn a_superseded_connection_that_keeps_talking_changes_nothing() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut old = connection.process("src").await.accepted().await;
    let mut new = connection
        .process_with(&[("connector-generation", "2")])
        .await
        .accepted()
        .await;
    // The old stream may be reset under it: then it could not talk in the first place.
    let _ = old.send.send_data(
        crate::rig::message(crate::rig::packet("stale", 10)).into(),
        false,
    );
    assert_eq!(old.ended().await.0, 10);
    new.send_packet("fresh", 10);
    assert_eq!(a.label().await, "fresh");
}

#[tokio::test]
async fn a_lower_generation_is_permission_denied() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let _src = connection
        .process_with(&[("connector-generation", "5")])
        .await
        .accepted()
        .await;
    let mut late = connection
        .process_with(&[("connector-generation", "4")])
        .await;
    assert_eq!(
        late.ended().await,
        (7, "superseded by generation 5".to_owned())
    );
}

#[tokio::test]
async fn two_clients_that_evict_each_other_are_damped() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut owner = connection.process("src").await.accepted().await;
    for _ in 0..3 {
        let next = connection.process("src").await.accepted().await;
        assert_eq!(owner.ended().await.0, 10);
        owner = next;
    }
    let (code, text) = connection.process("src").await.ended().await;
    assert_eq!(code, 14, "{text}");
    assert!(text.contains("two clients claim it"), "{text}");
}

#[tokio::test]
async fn a_cut_connection_keeps_the_queue_for_the_next_one() {
    let hub = Hub::start();
    let mut producer = Connection::open(hub.grpc).await;
    let mut src = producer.process("src").await.accepted().await;
    let mut consumer = Connection::open(hub.grpc).await;
    let a = consumer.process("a").await.accepted().await;
    drop((a, consumer));
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    src.send_packet("while away", 10);
    hub.wait_for_metric("hub_queue_packets", &["to=\"a\""], 1.0)
        .await;
    let mut consumer = Connection::open(hub.grpc).await;
    let mut a = consumer.process("a").await;
    assert_eq!(a.label().await, "while away");
}
