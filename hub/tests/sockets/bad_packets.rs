//! What breaks the contract ends at the door: a packet is dropped, garbage ends its own stream,
//! and nobody else notices (spec 2.3).

use std::collections::HashMap;

use prost::Message;
use transport_proto::v1;

use crate::client::{Connection, Process};
use crate::rig::{Hub, framed, message, packet};

struct Scene {
    hub: Hub,
    connection: Connection,
    a: Process,
    src: Process,
}

async fn scene() -> Scene {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let a = connection.process("a").await.accepted().await;
    let src = connection.process("src").await.accepted().await;
    Scene {
        hub,
        connection,
        a,
        src,
    }
}

impl Scene {
    /// Sends what must end the source's stream with `code`, then shows that the sink goes on.
    async fn ends_its_stream(&mut self, bytes: Vec<u8>, code: i32, says: &str) {
        self.src.send_packet("before", 10);
        self.src.send_raw(bytes);
        let (got, text) = self.src.ended().await;
        assert_eq!(got, code, "{text}");
        assert!(text.contains(says), "{text}");
        assert_eq!(self.a.label().await, "before");
        self.src = self.connection.process("src").await.accepted().await;
        self.src.send_packet("after", 10);
        assert_eq!(self.a.label().await, "after");
    }
}

#[tokio::test]
async fn garbage_ends_its_stream_with_invalid_argument() {
    let mut scene = scene().await;
    scene
        .ends_its_stream(framed(b"\xff\xff\xff garbage"), 3, "no ProcessRequest")
        .await;
    // A packet field whose length runs past the message.
    scene
        .ends_its_stream(framed(b"\x0a\x7f\x01"), 3, "no ProcessRequest")
        .await;
    // Metadata whose key is no UTF-8.
    scene
        .ends_its_stream(framed(b"\x0a\x05\x0a\x03\x0a\x01\xff"), 3, "UTF-8")
        .await;
}

#[tokio::test]
async fn a_message_over_ten_mebibytes_is_refused_from_its_prefix() {
    let mut scene = scene().await;
    let mut prefix = vec![0];
    prefix.extend((11u32 << 20).to_be_bytes());
    scene
        .ends_its_stream(prefix, 8, "limits.max_message_bytes")
        .await;
}

#[tokio::test]
async fn a_message_of_just_under_ten_mebibytes_passes() {
    let mut scene = scene().await;
    let size = (10 << 20) - 400;
    scene.src.send_raw(message(packet("big", size)));
    let got = scene.a.next().await.expect("a packet");
    assert_eq!(got.frame, packet("big", size).frame);
}

#[tokio::test]
async fn half_a_message_before_the_end_is_invalid_argument() {
    let mut scene = scene().await;
    let whole = message(packet("cut", 100));
    scene.src.send_raw(whole[..60].to_vec());
    scene
        .src
        .send
        .send_data(bytes::Bytes::new(), true)
        .expect("half-close");
    let (code, text) = scene.src.ended().await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("middle of a message"), "{text}");
}

#[tokio::test]
async fn a_compressed_message_is_the_clients_fault_unless_it_names_an_encoding() {
    let mut scene = scene().await;
    let compressed = vec![1, 0, 0, 0, 1, 0];
    scene
        .ends_its_stream(compressed.clone(), 13, "grpc-encoding")
        .await;
    let gzip = [("current-step-id", "src"), ("grpc-encoding", "gzip")];
    scene.src = scene.connection.process_with(&gzip).await.accepted().await;
    scene.ends_its_stream(compressed, 12, "identity").await;
}

#[tokio::test]
async fn a_packet_outside_the_limits_is_dropped_and_its_stream_goes_on() {
    let mut scene = scene().await;
    let metadata = |pairs: usize| -> HashMap<String, String> {
        (0..pairs)
            .map(|n| (format!("k{n}"), "v".to_owned()))
            .collect()
    };
    let audio = |rate, channels| v1::DataPacket {
        frame: Some(v1::data_packet::Frame::Audio(v1::AudioFrame {
            sample_rate_hz: rate,
            channels,
            ..v1::AudioFrame::default()
        })),
        ..v1::DataPacket::default()
    };
    let envelope = |envelope| v1::DataPacket {
        envelope: Some(envelope),
        ..packet("x", 1)
    };
    let bad = [
        v1::DataPacket {
            metadata: metadata(101).into_iter().collect(),
            ..packet("x", 1)
        },
        v1::DataPacket {
            metadata: [("k".repeat(129), String::new())].into_iter().collect(),
            ..packet("x", 1)
        },
        v1::DataPacket {
            metadata: [("k".to_owned(), "v".repeat(1025))].into_iter().collect(),
            ..packet("x", 1)
        },
        audio(7_999, 1),
        audio(48_000, 9),
        envelope(v1::StreamEnvelope {
            chunk_count: 2,
            ..v1::StreamEnvelope::default()
        }),
        envelope(v1::StreamEnvelope {
            stream_id: "s".repeat(129),
            ..Default::default()
        }),
        v1::DataPacket {
            transports: vec![v1::TransportDescriptor::default(); 11],
            ..packet("x", 1)
        },
    ];
    let count = bad.len();
    for packet in bad {
        let request = v1::ProcessRequest {
            packet: Some(packet),
            flow: None,
        };
        scene.src.send_raw(framed(&request.encode_to_vec()));
    }
    scene.src.send_packet("good", 10);
    assert_eq!(scene.a.label().await, "good");
    let refused = scene
        .hub
        .metric("hub_packets_refused_total", &["reason=\"invalid\""]);
    assert_eq!(refused, count as f64);
}

#[tokio::test]
async fn a_request_without_a_packet_is_nothing() {
    let mut scene = scene().await;
    let flow = v1::FlowControl {
        credits_messages: 5,
        ..v1::FlowControl::default()
    };
    let request = v1::ProcessRequest {
        packet: None,
        flow: Some(flow),
    };
    scene.src.send_raw(framed(&request.encode_to_vec()));
    scene.src.send_raw(framed(&[]));
    scene.src.send_packet("good", 10);
    assert_eq!(scene.a.label().await, "good");
}
