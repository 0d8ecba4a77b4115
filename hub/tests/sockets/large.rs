//! Packets whose media spans many DATA frames, as clients with the usual frames of 16 KiB send it
//! (spec 6): they go on in the pieces that they came in, and arrive byte for byte.

use bytes::Bytes;
use prost::Message;
use transport_proto::v1;

use crate::client::{Connection, Process};
use crate::rig::{AT_LEAST_ONCE, Hub, config, framed, label, message, packet};

/// What a client puts into one DATA frame.
const FRAME: usize = 16 << 10;
/// Almost the 10 MiB that a message may have.
const LARGEST: usize = (10 << 20) - 1024;

/// A packet with `size` bytes of video, of which no two stretches are alike.
fn video(label: &str, size: usize) -> v1::DataPacket {
    let words = (0..size.div_ceil(8) as u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut payload: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    payload.truncate(size);
    v1::DataPacket {
        frame: Some(v1::data_packet::Frame::Video(v1::VideoFrame {
            payload: payload.into(),
            codec: "h264".into(),
            ..v1::VideoFrame::default()
        })),
        ..packet(label, 0)
    }
}

fn payload(packet: &v1::DataPacket) -> &[u8] {
    match &packet.frame {
        Some(v1::data_packet::Frame::Video(video)) => &video.payload,
        other => panic!("no video: {other:?}"),
    }
}

fn frames(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| bytes.split_to(bytes.len().min(FRAME))))
}

/// Sends `bytes` in frames, not all of which the hub has to take at once.
fn send(process: &mut Process, bytes: impl Into<Bytes>) {
    frames(bytes.into()).for_each(|frame| process.send_raw(frame));
}

async fn stream(connection: &mut Connection, step: &str) -> Process {
    connection.process(step).await.accepted().await
}

/// The next packet is `sent`; its bytes are not printed where it is not.
async fn assert_comes(process: &mut Process, sent: &v1::DataPacket) {
    let came = process.next().await.expect("a packet");
    assert_eq!(label(&came), label(sent));
    assert!(payload(&came) == payload(sent), "media of {}", label(sent));
}

#[tokio::test]
async fn ten_mebibytes_arrive_byte_for_byte_at_every_target() {
    let hub = Hub::start();
    let mut to_a = Connection::open(hub.grpc).await;
    let mut a = stream(&mut to_a, "a").await;
    let mut to_b = Connection::open(hub.grpc).await;
    let mut b = stream(&mut to_b, "b").await;
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = stream(&mut connection, "src").await;
    // The next message begins in the frame in which the one before ends.
    let sent = [video("1", LARGEST), video("2", 70_001), video("3", 5_000)];
    let messages: Vec<u8> = sent.iter().cloned().flat_map(message).collect();
    send(&mut src, messages);
    for packet in &sent {
        tokio::join!(assert_comes(&mut a, packet), assert_comes(&mut b, packet));
    }
}

#[tokio::test]
async fn what_stands_around_the_media_may_come_in_frames_of_its_own() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = stream(&mut connection, "a").await;
    let mut src = stream(&mut connection, "src").await;
    let sent = video("1", 40_000);
    let whole = Bytes::from(message(sent.clone()));
    let around = whole.len() - 40_000;
    for cut in (1..=around).chain(whole.len() - around..whole.len()) {
        send(&mut src, whole.slice(..cut));
        send(&mut src, whole.slice(cut..));
        assert_comes(&mut a, &sent).await;
    }
}

#[tokio::test]
async fn one_that_was_not_receipted_comes_again_byte_for_byte() {
    let hub = Hub::with(config(), AT_LEAST_ONCE);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = stream(&mut connection, "src").await;
    let mut first = Connection::open(hub.grpc).await;
    let mut a = stream(&mut first, "a").await;
    let sent = [video("1", 300_000), video("2", 3 << 20)];
    for packet in &sent {
        send(&mut src, message(packet.clone()));
        assert_comes(&mut a, packet).await;
    }
    a.send_ack(1);
    let edge = ["from=\"src\"", "to=\"a\""];
    hub.wait_for_metric("hub_in_flight_packets", &edge, 1.0)
        .await;
    drop((a, first));
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    let mut second = Connection::open(hub.grpc).await;
    let mut a = stream(&mut second, "a").await;
    assert_comes(&mut a, &sent[1]).await;
    a.send_ack(2);
    hub.wait_for_metric("hub_in_flight_packets", &edge, 0.0)
        .await;
    assert_eq!(hub.metric("hub_queue_bytes", &edge), 0.0);
}

#[tokio::test]
async fn a_producer_that_leaves_in_the_middle_of_media_takes_only_that_with_it() {
    let hub = Hub::start();
    let mut to_a = Connection::open(hub.grpc).await;
    let mut a = stream(&mut to_a, "a").await;
    let (whole, cut) = (video("whole", 200_000), message(video("cut", 500_000)));
    let mut leaving = Connection::open(hub.grpc).await;
    let mut src = stream(&mut leaving, "src").await;
    send(&mut src, message(whole.clone()));
    send(&mut src, cut[..cut.len() - 1].to_vec());
    assert_comes(&mut a, &whole).await;
    drop((src, leaving));
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    let mut back = Connection::open(hub.grpc).await;
    let mut src = stream(&mut back, "src").await;
    let after = video("after", 200_000);
    send(&mut src, message(after.clone()));
    assert_comes(&mut a, &after).await;
}

#[tokio::test]
async fn garbage_behind_media_ends_the_stream_and_nothing_of_it_is_routed() {
    let hub = Hub::start();
    let mut to_a = Connection::open(hub.grpc).await;
    let mut a = stream(&mut to_a, "a").await;
    let mut connection = Connection::open(hub.grpc).await;
    for garbage in [&b"\x0a\x7f\x01"[..], b"\xff\xff\xff\xff", b"\x0f"] {
        let mut src = stream(&mut connection, "src").await;
        let before = video("before", 100_000);
        send(&mut src, message(before.clone()));
        let request = v1::ProcessRequest {
            packet: Some(video("broken", 100_000)),
            flow: None,
        };
        let mut broken = request.encode_to_vec();
        broken.extend(garbage);
        send(&mut src, framed(&broken));
        let (code, text) = src.ended().await;
        assert_eq!(code, 3, "{text}");
        assert_comes(&mut a, &before).await;
    }
    let mut src = stream(&mut connection, "src").await;
    let after = video("after", 100_000);
    send(&mut src, message(after.clone()));
    assert_comes(&mut a, &after).await;
}
