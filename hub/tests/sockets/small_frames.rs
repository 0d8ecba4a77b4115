//! Many tiny DATA frames on streams that are left unread never cost the connection (spec 7, "Known
//! traps").

use crate::client::{Connection, Process};
use crate::rig::{DEADLINE, Hub, config, framed, message, packet};

/// Steps `p0`, `p1` and so on feed `a`, which gets everything at least once and has room for four.
pub fn hub(producers: usize) -> Hub {
    let mut story = String::from(
        "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports:
    - name: t
      transportRef: grpc
      streaming:
        delivery: { semantics: at_least_once, replay: { mode: memory } }
        backpressure: { buffer: { maxMessages: 4 } }
  steps:
",
    );
    let mut names = Vec::new();
    for n in 0..producers {
        let step = format!("    - {{ name: p{n}, ref: {{ name: p }}, transport: t, needs: [] }}\n");
        story.push_str(&step);
        names.push(format!("p{n}"));
    }
    let needs = names.join(", ");
    story.push_str(&format!(
        "    - {{ name: a, ref: {{ name: a }}, transport: t, needs: [{needs}] }}\n"
    ));
    Hub::with(config(), &story)
}

/// Waits until all that `process` was given has left for the hub.
async fn sent(process: &mut Process) {
    process.send.reserve_capacity(1);
    let room = std::future::poll_fn(|cx| process.send.poll_capacity(cx));
    let room = tokio::time::timeout(DEADLINE, room).await;
    room.expect("the hub takes it")
        .expect("open")
        .expect("open");
}

#[tokio::test]
async fn several_unread_streams_of_100_byte_frames_lose_neither_connection_nor_packets() {
    // Room for the 10,000 frames in the window of a stream, with what they cost HTTP/2 (spec 7).
    const FRAMES: usize = 10_000;
    const PRODUCERS: usize = 6;
    let hub = hub(PRODUCERS);
    let mut connection = Connection::open(hub.grpc).await;
    let filler = message(packet("x", 52));
    assert!((95..=104).contains(&filler.len()), "{}", filler.len());
    let filler = bytes::Bytes::from(filler);
    let mut producers = Vec::new();
    for n in 0..PRODUCERS {
        let step = format!("p{n}");
        let mut process = connection.process(&step).await.accepted().await;
        for _ in 0..FRAMES {
            process.send_raw(filler.clone());
        }
        producers.push(process);
    }
    for process in &mut producers {
        sent(process).await;
    }
    let mut a = connection.process("a").await.accepted().await;
    for n in 1..=(PRODUCERS * FRAMES) as u64 {
        a.next()
            .await
            .expect("a packet, on a connection that lives");
        if n % 2 == 0 {
            a.send_ack(n);
        }
    }
}

#[tokio::test]
async fn an_unread_stream_of_empty_messages_ends_nothing() {
    let hub = hub(1);
    let mut connection = Connection::open(hub.grpc).await;
    let mut producer = connection.process("p0").await.accepted().await;
    for n in 0..5 {
        producer.send_packet(&n.to_string(), 10);
    }
    let edge = ["from=\"p0\"", "to=\"a\""];
    hub.wait_for_metric("hub_paused", &edge, 1.0).await;
    let empty = bytes::Bytes::from(framed(&[]));
    for _ in 0..100_000 {
        producer.send_raw(empty.clone());
    }
    sent(&mut producer).await;
    let mut a = connection.process("a").await.accepted().await;
    for n in 0..5 {
        assert_eq!(a.label().await, n.to_string());
        a.send_ack(n + 1);
    }
}

#[tokio::test]
async fn streams_that_would_take_the_whole_connections_window_are_refused_one_by_one() {
    // More than the window of the connection, 16 MiB, in windows of 1 MiB.
    const PRODUCERS: usize = 20;
    let hub = hub(PRODUCERS);
    let mut connection = Connection::open(hub.grpc).await;
    let mut producers = Vec::new();
    for n in 0..PRODUCERS {
        let step = format!("p{n}");
        let mut process = connection.process(&step).await.accepted().await;
        for _ in 0..20 {
            process.send_packet("x", 100_000);
        }
        producers.push(process);
    }
    // The connection is not stuck: what its other streams say gets through.
    let mut a = connection.process("a").await.accepted().await;
    let acks = async {
        for n in 1.. {
            if a.next().await.is_err() {
                break;
            }
            a.send_ack(n);
        }
    };
    let refused = async {
        let mut refused = 0;
        for process in &mut producers {
            process.send.send_data(bytes::Bytes::new(), true).ok();
            let (code, text) = process.ended().await;
            match code {
                0 => {}
                8 => {
                    assert!(text.contains("more connections"), "{text}");
                    refused += 1;
                }
                _ => panic!("{code} {text}"),
            }
        }
        refused
    };
    tokio::select! {
        () = acks => panic!("the consumer lost its stream"),
        refused = refused => assert!((1..=PRODUCERS / 2).contains(&refused), "{refused} refused"),
    }
}

#[tokio::test]
async fn a_burst_of_tiny_frames_ends_nothing() {
    let hub = hub(1);
    let mut connection = Connection::open(hub.grpc).await;
    let mut producer = connection.process("p0").await.accepted().await;
    let mut refused = connection.process("nobody").await;
    let empty = bytes::Bytes::from(framed(&[]));
    for _ in 0..60_000 {
        producer.send_raw(empty.clone());
        // A refused client learns of it late, and may talk until then.
        let _ = refused.send.send_data(empty.clone(), false);
    }
    sent(&mut producer).await;
    let (code, text) = refused.ended().await;
    assert_eq!(code, 14, "{text}");
    producer.send_packet("last", 10);
    let mut a = connection.process("a").await.accepted().await;
    assert_eq!(a.label().await, "last");
}
