//! A stand-in for the hub that can be told to make one mistake: the demo must notice each kind.
//!
//! It passes packets along source -> vad -> recorder, settles them at once, and knows nothing else
//! of what a hub does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use transport_proto::v1::transport_connector_service_server::{
    TransportConnectorService, TransportConnectorServiceServer,
};
use transport_proto::v1::{
    ControlAction, ControlRequest, ControlResponse, DataRequest, DataResponse, FlowControl,
    HubPushRequest, HubPushResponse, data_request, data_response,
};

/// What the relay does wrong with one frame on its way to `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) to: &'static str,
    pub(super) frame: u32,
    pub(super) kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    Lose,
    Duplicate,
    /// Delivers it after the next packet.
    Overtake,
    /// Flips one bit of its sound.
    Alter,
    /// Ends the receiver's stream instead.
    HangUp,
}

type Answers<T> = mpsc::UnboundedSender<Result<T, Status>>;
type Told<T> = UnboundedReceiverStream<Result<T, Status>>;
/// The packets to each step.
type Steps = Arc<Mutex<BTreeMap<String, Answers<DataResponse>>>>;

/// The streams of one connection, as far as they are there.
#[derive(Default)]
struct Halves {
    data: Option<(Streaming<DataRequest>, Answers<DataResponse>)>,
    control: Option<(String, Answers<ControlResponse>)>,
}

struct Relay {
    fault: Option<Fault>,
    steps: Steps,
    /// By the connection's address.
    connections: Mutex<BTreeMap<SocketAddr, Halves>>,
}

#[tonic::async_trait]
impl TransportConnectorService for Relay {
    type DataStream = Told<DataResponse>;
    type ControlStream = Told<ControlResponse>;
    type HubPushStream = Told<HubPushResponse>;

    async fn data(
        &self,
        request: Request<Streaming<DataRequest>>,
    ) -> Result<Response<Self::DataStream>, Status> {
        let (answers, told) = mpsc::unbounded_channel();
        let peer = peer(&request)?;
        self.meet(peer, |halves| {
            halves.data = Some((request.into_inner(), answers))
        });
        Ok(Response::new(UnboundedReceiverStream::new(told)))
    }

    async fn control(
        &self,
        request: Request<Streaming<ControlRequest>>,
    ) -> Result<Response<Self::ControlStream>, Status> {
        let (answers, told) = mpsc::unbounded_channel();
        let peer = peer(&request)?;
        let binding = request.metadata().get("bubu.transport.binding");
        let binding = binding.and_then(|value| value.to_str().ok());
        let step = binding.and_then(|name| name.strip_prefix("default/demo-"));
        let step = step.ok_or_else(|| Status::not_found("binding"))?.to_owned();
        // What engrams say beside packets is of no use here, but must be read.
        let mut said = request.into_inner();
        tokio::spawn(async move { while let Some(Ok(_)) = said.next().await {} });
        self.meet(peer, |halves| halves.control = Some((step, answers)));
        Ok(Response::new(UnboundedReceiverStream::new(told)))
    }

    async fn hub_push(
        &self,
        _: Request<Streaming<HubPushRequest>>,
    ) -> Result<Response<Self::HubPushStream>, Status> {
        Err(Status::unimplemented("for hubs"))
    }
}

fn peer<T>(request: &Request<T>) -> Result<SocketAddr, Status> {
    let peer = request.remote_addr();
    peer.ok_or_else(|| Status::internal("no address"))
}

impl Relay {
    /// Adds a stream to a connection; serves the connection once it has both.
    fn meet(&self, peer: SocketAddr, add: impl FnOnce(&mut Halves)) {
        let mut connections = self.connections.lock().unwrap();
        let halves = connections.entry(peer).or_default();
        add(halves);
        let whole = halves.data.is_some() && halves.control.is_some();
        let both = whole.then(|| connections.remove(&peer)).flatten();
        drop(connections);
        if let Some(Halves {
            data: Some((packets, answers)),
            control: Some((step, control)),
        }) = both
        {
            self.steps.lock().unwrap().insert(step.clone(), answers);
            let _ = control.send(Ok(ready()));
            let edge = self.edge(&step);
            tokio::spawn(edge.serve(step, packets, control));
        }
    }

    /// What comes after a step.
    fn edge(&self, step: &str) -> Edge {
        let to = match step {
            "source" => Some("vad"),
            "vad" => Some("recorder"),
            _ => None,
        };
        Edge {
            to,
            fault: self.fault.filter(|fault| Some(fault.to) == to),
            steps: Arc::clone(&self.steps),
            delayed: None,
        }
    }
}

fn ready() -> ControlResponse {
    let capabilities = ("startup.capabilities".to_owned(), "none".to_owned());
    ControlResponse {
        action: ControlAction::ConnectorReady.into(),
        metadata: [capabilities].into(),
        ..ControlResponse::default()
    }
}

fn settled(number: u64) -> ControlResponse {
    ControlResponse {
        flow: Some(FlowControl {
            ack: number,
            ..FlowControl::default()
        }),
        ..ControlResponse::default()
    }
}

struct Edge {
    to: Option<&'static str>,
    fault: Option<Fault>,
    steps: Steps,
    delayed: Option<DataResponse>,
}

impl Edge {
    /// Passes on what a step sends until it ends its side, then ends the other.
    async fn serve(
        mut self,
        step: String,
        mut packets: Streaming<DataRequest>,
        control: Answers<ControlResponse>,
    ) {
        while let Some(Ok(packet)) = packets.next().await {
            let number = packet.envelope.as_ref().map_or(0, |e| e.sequence);
            self.pass(forwarded(packet));
            let _ = control.send(Ok(settled(number)));
        }
        self.steps.lock().unwrap().remove(&step);
    }

    fn pass(&mut self, mut packet: DataResponse) {
        let number = packet.metadata.get("demo.frame").cloned();
        let hit = |fault: &Fault| number == Some(fault.frame.to_string());
        match self.fault.filter(hit).map(|fault| fault.kind) {
            Some(FaultKind::Lose) => return,
            Some(FaultKind::Duplicate) => self.deliver(packet.clone()),
            Some(FaultKind::Overtake) => return self.delayed = Some(packet),
            Some(FaultKind::Alter) => flip_a_bit(&mut packet),
            Some(FaultKind::HangUp) => {
                self.steps.lock().unwrap().remove(self.to.unwrap());
                return;
            }
            None => {}
        }
        self.deliver(packet);
        if let Some(delayed) = self.delayed.take() {
            self.deliver(delayed);
        }
    }

    fn deliver(&self, packet: DataResponse) {
        let steps = self.steps.lock().unwrap();
        if let Some(stream) = self.to.and_then(|to| steps.get(to)) {
            let _ = stream.send(Ok(packet));
        }
    }
}

/// As a hub passes a packet on over an edge that numbers nothing: without its sender's number.
fn forwarded(packet: DataRequest) -> DataResponse {
    use data_request::Frame as From;
    use data_response::Frame as To;
    DataResponse {
        frame: packet.frame.map(|frame| match frame {
            From::Audio(audio) => To::Audio(audio),
            From::Video(video) => To::Video(video),
            From::Binary(binary) => To::Binary(binary),
        }),
        metadata: packet.metadata,
        payload: packet.payload,
        inputs: packet.inputs,
        transports: packet.transports,
        envelope: None,
    }
}

fn flip_a_bit(packet: &mut DataResponse) {
    if let Some(data_response::Frame::Audio(audio)) = &mut packet.frame {
        let mut pcm = audio.pcm.to_vec();
        pcm[100] ^= 1;
        audio.pcm = pcm.into();
    }
}

/// A relay that serves until it is dropped.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    pub(super) fn start(fault: Option<Fault>) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let relay = Relay {
                    fault,
                    steps: Arc::default(),
                    connections: Mutex::default(),
                };
                let served = Server::builder()
                    .add_service(TransportConnectorServiceServer::new(relay))
                    .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
                tokio::select! {
                    served = served => served.unwrap(),
                    _ = ended => {}
                }
            });
        });
        Self {
            address: told.recv().unwrap(),
            end: Some(end),
            thread: Some(thread),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
