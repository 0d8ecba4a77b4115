//! Owns the client of `HubService.Process` on raw HTTP/2: one stream per step, no gRPC library.
//!
//! Never decodes messages. Settings are those of spec 6: stream window 1 MiB, connection window
//! 16 MiB, frames up to 1 MiB, no Nagle. Each stream dials a connection of its own, as connectors
//! do, unless told to share.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::{LengthPrefixed, OpenError, Peer, Sink, Source, StreamError, Wire};

const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
const MAX_FRAME: u32 = 1 << 20;
/// Bytes of one stream that wait in the HTTP/2 library for the socket.
const SEND_BUFFER: usize = 1 << 20;
const PROCESS: &str = "/transport.v1.HubService/Process";
const CONTRACT_VERSION: &str = "1.0.0";

/// Writes the prefix of a gRPC message of `len` bytes.
pub fn put_prefix(len: usize, out: &mut Vec<u8>) {
    out.push(0);
    // Callers send at most 10 MiB.
    out.extend_from_slice(&(len as u32).to_be_bytes());
}

/// Transport to a hub.
#[derive(Debug)]
pub struct GrpcWire {
    address: String,
    streams_per_connection: usize,
    /// Bytes of a DATA frame that is sent, at most.
    frame_bytes: usize,
    /// The connection that still takes streams, and how many it has taken.
    open: RefCell<Option<(Rc<Connection>, usize)>>,
}

#[derive(Debug)]
struct Connection {
    requests: SendRequest<Bytes>,
    /// Ends the task that owns the socket.
    task: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The last stream is gone; nothing is left to say on this connection.
        self.task.abort();
    }
}

impl GrpcWire {
    /// A transport to `address` (`host:port`) that puts so many streams on one connection.
    pub fn new(address: &str, streams_per_connection: usize) -> GrpcWire {
        GrpcWire {
            address: address.to_owned(),
            streams_per_connection: streams_per_connection.max(1),
            frame_bytes: MAX_FRAME as usize,
            open: RefCell::new(None),
        }
    }

    /// Sends DATA frames of at most so many bytes, as clients do that do not ask what the other
    /// side takes.
    #[must_use]
    pub fn in_frames_of(mut self, bytes: usize) -> GrpcWire {
        self.frame_bytes = bytes.max(1);
        self
    }

    async fn connection(&self) -> Result<Rc<Connection>, OpenError> {
        if let Some((connection, taken)) = self.open.borrow_mut().as_mut()
            && *taken < self.streams_per_connection
            && !connection.task.is_finished()
        {
            *taken += 1;
            return Ok(Rc::clone(connection));
        }
        let connection = Rc::new(self.dial().await?);
        if self.streams_per_connection > 1 {
            self.open.replace(Some((Rc::clone(&connection), 1)));
        }
        Ok(connection)
    }

    async fn dial(&self) -> Result<Connection, OpenError> {
        let unreachable = |reason: String| OpenError::Unreachable {
            address: self.address.clone(),
            reason,
        };
        let socket = TcpStream::connect(&self.address)
            .await
            .map_err(|e| unreachable(e.to_string()))?;
        socket
            .set_nodelay(true)
            .map_err(|e| unreachable(e.to_string()))?;
        let (requests, connection) = Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(MAX_FRAME)
            .max_send_buffer_size(SEND_BUFFER)
            .enable_push(false)
            .handshake(socket)
            .await
            .map_err(|e| unreachable(format!("no HTTP/2 there: {e}")))?;
        // Streams report what goes wrong; the connection task only drives the socket.
        let task = tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(Connection {
            requests,
            task: task.abort_handle(),
        })
    }

    fn request(&self, peer: &Peer) -> Result<Request<()>, http::Error> {
        let mut request = Request::post(format!("http://{}{PROCESS}", self.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("bubu-transport-protocol", CONTRACT_VERSION)
            .header("storyrun-name", &peer.name.run)
            .header("storyrun-namespace", &peer.name.namespace)
            .header("current-step-id", &peer.name.step)
            .header("connector-generation", "1")
            .header("startup.capabilities", "none");
        if let Some(epoch) = &peer.producer_epoch {
            request = request.header("hub-producer-epoch", epoch);
        }
        if peer.accepts_pause {
            request = request.header("hub-accept", "pause");
        }
        request.body(())
    }
}

impl Wire for GrpcWire {
    type Sink = GrpcSink;
    type Source = GrpcSource;
    type Deframe = LengthPrefixed;

    async fn open(&self, peer: &Peer) -> Result<(GrpcSink, GrpcSource), OpenError> {
        let broken = |reason: String| OpenError::Broken {
            address: self.address.clone(),
            step: peer.name.step.clone(),
            reason,
        };
        let connection = self.connection().await?;
        let request = self.request(peer).map_err(|e| broken(e.to_string()))?;
        let mut requests = connection
            .requests
            .clone()
            .ready()
            .await
            .map_err(|e| broken(e.to_string()))?;
        let (response, send) = requests
            .send_request(request, false)
            .map_err(|e| broken(e.to_string()))?;
        let response = response.await.map_err(|e| broken(e.to_string()))?;
        let receive = accepted(response, &peer.name.step).map_err(|e| match e {
            Refusal::Status(error) => error,
            Refusal::Foreign(reason) => broken(reason),
        })?;
        let source = GrpcSource {
            receive,
            connection: Rc::clone(&connection),
        };
        let sink = GrpcSink {
            send,
            frame_bytes: self.frame_bytes,
            connection,
        };
        Ok((sink, source))
    }

    fn framing(&self, _peer: &Peer, len: usize) -> (Vec<u8>, Vec<u8>) {
        let mut prefix = Vec::with_capacity(5);
        put_prefix(len, &mut prefix);
        (prefix, Vec::new())
    }

    fn deframe(&self) -> LengthPrefixed {
        LengthPrefixed::default()
    }
}

enum Refusal {
    Status(OpenError),
    Foreign(String),
}

/// The body of an accepted stream; a response that carries a status already is a refusal.
fn accepted(response: Response<RecvStream>, step: &str) -> Result<RecvStream, Refusal> {
    let (head, body) = response.into_parts();
    if let Some((code, message)) = status(&head.headers) {
        return Err(Refusal::Status(OpenError::Refused {
            step: step.to_owned(),
            code,
            message,
        }));
    }
    if head.status != http::StatusCode::OK {
        return Err(Refusal::Foreign(format!(
            "HTTP status {} instead of gRPC",
            head.status
        )));
    }
    Ok(body)
}

/// gRPC status and message of a block of headers, if it has one.
fn status(headers: &HeaderMap) -> Option<(u32, String)> {
    let code = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    let message = headers
        .get("grpc-message")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Some((code, percent_decoded(message)))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends on one Process stream.
#[derive(Debug)]
pub struct GrpcSink {
    send: SendStream<Bytes>,
    frame_bytes: usize,
    connection: Rc<Connection>,
}

impl Sink for GrpcSink {
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Bytes,
    ) -> Poll<Result<(), StreamError>> {
        while !batch.is_empty() {
            self.send.reserve_capacity(batch.len());
            let mut room = self.send.capacity();
            if room == 0 {
                room = match ready!(self.send.poll_capacity(cx)) {
                    Some(Ok(room)) => room,
                    Some(Err(error)) => return Poll::Ready(Err(failed(&error))),
                    None => {
                        return Poll::Ready(Err(StreamError::new("the hub closed the stream")));
                    }
                };
            }
            let part = batch.split_to(room.min(batch.len()).min(self.frame_bytes));
            if let Err(error) = self.send.send_data(part, false) {
                return Poll::Ready(Err(failed(&error)));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn finish(&mut self) {
        // A stream that the hub has ended already needs no goodbye.
        let _ = self.send.send_data(Bytes::new(), true);
    }

    fn sever(&mut self) {
        self.connection.task.abort();
    }
}

/// Receives on one Process stream.
#[derive(Debug)]
pub struct GrpcSource {
    receive: RecvStream,
    connection: Rc<Connection>,
}

impl Source for GrpcSource {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        match ready!(self.receive.poll_data(cx)) {
            Some(Ok(chunk)) => {
                let taken = self.receive.flow_control().release_capacity(chunk.len());
                Poll::Ready(Some(taken.map(|()| chunk).map_err(|error| failed(&error))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(failed(&error)))),
            None => self.poll_end(cx),
        }
    }

    fn sever(&mut self) {
        self.connection.task.abort();
    }
}

impl GrpcSource {
    /// The stream's end: `None` when its status is OK.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, StreamError>>> {
        let trailers = match ready!(self.receive.poll_trailers(cx)) {
            Ok(trailers) => trailers.unwrap_or_default(),
            Err(error) => return Poll::Ready(Some(Err(failed(&error)))),
        };
        Poll::Ready(match status(&trailers) {
            Some((0, _)) => None,
            Some((code, message)) => Some(Err(StreamError {
                code: Some(code),
                reason: format!("ended with status {code}: {message}"),
            })),
            None => Some(Err(StreamError::new("ended without a gRPC status"))),
        })
    }
}

fn failed(error: &h2::Error) -> StreamError {
    StreamError::new(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_message_is_percent_decoded() {
        assert_eq!(percent_decoded("run %C3%BC is%20gone"), "run ü is gone");
        assert_eq!(percent_decoded("100% sure%2"), "100% sure%2");
    }

    #[test]
    fn the_prefix_is_flag_and_length() {
        let mut out = Vec::new();
        put_prefix(0x0102, &mut out);
        assert_eq!(out, [0, 0, 0, 1, 2]);
    }
}
