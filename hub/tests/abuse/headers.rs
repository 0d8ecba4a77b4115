//! Headers without end.

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::neighbour::Neighbour;
use crate::raw::{
    CONTINUATION, END_HEADERS, Fate, HEADERS, answered, flood, frame, greeted, literal,
    process_headers,
};
use crate::rig::{DEADLINE, Hub};

async fn is_ended(first: Vec<u8>, more: impl FnMut(u32) -> Vec<u8>) {
    let hub = Hub::start();
    let mut neighbour = Neighbour::of(&hub).await;
    let fate = neighbour.beside(flood(hub.grpc, first, more)).await;
    // Any error but NO_ERROR.
    assert_ne!(fate, Fate::GoAway(0));
    hub.wait_for_metric("hub_streams", &[], 2.0).await;
}

#[tokio::test]
async fn continuations_without_end_are_ended() {
    let first = frame(HEADERS, 0, 1, &process_headers("b"));
    is_ended(first, |n| {
        frame(CONTINUATION, 0, 1, &literal("x", &n.to_string()))
    })
    .await;
}

#[tokio::test]
async fn empty_continuations_without_end_are_ended() {
    let first = frame(HEADERS, 0, 1, &process_headers("b"));
    is_ended(first, |_| frame(CONTINUATION, 0, 1, &[])).await;
}

#[tokio::test]
async fn a_header_bomb_is_ended() {
    // Puts 3,000 bytes into the table once, and names them thousands of times in a few bytes.
    let mut bomb = process_headers("b");
    // Literal with indexing; the length of the value is 127 + 2873.
    bomb.extend([0x40, 1, b'x', 127, 0xb9, 0x16]);
    bomb.extend(vec![b'y'; 3000]);
    // Index 62: the newest entry.
    bomb.extend(vec![0xbe; 12_000]);
    is_ended(Vec::new(), move |n| {
        frame(HEADERS, END_HEADERS, 2 * n + 1, &bomb)
    })
    .await;
}

#[tokio::test]
async fn headers_past_the_limit_are_refused_and_no_more() {
    let mut large = process_headers("b");
    for n in 0..400 {
        large.extend(literal(&format!("x{n}"), &"y".repeat(100)));
    }
    // In one frame of 16 KiB at most, the rest as continuations.
    let (head, rest) = large.split_at(16_000);
    let hub = Hub::start();
    let mut neighbour = Neighbour::of(&hub).await;
    let mut socket = greeted(hub.grpc).await.expect("greeted");
    let mut request = frame(HEADERS, 0, 1, head);
    let mut parts = rest.chunks(16_000).peekable();
    while let Some(part) = parts.next() {
        let flags = if parts.peek().is_none() {
            END_HEADERS
        } else {
            0
        };
        request.extend(frame(CONTINUATION, flags, 1, part));
    }
    socket.write_all(&request).await.expect("sent");
    let answered = timeout(DEADLINE, answered(&mut socket, 1)).await;
    assert!(
        answered.expect("in time"),
        "the stream is refused, not more"
    );
    neighbour.go_on().await;
}
