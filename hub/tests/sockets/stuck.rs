//! Half a message and then silence.

use std::time::Duration;

use crate::client::Connection;
use crate::rig::{FAN_OUT, Hub, config, message, packet};

#[tokio::test]
async fn half_a_message_and_then_silence_ends_that_stream_only() {
    let mut config = config();
    config.heartbeat.timeout = Duration::from_millis(200);
    config.heartbeat.interval = Duration::from_millis(100);
    let hub = Hub::with(config, FAN_OUT);
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut stuck = connection.process("src").await.accepted().await;
    stuck.send_raw(message(packet("cut", 100))[..70].to_vec());
    let (code, text) = stuck.ended().await;
    assert_eq!(code, 14, "{text}");
    assert!(text.contains("half a message"), "{text}");

    let mut src = connection.process("src").await.accepted().await;
    src.send_packet("whole", 10);
    while a.label().await != "whole" {}
}
