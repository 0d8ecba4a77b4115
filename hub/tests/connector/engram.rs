//! An engram as its SDK behaves, on tonic's generated client.

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use transport_proto::v1;
use transport_proto::v1::transport_connector_service_client::TransportConnectorServiceClient;

use crate::rig::{DEADLINE, Hub};

pub struct Data {
    pub send: mpsc::Sender<v1::DataRequest>,
    answers: Streaming<v1::DataResponse>,
}

pub struct Control {
    pub send: mpsc::Sender<v1::ControlRequest>,
    answers: Streaming<v1::ControlResponse>,
}

/// A session: both streams, greeted.
pub struct Engram {
    pub data: Data,
    pub control: Control,
}

/// A connection of its own, as every session of the SDK has.
pub async fn dial(hub: &Hub) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", hub.grpc)).expect("an address");
    endpoint.connect().await.expect("hub listens")
}

fn client(channel: &Channel) -> TransportConnectorServiceClient<Channel> {
    TransportConnectorServiceClient::new(channel.clone())
        .max_decoding_message_size(10 << 20)
        .max_encoding_message_size(64 << 20)
}

fn with<T>(message: T, metadata: &[(&'static str, &str)]) -> Request<T> {
    let mut request = Request::new(message);
    let map: &mut MetadataMap = request.metadata_mut();
    map.insert("bubu-transport-protocol", "1.0.0".parse().expect("ascii"));
    for (key, value) in metadata {
        map.insert(*key, value.parse().expect("ascii"));
    }
    request
}

/// Opens Data and says nothing.
pub async fn data(channel: &Channel) -> Result<Data, Status> {
    let (send, requests) = mpsc::channel(64);
    let request = with(ReceiverStream::new(requests), &[]);
    let opened = timeout(DEADLINE, client(channel).data(request)).await;
    let answers = opened.expect("headers in time")?.into_inner();
    Ok(Data { send, answers })
}

/// Sends one message on a Data stream that names no version, as batch engrams do; how it ended.
pub async fn one_shot(channel: &Channel, message: v1::DataRequest) -> Status {
    let request = Request::new(tokio_stream::once(message));
    match timeout(DEADLINE, client(channel).data(request))
        .await
        .expect("in time")
    {
        Ok(answers) => next(&mut answers.into_inner())
            .await
            .expect_err("no answer"),
        Err(status) => status,
    }
}

/// Opens Control for a binding and says nothing.
pub async fn control(
    channel: &Channel,
    binding: &str,
    more: &[(&'static str, &str)],
) -> Result<Control, Status> {
    let (send, requests) = mpsc::channel(64);
    let mut metadata = vec![("bubu.transport.binding", binding)];
    metadata.extend(more);
    let request = with(ReceiverStream::new(requests), &metadata);
    let opened = timeout(DEADLINE, client(channel).control(request)).await;
    let answers = opened.expect("headers in time")?.into_inner();
    Ok(Control { send, answers })
}

impl Engram {
    /// Connects as `step` of run `default/story`.
    pub async fn connect(hub: &Hub, step: &str) -> Self {
        Self::connect_with(hub, step, &[]).await
    }

    pub async fn connect_with(hub: &Hub, step: &str, more: &[(&'static str, &str)]) -> Self {
        Self::connect_as(hub, &format!("default/story-{step}"), more).await
    }

    /// Connects under a binding.
    pub async fn connect_as(hub: &Hub, binding: &str, more: &[(&'static str, &str)]) -> Self {
        let channel = dial(hub).await;
        let data = data(&channel).await.expect("Data is taken");
        let mut control = control(&channel, binding, more)
            .await
            .expect("Control is taken");
        let ready = control.next().await.expect("the hub speaks first");
        assert_eq!(ready.action(), v1::ControlAction::ConnectorReady);
        Self { data, control }
    }
}

/// Answers on Data after the client has said all it had to say there.
pub struct Rest(Streaming<v1::DataResponse>);

impl Rest {
    pub async fn ended(&mut self) -> Status {
        loop {
            if let Err(status) = next(&mut self.0).await {
                return status;
            }
        }
    }
}

impl Engram {
    /// Has said all it has to say on Data.
    pub fn half_closed(self) -> (Rest, Control) {
        (Rest(self.data.answers), self.control)
    }
}

async fn next<T>(answers: &mut Streaming<T>) -> Result<T, Status> {
    let next = timeout(DEADLINE, answers.message()).await;
    let next = next.expect("the hub answers in time")?;
    next.ok_or_else(|| Status::ok("ended"))
}

impl Data {
    pub async fn say(&self, request: v1::DataRequest) {
        self.send.send(request).await.expect("the stream is open");
    }

    /// The next message that is no heartbeat, or how the stream ended.
    pub async fn next(&mut self) -> Result<v1::DataResponse, Status> {
        loop {
            let message = next(&mut self.answers).await?;
            if !message.metadata.contains_key("bubu-heartbeat") {
                return Ok(message);
            }
        }
    }

    /// The next message, heartbeats among them.
    pub async fn any(&mut self) -> Result<v1::DataResponse, Status> {
        next(&mut self.answers).await
    }

    pub async fn ended(&mut self) -> Status {
        loop {
            if let Err(status) = next(&mut self.answers).await {
                return status;
            }
        }
    }

    /// The label of the next packet.
    pub async fn label(&mut self) -> String {
        label(&self.next().await.expect("a packet")).to_owned()
    }
}

impl Control {
    pub async fn say(&self, request: v1::ControlRequest) {
        self.send.send(request).await.expect("the stream is open");
    }

    pub async fn act(&self, action: v1::ControlAction) {
        self.say(v1::ControlRequest {
            action: action.into(),
            ..v1::ControlRequest::default()
        })
        .await;
    }

    pub async fn custom(&self, name: &str, metadata: &[(&str, &str)]) {
        self.say(v1::ControlRequest {
            custom_action: name.to_owned(),
            metadata: owned(metadata),
            ..v1::ControlRequest::default()
        })
        .await;
    }

    /// Says that a packet has been taken care of, as the SDK does.
    pub async fn done(&self, envelope: &v1::StreamEnvelope) {
        let sequence = envelope.sequence.to_string();
        let metadata = [
            ("stream_id", &*envelope.stream_id),
            ("sequence", &*sequence),
            ("partition", &*envelope.partition),
            ("size_bytes", "1"),
        ];
        self.custom("downstream.delivered", &metadata).await;
    }

    pub async fn next(&mut self) -> Result<v1::ControlResponse, Status> {
        next(&mut self.answers).await
    }

    /// The next answer that is `action`; others are passed over.
    pub async fn find(&mut self, action: v1::ControlAction) -> v1::ControlResponse {
        loop {
            let response = self.next().await.expect("an answer");
            if response.action() == action && response.custom_action.is_empty() {
                return response;
            }
        }
    }

    pub async fn ended(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }
}

pub fn owned(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

/// A message with metadata `n` = `label` and `size` bytes of binary payload.
pub fn message(label: &str, size: usize) -> v1::DataRequest {
    v1::DataRequest {
        metadata: owned(&[("n", label)]),
        frame: Some(v1::data_request::Frame::Binary(v1::BinaryFrame {
            payload: vec![b'x'; size].into(),
            mime_type: "application/octet-stream".into(),
            timestamp_ms: 0,
        })),
        ..v1::DataRequest::default()
    }
}

pub fn label(message: &v1::DataResponse) -> &str {
    message.metadata.get("n").map_or("", String::as_str)
}

pub fn envelope(message: &v1::DataResponse) -> &v1::StreamEnvelope {
    message.envelope.as_ref().expect("an envelope")
}

/// What the codes that make an engram's process exit are (spec 3, "Ending").
pub fn is_fatal(code: Code) -> bool {
    matches!(
        code,
        Code::FailedPrecondition
            | Code::InvalidArgument
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::Unimplemented
    )
}
