//! Lengths that promise more than will ever come.

use tokio::io::AsyncWriteExt;

use crate::client::Connection;
use crate::neighbour::Neighbour;
use crate::raw::{DATA, Fate, fate, frame, greeted, process};
use crate::rig::Hub;

#[tokio::test]
async fn a_message_of_a_gibibyte_is_refused_from_its_length_and_ends_its_stream_only() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut b = connection.process("b").await.accepted().await;
    b.send_raw(vec![0, 0x40, 0, 0, 0, 1, 2, 3]);
    let (code, text) = b.ended().await;
    assert_eq!(code, 8, "{text}");
    assert!(text.contains("1073741824"), "{text}");
    // The same connection, and others.
    let _again = connection.process("b").await.accepted().await;
    Neighbour::of(&hub).await.go_on().await;
}

#[tokio::test]
async fn a_frame_past_the_frame_limit_ends_its_connection() {
    let hub = Hub::start();
    let mut neighbour = Neighbour::of(&hub).await;
    let abuse = async {
        let mut socket = greeted(hub.grpc).await?;
        socket.write_all(&process("b", 1)).await?;
        // 16 MiB less one, the most that a frame header can say.
        let mut huge = frame(DATA, 0, 1, &[]);
        huge[..3].copy_from_slice(&[0xff; 3]);
        socket.write_all(&huge).await?;
        Ok(fate(socket).await)
    };
    let fate = neighbour.beside(abuse).await;
    // FRAME_SIZE_ERROR.
    assert!(matches!(fate, Fate::GoAway(6) | Fate::Closed), "{fate:?}");
}

#[tokio::test]
async fn data_for_a_stream_that_was_never_opened_ends_its_connection() {
    let hub = Hub::start();
    let mut neighbour = Neighbour::of(&hub).await;
    let abuse = async {
        let mut socket = greeted(hub.grpc).await?;
        socket.write_all(&frame(DATA, 0, 3, &[0; 100])).await?;
        Ok(fate(socket).await)
    };
    let fate = neighbour.beside(abuse).await;
    // PROTOCOL_ERROR.
    assert!(matches!(fate, Fate::GoAway(1) | Fate::Closed), "{fate:?}");
}
