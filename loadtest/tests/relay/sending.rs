//! The sending side of a stream.

use bytes::Bytes;
use h2::SendStream;
use tokio::sync::mpsc;

/// Sends what is queued as HTTP/2 has room; a `None` ends the stream with this gRPC status and
/// message.
pub(crate) async fn deliver(
    mut send: SendStream<Bytes>,
    mut queued: mpsc::UnboundedReceiver<Option<Bytes>>,
    (status, text): (&'static str, &'static str),
) {
    while let Some(message) = queued.recv().await {
        let Some(mut bytes) = message else {
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", status.parse().unwrap());
            trailers.insert("grpc-message", text.parse().unwrap());
            let _ = send.send_trailers(trailers);
            return;
        };
        while !bytes.is_empty() {
            send.reserve_capacity(bytes.len());
            if send.capacity() == 0 {
                match std::future::poll_fn(|cx| send.poll_capacity(cx)).await {
                    Some(Ok(_)) => continue,
                    _ => return,
                }
            }
            let part = bytes.split_to(send.capacity().min(bytes.len()));
            if send.send_data(part, false).is_err() {
                return;
            }
        }
    }
}
