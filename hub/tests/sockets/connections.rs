//! What happens to HTTP/2 connections and streams: readers that stop, resets, PINGs, other methods.

use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use tokio_stream::StreamExt;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_response};

use crate::client::{Connection, Process};
use crate::rig::{FAN_OUT, Hub, config, label};

/// More of this size than a stream's window and the hub's send buffer hold together.
const PACKETS: usize = 40;
const SIZE: usize = 100_000;

/// Sends [`PACKETS`] to `a` and `b`, and waits until the hub has them all.
async fn send_many(hub: &Hub, src: &mut Process) {
    for n in 0..PACKETS {
        src.send_packet(&n.to_string(), SIZE);
    }
    hub.wait_for_metric("hub_packets_accepted_total", &["to=\"a\""], PACKETS as f64)
        .await;
}

#[tokio::test]
async fn a_reader_that_stops_and_goes_on_gets_everything_in_order() {
    let hub = Hub::start();
    let (mut reader, mut writer) = (
        Connection::open(hub.grpc).await,
        Connection::open(hub.grpc).await,
    );
    let mut a = reader.process("a").await.accepted().await;
    let mut src = writer.process("src").await.accepted().await;
    send_many(&hub, &mut src).await;
    for n in 0..PACKETS {
        assert_eq!(a.label().await, n.to_string());
    }
}

#[tokio::test]
async fn a_reader_that_stopped_keeps_nothing_from_other_streams_of_its_connection() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let _stuck = connection.process("a").await.accepted().await;
    let mut b = connection.process("b").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    send_many(&hub, &mut src).await;
    for n in 0..PACKETS {
        assert_eq!(b.label().await, n.to_string());
    }
}

#[tokio::test]
async fn a_client_that_resets_its_stream_is_gone_at_once() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    src.send.send_reset(Reason::CANCEL);
    hub.wait_for_metric("hub_streams", &[], 0.0).await;
}

#[tokio::test]
async fn a_client_that_is_done_and_then_resets_is_owed_nothing_more() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    send_many(&hub, &mut src).await;
    a.send.send_data(Bytes::new(), true).expect("half-close");
    // On the same connection, so the hub has seen what came before.
    src.send_packet("later", 10);
    let accepted = (PACKETS + 1) as f64;
    hub.wait_for_metric("hub_packets_accepted_total", &["to=\"a\""], accepted)
        .await;
    assert_eq!(hub.metric("hub_streams", &[]), 2.0, "it is still owed much");
    a.send.send_reset(Reason::CANCEL);
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
}

#[tokio::test]
async fn a_peer_that_only_answers_pings_stays() {
    let mut config = config();
    config.heartbeat.interval = Duration::from_millis(50);
    config.heartbeat.timeout = Duration::from_millis(150);
    let hub = Hub::with(config, FAN_OUT);
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    // Heartbeats tell the time: this is well past the timeout.
    for _ in 0..10 {
        assert_eq!(label(&a.next().await.expect("a heartbeat")), "");
    }
    let mut src = Connection::open(hub.grpc).await.process("src").await;
    src.send_packet("still here", 10);
    while a.label().await != "still here" {}
}

#[tokio::test]
async fn an_answer_of_tonics_arrives_whole() {
    let hub = Hub::start();
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", hub.grpc));
    let channel = channel.expect("uri").connect().await.expect("connected");
    let mut client = ServerReflectionClient::new(channel);
    let symbol = "transport.v1.HubService".to_owned();
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(symbol)),
    };
    // Open on both sides, as grpcurl has it.
    let requests = tokio_stream::iter([request]).chain(tokio_stream::pending());
    let answers = client.server_reflection_info(requests).await;
    let mut answers = answers.expect("accepted").into_inner();
    let answer = answers
        .message()
        .await
        .expect("answered")
        .expect("an answer");
    match answer.message_response {
        Some(server_reflection_response::MessageResponse::FileDescriptorResponse(files)) => {
            assert!(!files.file_descriptor_proto.is_empty());
        }
        other => panic!("{other:?}"),
    }
}
