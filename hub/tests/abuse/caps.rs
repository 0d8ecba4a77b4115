//! How much one peer may take.

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::Connection;
use crate::neighbour::Neighbour;
use crate::rig::{DEADLINE, FAN_OUT, Hub, config};

#[tokio::test]
async fn a_connection_past_the_cap_of_its_peer_is_closed_and_there_is_room_again_when_one_ends() {
    let mut config = config();
    config.limits.max_connections_per_peer = Some(3);
    let hub = Hub::with(config, FAN_OUT);
    let mut neighbour = Neighbour::of(&hub).await;
    let held = Connection::open(hub.grpc).await;
    let mut silent = TcpStream::connect(hub.grpc).await.expect("connected");
    let mut one_more = TcpStream::connect(hub.grpc).await.expect("connected");
    let closed = timeout(DEADLINE, one_more.read(&mut [0])).await;
    assert!(matches!(closed, Ok(Ok(0) | Err(_))), "{closed:?}");
    neighbour.go_on().await;
    drop(held);
    // The silent one goes by itself, for want of a preface.
    let _ = timeout(DEADLINE, silent.read(&mut [0])).await;
    let mut again = Connection::open(hub.grpc).await;
    let _b = again.process("b").await.accepted().await;
}

#[tokio::test]
async fn a_stream_past_the_cap_of_its_peer_is_resource_exhausted() {
    let mut config = config();
    config.limits.max_streams_per_peer = Some(2);
    let hub = Hub::with(config, FAN_OUT);
    let mut neighbour = Neighbour::of(&hub).await;
    let mut connection = Connection::open(hub.grpc).await;
    let (code, text) = connection.process("b").await.ended().await;
    assert_eq!(code, 8, "{text}");
    assert!(text.contains("limits.max_streams_per_peer"), "{text}");
    neighbour.go_on().await;
    drop(neighbour);
    hub.wait_for_metric("hub_streams", &[], 0.0).await;
    let _b = connection.process("b").await.accepted().await;
}
