//! A client on raw HTTP/2, so that tests can say what no well-behaved library would.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use prost::Message;
use tokio::net::TcpStream;
use tokio::time::timeout;
use transport_proto::v1;

use crate::rig::{self, DEADLINE};

pub struct Connection {
    send: SendRequest<Bytes>,
}

/// How a stream ended: gRPC code and text.
pub type Ended = (i32, String);

pub struct Process {
    pub send: h2::SendStream<Bytes>,
    response: Response,
    buffer: BytesMut,
    flows: VecDeque<v1::FlowControl>,
}

enum Response {
    Waiting(h2::client::ResponseFuture),
    Body(h2::RecvStream),
    Refused(Ended),
}

impl Connection {
    pub async fn open(addr: SocketAddr) -> Self {
        Self::try_open(addr).await.expect("hub listens")
    }

    /// The same where the network may fail.
    pub async fn try_open(addr: SocketAddr) -> Option<Self> {
        let socket = TcpStream::connect(addr).await.ok()?;
        socket.set_nodelay(true).ok()?;
        let (send, connection) = h2::client::Builder::new()
            .initial_window_size(1 << 20)
            .initial_connection_window_size(16 << 20)
            .handshake(socket)
            .await
            .ok()?;
        tokio::spawn(connection);
        Some(Self { send })
    }

    /// Opens a Process stream as `step` of run `default/story`.
    pub async fn process(&mut self, step: &str) -> Process {
        self.process_with(&[("current-step-id", step)]).await
    }

    /// Opens a Process stream with the usual metadata changed by `changes`; an empty value takes a
    /// key out.
    pub async fn process_with(&mut self, changes: &[(&str, &str)]) -> Process {
        let process = self.try_process(changes).await;
        process.expect("connection is ready")
    }

    /// The same where the network may fail.
    pub async fn try_process(&mut self, changes: &[(&str, &str)]) -> Option<Process> {
        let mut request = Request::post("http://hub/transport.v1.HubService/Process")
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        let usual = [
            ("bubu-transport-protocol", "1.0.0"),
            ("storyrun-name", "story"),
            ("storyrun-namespace", "default"),
            ("current-step-id", "src"),
            ("connector-generation", "1"),
        ];
        for (key, value) in usual {
            if !changes.iter().any(|(k, _)| *k == key) {
                request = request.header(key, value);
            }
        }
        for (key, value) in changes.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*key, *value);
        }
        self.request(request.body(()).expect("request")).await
    }

    /// Opens a stream by any request, where the network may fail.
    pub async fn request(&mut self, request: Request<()>) -> Option<Process> {
        self.send = self.send.clone().ready().await.ok()?;
        let (response, send) = self.send.send_request(request, false).ok()?;
        Some(Process {
            send,
            response: Response::Waiting(response),
            buffer: BytesMut::new(),
            flows: VecDeque::new(),
        })
    }
}

impl Process {
    /// Waits until the hub has accepted the stream.
    pub async fn accepted(mut self) -> Self {
        self.open().await;
        if let Response::Refused(ended) = &self.response {
            panic!("refused: {ended:?}");
        }
        self
    }

    pub fn send_raw(&mut self, bytes: impl Into<Bytes>) {
        self.send
            .send_data(bytes.into(), false)
            .expect("stream takes data");
    }

    pub fn send_packet(&mut self, label: &str, size: usize) {
        self.send_raw(rig::message(rig::packet(label, size)));
    }

    /// The next packet, or how the stream ended.
    pub async fn next(&mut self) -> Result<v1::DataPacket, Ended> {
        timeout(DEADLINE, self.next_unbounded())
            .await
            .expect("the hub answers in time")
    }

    /// The next packet without a deadline, or how the stream ended.
    pub async fn try_next(&mut self) -> Result<v1::DataPacket, Ended> {
        self.next_unbounded().await
    }

    /// The next acks and signals; packets that come before them are passed over.
    pub async fn flow(&mut self) -> v1::FlowControl {
        let next = async {
            loop {
                if let Some(flow) = self.flows.pop_front() {
                    return flow;
                }
                if let Err(ended) = self.message().await {
                    panic!("ended before a flow: {ended:?}");
                }
            }
        };
        timeout(DEADLINE, next).await.expect("a flow in time")
    }

    /// The same, or how the stream ended.
    pub async fn try_flow(&mut self) -> Result<v1::FlowControl, Ended> {
        loop {
            if let Some(flow) = self.flows.pop_front() {
                return Ok(flow);
            }
            self.message().await?;
        }
    }

    /// Says that everything up to `through` has been taken care of.
    pub fn send_ack(&mut self, through: u64) {
        self.send_flow(v1::FlowControl {
            ack: through,
            ..v1::FlowControl::default()
        });
    }

    /// The same on a stream that may have ended; whether it was sent.
    pub fn try_ack(&mut self, through: u64) -> bool {
        let request = v1::ProcessRequest {
            packet: None,
            flow: Some(v1::FlowControl {
                ack: through,
                ..v1::FlowControl::default()
            }),
        };
        let bytes = rig::framed(&request.encode_to_vec());
        self.send.send_data(bytes.into(), false).is_ok()
    }

    pub fn send_flow(&mut self, flow: v1::FlowControl) {
        let request = v1::ProcessRequest {
            packet: None,
            flow: Some(flow),
        };
        self.send_raw(rig::framed(&request.encode_to_vec()));
    }

    /// Sends a packet with the client's own number, which is its label too.
    pub fn send_numbered(&mut self, number: u64) {
        let mut packet = rig::packet(&number.to_string(), 10);
        packet.envelope = Some(v1::StreamEnvelope {
            sequence: number,
            ..v1::StreamEnvelope::default()
        });
        self.send_raw(rig::message(packet));
    }

    /// The label of the next packet.
    pub async fn label(&mut self) -> String {
        let packet = self.next().await.expect("a packet");
        rig::label(&packet).to_owned()
    }

    /// Reads on until the stream ends.
    pub async fn ended(&mut self) -> Ended {
        loop {
            if let Err(ended) = self.next().await {
                return ended;
            }
        }
    }

    async fn open(&mut self) {
        if let Response::Waiting(response) = &mut self.response {
            let answered = timeout(DEADLINE, response).await.expect("headers in time");
            self.response = match answered {
                Ok(response) => match status_of(response.headers()) {
                    Some(ended) => Response::Refused(ended),
                    None => Response::Body(response.into_body()),
                },
                Err(error) => Response::Refused((-1, error.to_string())),
            };
        }
    }

    async fn next_unbounded(&mut self) -> Result<v1::DataPacket, Ended> {
        loop {
            if let Some(packet) = self.message().await? {
                return Ok(packet);
            }
        }
    }

    /// The packet of the next message, if it has one; its flow is kept.
    async fn message(&mut self) -> Result<Option<v1::DataPacket>, Ended> {
        self.open().await;
        loop {
            if let Some(message) = self.pop() {
                self.flows.extend(message.flow);
                return Ok(message.packet);
            }
            let body = match &mut self.response {
                Response::Body(body) => body,
                Response::Refused(ended) => return Err(ended.clone()),
                Response::Waiting(_) => unreachable!("opened above"),
            };
            match body.data().await {
                Some(Ok(chunk)) => {
                    body.flow_control()
                        .release_capacity(chunk.len())
                        .expect("capacity");
                    self.buffer.extend_from_slice(&chunk);
                }
                Some(Err(error)) => return Err((-1, error.to_string())),
                None => {
                    let trailers = body.trailers().await;
                    let ended = trailers.ok().flatten().and_then(|t| status_of(&t));
                    return Err(ended.unwrap_or((-1, "no trailers".to_owned())));
                }
            }
        }
    }

    fn pop(&mut self) -> Option<v1::ProcessResponse> {
        let prefix = self.buffer.first_chunk::<5>()?;
        let len = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        if self.buffer.len() < 5 + len {
            return None;
        }
        let message = self.buffer.split_to(5 + len).split_off(5);
        let message = v1::ProcessResponse::decode(message);
        Some(message.expect("a ProcessResponse"))
    }
}

fn status_of(headers: &HeaderMap) -> Option<Ended> {
    let code = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    let message = headers
        .get("grpc-message")
        .map_or("", |m| m.to_str().unwrap_or("?"));
    Some((code, message.to_owned()))
}
