//! A producer that numbers its packets and has said all it wants to say: it hears what has become of
//! them before its stream ends (spec 2.4 rule 5).

use bytes::Bytes;

use crate::client::{Connection, Process};
use crate::rig::{AT_LEAST_ONCE, Hub, config};

const EDGE: [&str; 2] = ["from=\"src\"", "to=\"a\""];

/// A producer that has sent three numbered packets and ended its side.
async fn ended(hub: &Hub, connection: &mut Connection) -> Process {
    let metadata = [("hub-producer-epoch", "e7")];
    let mut src = connection.process_with(&metadata).await.accepted().await;
    for number in 1..=3 {
        src.send_numbered(number);
    }
    src.send.send_data(Bytes::new(), true).expect("half-closes");
    hub.wait_for_metric("hub_packets_accepted_total", &EDGE, 3.0)
        .await;
    src
}

#[tokio::test]
async fn a_producer_that_has_ended_hears_that_all_is_settled_before_its_stream_ends() {
    let hub = Hub::with(config(), AT_LEAST_ONCE);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = ended(&hub, &mut connection).await;
    let mut a = Connection::open(hub.grpc).await.process("a").await;
    for number in 1..=3 {
        assert_eq!(a.label().await, number.to_string());
    }
    a.send_ack(3);
    let mut heard = 0;
    let code = loop {
        match src.try_flow().await {
            Ok(flow) => heard = heard.max(flow.ack),
            Err((code, _)) => break code,
        }
    };
    assert_eq!((heard, code), (3, 0));
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
}

#[tokio::test]
async fn a_producer_that_waits_for_its_last_acks_and_goes_is_forgotten() {
    let hub = Hub::with(config(), AT_LEAST_ONCE);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = ended(&hub, &mut connection).await;
    assert_eq!(hub.metric("hub_streams", &[]), 1.0, "it waits");
    src.send.send_reset(h2::Reason::CANCEL);
    hub.wait_for_metric("hub_streams", &[], 0.0).await;
    let _another = ended(&hub, &mut connection).await;
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
}

#[tokio::test]
async fn a_drain_ends_a_producer_that_waits_for_its_last_acks() {
    let hub = Hub::with(config(), AT_LEAST_ONCE);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = ended(&hub, &mut connection).await;
    let drained = tokio::task::spawn_blocking(move || hub.drain());
    assert_eq!(src.ended().await.0, 14, "it may go on elsewhere");
    drained.await.expect("drained");
}
