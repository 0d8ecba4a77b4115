//! A server of the connector contract whose streams a test holds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;

use engram::{Environment, Runtime};
use futures_util::{Stream, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tonic::metadata::MetadataMap;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use transport_proto::v1::transport_connector_service_server::{
    TransportConnectorService, TransportConnectorServiceServer,
};
use transport_proto::v1::{
    ControlAction, ControlRequest, ControlResponse, DataRequest, DataResponse, FlowControl,
    FlowControlSignal, HubPushRequest, HubPushResponse,
};

use crate::scene::within;

/// A stream of a client: what it says, and what it is told.
pub(crate) struct Side<I, O> {
    pub(crate) metadata: MetadataMap,
    requests: Streaming<I>,
    responses: mpsc::UnboundedSender<Result<O, Status>>,
}

impl<I, O> Side<I, O> {
    pub(crate) fn say(&self, response: O) {
        self.responses
            .send(Ok(response))
            .expect("the client listens");
    }

    pub(crate) fn end(&self, status: Status) {
        self.responses
            .send(Err(status))
            .expect("the client listens");
    }

    pub(crate) async fn heard(&mut self) -> I {
        let message = within(self.requests.message()).await;
        message.expect("no error").expect("the client goes on")
    }
}

pub(crate) type Data = Side<DataRequest, DataResponse>;
pub(crate) type Control = Side<ControlRequest, ControlResponse>;

struct Service {
    data: mpsc::UnboundedSender<Data>,
    control: mpsc::UnboundedSender<Control>,
}

type Answers<O> = Pin<Box<dyn Stream<Item = Result<O, Status>> + Send>>;

fn accept<I, O: Send + 'static>(
    request: Request<Streaming<I>>,
    to: &mpsc::UnboundedSender<Side<I, O>>,
) -> Result<Response<Answers<O>>, Status> {
    let (metadata, _, requests) = request.into_parts();
    let (responses, answers) = mpsc::unbounded_channel();
    let side = Side {
        metadata,
        requests,
        responses,
    };
    to.send(side)
        .map_err(|_| Status::unavailable("the test is over"))?;
    Ok(Response::new(Box::pin(UnboundedReceiverStream::new(
        answers,
    ))))
}

#[tonic::async_trait]
impl TransportConnectorService for Service {
    type DataStream = Answers<DataResponse>;
    type ControlStream = Answers<ControlResponse>;
    type HubPushStream = Answers<HubPushResponse>;

    async fn data(
        &self,
        request: Request<Streaming<DataRequest>>,
    ) -> Result<Response<Self::DataStream>, Status> {
        // As lazy as a server may be: no headers before there is something to say.
        let mut answers = accept(request, &self.data)?.into_inner();
        let first = answers.next().await;
        let first = futures_util::stream::iter(first);
        Ok(Response::new(Box::pin(first.chain(answers))))
    }

    async fn control(
        &self,
        request: Request<Streaming<ControlRequest>>,
    ) -> Result<Response<Self::ControlStream>, Status> {
        accept(request, &self.control)
    }

    async fn hub_push(
        &self,
        _: Request<Streaming<HubPushRequest>>,
    ) -> Result<Response<Self::HubPushStream>, Status> {
        Err(Status::unimplemented("nobody pushes"))
    }
}

pub(crate) struct Hub {
    addr: SocketAddr,
    data: mpsc::UnboundedReceiver<Data>,
    control: mpsc::UnboundedReceiver<Control>,
}

impl Hub {
    pub(crate) async fn start() -> Self {
        let (data_to, data) = mpsc::unbounded_channel();
        let (control_to, control) = mpsc::unbounded_channel();
        let service = TransportConnectorServiceServer::new(Service {
            data: data_to,
            control: control_to,
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let serving = Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        Self {
            addr,
            data,
            control,
        }
    }

    /// Both streams of the next connection; nothing was said on either.
    pub(crate) async fn connection(&mut self) -> (Data, Control) {
        let data = within(self.data.recv()).await.expect("Data");
        (data, within(self.control.recv()).await.expect("Control"))
    }

    /// The value of `BUBU_TRANSPORT_BINDING`.
    pub(crate) fn binding(&self) -> String {
        format!(
            r#"{{"name":"r-echo","namespace":"ns","binding":{{"endpoint":"{}","protocolVersion":"1.0.0"}}}}"#,
            self.addr
        )
    }

    pub(crate) fn runtime(&self) -> Runtime<engram::link::Connector> {
        self.runtime_with(&[])
    }

    /// With more variables than the tests' own.
    pub(crate) fn runtime_with(&self, more: &[(&str, &str)]) -> Runtime<engram::link::Connector> {
        let binding = self.binding();
        let own = [
            ("BUBU_TRANSPORT_BINDING", binding.as_str()),
            ("BUBU_GRPC_RECONNECT_BASE_BACKOFF", "5ms"),
            ("BUBU_GRPC_RECONNECT_MAX_BACKOFF", "20ms"),
            ("BUBU_GRPC_HEARTBEAT_INTERVAL", "50ms"),
            ("BUBU_TRANSPORT_HEARTBEAT_INTERVAL", "50ms"),
        ];
        let environment: Environment = own.iter().chain(more).copied().collect();
        Runtime::from_environment(environment).expect("a binding")
    }
}

pub(crate) fn ready(control: &Control) {
    control.say(ControlResponse {
        action: ControlAction::ConnectorReady as i32,
        metadata: facts(&[("startup.capabilities", "none")]),
        ..ControlResponse::default()
    });
}

pub(crate) fn facts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

pub(crate) fn flow(ack: u64, signal: FlowControlSignal) -> ControlResponse {
    ControlResponse {
        action: ControlAction::Noop as i32,
        flow: Some(FlowControl {
            ack,
            signal: signal as i32,
            ..FlowControl::default()
        }),
        ..ControlResponse::default()
    }
}

/// The next request that is no sign of life.
pub(crate) async fn told(control: &mut Control) -> ControlRequest {
    loop {
        let request = control.heard().await;
        if request.action() != ControlAction::Heartbeat {
            return request;
        }
    }
}

/// The next packet that is no sign of life.
pub(crate) async fn sent(data: &mut Data) -> DataRequest {
    loop {
        let request = data.heard().await;
        if request.frame.is_some() {
            return request;
        }
    }
}

pub(crate) fn number(request: &DataRequest) -> u64 {
    request
        .envelope
        .as_ref()
        .map_or(0, |envelope| envelope.sequence)
}
