//! Sockets that say nothing, or something else.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Connection;
use crate::rig::{DEADLINE, Hub};

#[tokio::test]
async fn a_silent_socket_is_closed_and_others_do_not_notice() {
    let hub = Hub::start();
    let mut silent = TcpStream::connect(hub.grpc).await.expect("connected");
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await;
    src.send_packet("hello", 10);
    assert_eq!(a.label().await, "hello");
    let mut read = Vec::new();
    let closed = tokio::time::timeout(DEADLINE, silent.read_to_end(&mut read)).await;
    assert_eq!(closed.expect("closed in time").expect("closed cleanly"), 0);
}

#[tokio::test]
async fn a_browser_is_told_what_this_port_is() {
    let hub = Hub::start();
    let mut socket = TcpStream::connect(hub.grpc).await.expect("connected");
    socket
        .write_all(b"GET / HTTP/1.1\r\nhost: hub\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{head} {}",
        body.len()
    );
    assert!(body.contains("gRPC"), "{body}");
}

#[tokio::test]
async fn garbage_instead_of_http2_is_closed() {
    let hub = Hub::start();
    let mut socket = TcpStream::connect(hub.grpc).await.expect("connected");
    socket.write_all(&[0x16, 3, 1, 0, 200]).await.expect("sent");
    let mut read = Vec::new();
    let closed = tokio::time::timeout(DEADLINE, socket.read_to_end(&mut read)).await;
    assert!(closed.is_ok(), "still open");
}
