//! Streams that end with something still under way: what the client is owed, what stays, what is
//! given back.

use bytes::Bytes;
use h2::Reason;

use crate::client::{Connection, Process};
use crate::rig::Hub;
use crate::small_frames;

/// More of this size than a stream's window and the hub's send buffer hold together.
const PACKETS: usize = 40;
const SIZE: usize = 100_000;

/// Sends packets up to `through` to `a` and `b`, and waits until the hub has them.
async fn send_through(hub: &Hub, src: &mut Process, from: usize, through: usize) {
    for n in from..through {
        src.send_packet(&n.to_string(), SIZE);
    }
    hub.wait_for_metric("hub_packets_accepted_total", &["to=\"a\""], through as f64)
        .await;
}

/// Labels until the stream ends, and its status.
async fn read_out(process: &mut Process) -> (Vec<String>, i32) {
    let mut labels = Vec::new();
    loop {
        match process.next().await {
            Ok(packet) => labels.push(crate::rig::label(&packet).to_owned()),
            Err((code, _)) => return (labels, code),
        }
    }
}

#[tokio::test]
async fn a_client_that_is_done_is_owed_what_waited_and_not_what_came_later() {
    let hub = Hub::start();
    let mut reader = Connection::open(hub.grpc).await;
    let mut writer = Connection::open(hub.grpc).await;
    let mut a = reader.process("a").await.accepted().await;
    let mut src = writer.process("src").await.accepted().await;
    send_through(&hub, &mut src, 0, PACKETS).await;
    a.send.send_data(Bytes::new(), true).expect("half-close");
    // After it on the same connection: once this is refused, the half-close has been heard.
    let refused = reader.process("nobody").await.ended().await;
    assert_eq!(refused.0, 14);
    send_through(&hub, &mut src, PACKETS, 2 * PACKETS).await;
    let (first, code) = read_out(&mut a).await;
    assert_eq!(code, 0);
    assert!((PACKETS..2 * PACKETS).contains(&first.len()), "{first:?}");
    let mut a = reader.process("a").await.accepted().await;
    for n in first.len()..2 * PACKETS {
        assert_eq!(a.label().await, n.to_string(), "the rest stayed");
    }
}

#[tokio::test]
async fn a_stream_that_the_hub_ends_is_not_owed_what_waits() {
    let hub = Hub::start();
    let mut reader = Connection::open(hub.grpc).await;
    let mut writer = Connection::open(hub.grpc).await;
    let mut a = reader.process("a").await.accepted().await;
    let mut src = writer.process("src").await.accepted().await;
    send_through(&hub, &mut src, 0, PACKETS).await;
    a.send_raw(crate::rig::framed(b"\xff\xff"));
    let (first, code) = read_out(&mut a).await;
    assert_eq!(code, 3);
    assert!(first.len() < PACKETS, "{}", first.len());
    let mut a = reader.process("a").await.accepted().await;
    for n in first.len()..PACKETS {
        assert_eq!(a.label().await, n.to_string(), "the rest stayed");
    }
}

#[tokio::test]
async fn what_ended_streams_had_put_by_is_given_back_to_their_connection() {
    // More than a connection may put by, in windows of 1 MiB; and one that comes after them.
    const FIRST: usize = 16;
    let hub = small_frames::hub(FIRST + 1);
    let mut connection = Connection::open(hub.grpc).await;
    let mut producers = Vec::new();
    for n in 0..FIRST {
        let mut process = connection.process(&format!("p{n}")).await.accepted().await;
        for _ in 0..20 {
            process.send_packet("x", SIZE);
        }
        producers.push(process);
    }
    let refused = hub.wait_for_metric("hub_streams", &[], (FIRST - 2) as f64);
    refused.await;
    for process in &mut producers {
        process.send.send_reset(Reason::CANCEL);
    }
    hub.wait_for_metric("hub_streams", &[], 0.0).await;

    let mut late = connection.process(&format!("p{FIRST}")).await;
    for n in 0..5 {
        late.send_packet(&n.to_string(), SIZE);
    }
    late.send.send_data(Bytes::new(), true).expect("half-close");
    let mut a = connection.process("a").await.accepted().await;
    let acks = async {
        for n in 1.. {
            a.label().await;
            a.send_ack(n);
        }
    };
    tokio::select! {
        () = acks => unreachable!("it reads on"),
        ended = late.ended() => assert_eq!(ended.0, 0, "{}", ended.1),
    }
}
