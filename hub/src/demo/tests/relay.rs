//! A stand-in for the hub that can be told to make one mistake: the demo must notice each kind.
//!
//! It passes packets along source -> vad -> recorder and knows nothing else of what a hub does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use transport_proto::v1::data_packet::Frame;
use transport_proto::v1::hub_service_server::{HubService, HubServiceServer};
use transport_proto::v1::{DataPacket, ProcessRequest, ProcessResponse};

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

type Outbound = mpsc::UnboundedSender<Result<ProcessResponse, Status>>;

struct Relay {
    fault: Option<Fault>,
    streams: Arc<Mutex<BTreeMap<String, Outbound>>>,
}

#[tonic::async_trait]
impl HubService for Relay {
    type ProcessStream = UnboundedReceiverStream<Result<ProcessResponse, Status>>;

    async fn process(
        &self,
        request: Request<Streaming<ProcessRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        let step = required_metadata(&request)?;
        let (outbound, packets) = mpsc::unbounded_channel();
        self.streams.lock().unwrap().insert(step.clone(), outbound);
        let downstream = match step.as_str() {
            "source" => Some("vad"),
            "vad" => Some("recorder"),
            _ => None,
        };
        let edge = downstream.map(|to| Edge {
            to,
            fault: self.fault.filter(|fault| fault.to == to),
            streams: Arc::clone(&self.streams),
            delayed: None,
        });
        let mut inbound = request.into_inner();
        tokio::spawn(async move {
            let mut edge = edge;
            while let Some(Ok(message)) = inbound.next().await {
                if let (Some(edge), Some(packet)) = (edge.as_mut(), message.packet) {
                    edge.pass(packet);
                }
            }
        });
        Ok(Response::new(UnboundedReceiverStream::new(packets)))
    }
}

/// The step, if the registration has what spec 2.2 asks for.
fn required_metadata(request: &Request<Streaming<ProcessRequest>>) -> Result<String, Status> {
    let get = |key: &str| {
        let value = request.metadata().get(key).and_then(|v| v.to_str().ok());
        value.ok_or_else(|| Status::invalid_argument(key.to_owned()))
    };
    if get("bubu-transport-protocol")? != "1.0.0" || get("connector-generation")? != "1" {
        return Err(Status::failed_precondition("protocol or generation"));
    }
    if (get("storyrun-namespace")?, get("storyrun-name")?) != ("default", "demo") {
        return Err(Status::unavailable("run"));
    }
    Ok(get("current-step-id")?.to_owned())
}

struct Edge {
    to: &'static str,
    fault: Option<Fault>,
    streams: Arc<Mutex<BTreeMap<String, Outbound>>>,
    delayed: Option<DataPacket>,
}

impl Edge {
    fn pass(&mut self, mut packet: DataPacket) {
        let number = packet.metadata.get("demo.frame").cloned();
        let hit = |fault: &Fault| number == Some(fault.frame.to_string());
        match self.fault.filter(hit).map(|fault| fault.kind) {
            Some(FaultKind::Lose) => return,
            Some(FaultKind::Duplicate) => self.deliver(packet.clone()),
            Some(FaultKind::Overtake) => return self.delayed = Some(packet),
            Some(FaultKind::Alter) => flip_a_bit(&mut packet),
            Some(FaultKind::HangUp) => {
                self.streams.lock().unwrap().remove(self.to);
                return;
            }
            None => {}
        }
        self.deliver(packet);
        if let Some(delayed) = self.delayed.take() {
            self.deliver(delayed);
        }
    }

    fn deliver(&self, packet: DataPacket) {
        let packet = Some(packet);
        if let Some(stream) = self.streams.lock().unwrap().get(self.to) {
            let _ = stream.send(Ok(ProcessResponse { packet, flow: None }));
        }
    }
}

fn flip_a_bit(packet: &mut DataPacket) {
    if let Some(Frame::Audio(audio)) = &mut packet.frame {
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
                    streams: Arc::default(),
                };
                let served = Server::builder()
                    .add_service(HubServiceServer::new(relay))
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
