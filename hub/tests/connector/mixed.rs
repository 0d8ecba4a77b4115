//! Engrams of both contracts in one Story.

use transport_proto::v1;

use crate::client::Connection;
use crate::engram::{Engram, envelope, message, owned};
use crate::rig::{self, Hub};

/// A packet with everything that a packet can have, and its like on the connector contract.
fn full() -> (v1::DataPacket, v1::DataRequest) {
    let object = |key: &str| prost_types::Struct {
        fields: [(
            key.to_owned(),
            prost_types::Value {
                kind: Some(prost_types::value::Kind::StringValue("v".repeat(5000))),
            },
        )]
        .into(),
    };
    let transports = vec![v1::TransportDescriptor {
        name: "t".into(),
        kind: "grpc".into(),
        mode: "hot".into(),
        typed_config: None,
    }];
    let audio = v1::AudioFrame {
        pcm: vec![7; 9000].into(),
        sample_rate_hz: 16_000,
        channels: 1,
        codec: "pcm16".into(),
        timestamp_ms: 40,
    };
    let metadata = owned(&[("n", "full"), ("type", "speech.audio.v1")]);
    let packet = v1::DataPacket {
        metadata: metadata.clone(),
        payload: Some(object("payload")),
        inputs: Some(object("inputs")),
        transports: transports.clone(),
        frame: Some(v1::data_packet::Frame::Audio(audio.clone())),
        envelope: None,
    };
    let request = v1::DataRequest {
        metadata,
        payload: Some(object("payload")),
        inputs: Some(object("inputs")),
        transports,
        frame: Some(v1::data_request::Frame::Audio(audio)),
        envelope: None,
    };
    (packet, request)
}

#[tokio::test]
async fn what_an_engram_says_reaches_clients_of_both_contracts_unchanged() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut b = Engram::connect(&hub, "b").await;
    let src = Engram::connect(&hub, "src").await;
    let (packet, request) = full();
    src.data.say(request).await;
    let on_process = a.next().await.unwrap();
    let on_data = b.data.next().await.unwrap();
    assert_eq!(on_process.payload, packet.payload);
    assert_eq!(on_process.inputs, packet.inputs);
    assert_eq!(on_process.transports, packet.transports);
    assert_eq!(on_process.frame, packet.frame);
    assert_eq!(on_process.metadata["type"], "speech.audio.v1");
    assert_eq!(on_process.metadata["current-step-id"], "a");
    assert_eq!(on_data.payload, packet.payload);
    assert_eq!(on_data.inputs, packet.inputs);
    assert_eq!(on_data.transports, packet.transports);
    let v1::data_response::Frame::Audio(audio) = on_data.frame.clone().unwrap() else {
        panic!("an audio frame: {on_data:?}");
    };
    assert_eq!(Some(v1::data_packet::Frame::Audio(audio)), packet.frame);
    assert_eq!(on_data.metadata["type"], "speech.audio.v1");
    assert_eq!(on_data.metadata["current-step-id"], "b");
    assert!(envelope(&on_data).stream_id.starts_with("default/story/b@"));
}

#[tokio::test]
async fn what_a_process_client_says_reaches_an_engram_unchanged() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    let (packet, _) = full();
    src.send_raw(rig::message(packet.clone()));
    let got = a.data.next().await.unwrap();
    assert_eq!(got.payload, packet.payload);
    assert_eq!(got.inputs, packet.inputs);
    assert_eq!(got.transports, packet.transports);
    assert_eq!(got.metadata["n"], "full");
    assert_eq!(got.metadata["storyrun-name"], "story");
}

#[tokio::test]
async fn what_waits_for_a_step_is_delivered_by_whichever_contract_comes_for_it() {
    let hub = Hub::start();
    let src = Engram::connect(&hub, "src").await;
    src.data.say(message("one", 10)).await;
    src.data.say(message("two", 9000)).await;
    hub.wait_for_metric("hub_queue_packets", &[], 4.0).await;
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    assert_eq!(
        (a.label().await, a.label().await),
        ("one".into(), "two".into())
    );
    let mut b = Engram::connect(&hub, "b").await;
    assert_eq!(b.data.label().await, "one");
    assert_eq!(b.data.label().await, "two");
}

#[tokio::test]
async fn a_message_as_large_as_may_be_goes_through() {
    let hub = Hub::start();
    let mut b = Engram::connect(&hub, "b").await;
    let src = Engram::connect(&hub, "src").await;
    // As much as fits with what the hub adds for its targets.
    let size = (10 << 20) - 400;
    src.data.say(message("large", size)).await;
    src.data.say(message("after", 1)).await;
    let large = b.data.next().await.unwrap();
    let Some(v1::data_response::Frame::Binary(frame)) = &large.frame else {
        panic!("a binary frame");
    };
    assert_eq!(frame.payload.len(), size);
    assert!(frame.payload.iter().all(|byte| *byte == b'x'));
    assert_eq!(b.data.label().await, "after");
}
