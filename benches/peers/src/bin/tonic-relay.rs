//! B: a relay as one writes it with tonic and prost: decode, set the envelope's sequence, `inputs`
//! and one metadata entry, encode.
//!
//! One thread and the hub's settings, so that it differs from the hub in the codec and the library
//! around it. Bounded channels between the streams, as tonic's own examples have them.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use peers::relay::{self, prepare, settings};
use peers::routes::Routes;
use prost_types::{Struct, Value, value::Kind};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use transport_proto::v1::hub_service_server::{HubService, HubServiceServer};
use transport_proto::v1::{ProcessRequest, ProcessResponse};

/// Messages that wait for one consumer, at most.
const QUEUE: usize = 1024;
/// The contract's 10 MiB and room for what is added.
const MAX_MESSAGE: usize = 11 << 20;

type Queue = mpsc::Sender<Result<ProcessResponse, Status>>;

fn main() -> ExitCode {
    relay::main(serve)
}

fn serve(routes: Routes, listener: TcpListener) -> impl Future<Output = io::Result<()>> {
    let relay = Relay {
        routes: Arc::new(routes),
        consumers: Arc::default(),
    };
    let service = HubServiceServer::new(relay)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    let sockets = TcpListenerStream::new(listener).map(|accepted| {
        let socket = accepted?;
        prepare(&socket)?;
        Ok::<_, io::Error>(socket)
    });
    let server = Server::builder()
        .initial_stream_window_size(settings::STREAM_WINDOW)
        .initial_connection_window_size(settings::CONNECTION_WINDOW)
        .max_frame_size(settings::MAX_FRAME)
        .add_service(service)
        .serve_with_incoming(sockets);
    async { server.await.map_err(io::Error::other) }
}

struct Relay {
    routes: Arc<Routes>,
    consumers: Arc<Mutex<HashMap<String, Queue>>>,
}

#[tonic::async_trait]
impl HubService for Relay {
    type ProcessStream = ReceiverStream<Result<ProcessResponse, Status>>;

    async fn process(
        &self,
        request: Request<Streaming<ProcessRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        let text = |key| {
            let value = request.metadata().get(key);
            value.and_then(|v| v.to_str().ok()).unwrap_or_default()
        };
        let parts = ["storyrun-namespace", "storyrun-name", "current-step-id"];
        let name = parts.map(text).join("/");
        let (queue, queued) = mpsc::channel(QUEUE);
        let inbound = request.into_inner();
        if self.routes.targets(&name).is_some() {
            let (routes, consumers) = (Arc::clone(&self.routes), Arc::clone(&self.consumers));
            tokio::spawn(async move {
                let targets = routes.targets(&name).unwrap_or_default();
                if let Err(status) = relay(inbound, targets, &consumers).await {
                    eprintln!("{name} ended: {status}");
                }
                drop(queue);
            });
        } else if let Ok(mut consumers) = self.consumers.lock() {
            consumers.insert(name, queue);
        }
        Ok(Response::new(ReceiverStream::new(queued)))
    }
}

async fn relay(
    mut inbound: Streaming<ProcessRequest>,
    targets: &[String],
    consumers: &Mutex<HashMap<String, Queue>>,
) -> Result<(), Status> {
    let mut queues: Vec<Queue> = Vec::new();
    let mut sequence = 0;
    while let Some(message) = inbound.message().await? {
        if queues.is_empty() {
            let here = consumers
                .lock()
                .map_err(|_| Status::internal("a stream died"))?;
            queues.extend(targets.iter().filter_map(|name| here.get(name)).cloned());
            if queues.len() < targets.len() {
                return Err(Status::unavailable("a consumer is not connected"));
            }
        }
        sequence += 1;
        for queue in &queues {
            let message = edited(message.clone(), sequence);
            if queue.send(Ok(message)).await.is_err() {
                return Err(Status::unavailable("a consumer has left"));
            }
        }
    }
    Ok(())
}

/// The message as the next step gets it.
fn edited(message: ProcessRequest, sequence: u64) -> ProcessResponse {
    let mut packet = message.packet.unwrap_or_default();
    packet.envelope.get_or_insert_default().sequence = sequence;
    packet
        .metadata
        .insert("current-step-id".to_owned(), "next".to_owned());
    let language = Value {
        kind: Some(Kind::StringValue("en".to_owned())),
    };
    packet.inputs = Some(Struct {
        fields: [("language".to_owned(), language)].into(),
    });
    ProcessResponse {
        packet: Some(packet),
        flow: message.flow,
    }
}
