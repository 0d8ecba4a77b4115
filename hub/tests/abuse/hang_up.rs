//! A peer that says all that it has at once and is gone: what came before the end counts, however
//! the connection ends.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Connection, Process};
use crate::raw::{DATA, PING, PREFACE, SETTINGS, answered, frame, greeted, process};
use crate::rig::{Hub, message, packet};

const PACKETS: usize = 20;

/// Packets on stream 1.
fn packets() -> Vec<u8> {
    let messages = (0..PACKETS).map(|n| message(packet(&n.to_string(), 100)));
    messages.flat_map(|m| frame(DATA, 0, 1, &m)).collect()
}

async fn all_come(a: &mut Process) {
    for n in 0..PACKETS {
        assert_eq!(a.label().await, n.to_string());
    }
}

#[tokio::test]
async fn what_a_client_says_in_one_breath_and_hangs_up_counts() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let settings = frame(SETTINGS, 0, 0, &[]);
    let all = [PREFACE.to_vec(), settings, process("src", 1), packets()].concat();
    let mut socket = TcpStream::connect(hub.grpc).await.expect("hub listens");
    socket.write_all(&all).await.expect("sent");
    socket.shutdown().await.expect("ended");
    all_come(&mut a).await;
}

#[tokio::test]
async fn what_came_right_before_a_breach_of_http2_counts() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut socket = greeted(hub.grpc).await.expect("hub listens");
    socket.write_all(&process("src", 1)).await.expect("sent");
    assert!(answered(&mut socket, 1).await, "a stream");
    // A PING of five bytes (RFC 9113, 6.7).
    let all = [packets(), frame(PING, 0, 0, &[0; 5])].concat();
    socket.write_all(&all).await.expect("sent");
    all_come(&mut a).await;
}
