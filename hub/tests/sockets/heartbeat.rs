//! Heartbeats both ways, and noticing who is gone.

use std::time::Duration;

use transport_proto::v1;

use crate::client::Connection;
use crate::rig::{FAN_OUT, Hub, config, message};

fn is_heartbeat(packet: &v1::DataPacket) -> bool {
    packet
        .metadata
        .get("bubu-heartbeat")
        .is_some_and(|v| v == "true")
}

#[tokio::test]
async fn the_hub_sends_heartbeats_to_an_idle_stream() {
    let mut config = config();
    config.heartbeat.interval = Duration::from_millis(20);
    let hub = Hub::with(config, FAN_OUT);
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await;
    for _ in 0..3 {
        let beat = a.next().await.expect("a heartbeat");
        assert!(is_heartbeat(&beat), "{beat:?}");
        assert_eq!(beat.envelope, None, "never sequenced");
        assert_eq!(beat.payload.map(|p| p.fields.len()), Some(0));
    }
    assert_eq!(
        hub.metric("hub_packets_accepted_total", &[]),
        0.0,
        "never counted as packets"
    );
}

#[tokio::test]
async fn an_engrams_heartbeat_goes_on_to_connected_dependents_only() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    let metadata = [("bubu-heartbeat".to_owned(), "true".to_owned())].into();
    src.send_raw(message(v1::DataPacket {
        metadata,
        ..v1::DataPacket::default()
    }));
    let beat = a.next().await.expect("a heartbeat");
    assert!(is_heartbeat(&beat));
    assert_eq!(beat.metadata["current-step-id"], "a");
    assert_eq!(hub.metric("hub_queue_packets", &["to=\"b\""]), 0.0);
    assert_eq!(
        hub.metric("hub_heartbeats_total", &["direction=\"in\""]),
        1.0
    );
}

#[tokio::test]
async fn a_peer_that_answers_nothing_is_noticed_and_its_streams_end() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut config = config();
    config.heartbeat.interval = Duration::from_millis(50);
    config.heartbeat.timeout = Duration::from_millis(150);
    let hub = Hub::with(config, FAN_OUT);
    // Preface and empty SETTINGS, then nothing: PINGs stay unanswered.
    let mut socket = tokio::net::TcpStream::connect(hub.grpc)
        .await
        .expect("connected");
    socket
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .expect("sent");
    let mut read = Vec::new();
    let closed = tokio::time::timeout(crate::rig::DEADLINE, socket.read_to_end(&mut read)).await;
    assert!(closed.is_ok(), "still open");
}
