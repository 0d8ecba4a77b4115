//! An engram's connection to the hub: `HubService.Process` (spec 1), one stream each way.
//!
//! Owns registration (spec 2.2) and the two ends of the stream. Never looks at what a packet means,
//! beyond keeping heartbeats to itself.

use super::packet::{Foreign, Packet};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::transport::Endpoint;
use tonic::{Request, Status, Streaming};
use transport_proto::v1::hub_service_client::HubServiceClient;
use transport_proto::v1::{ProcessRequest, ProcessResponse};

/// The run that the demo's Story gets by itself, and its namespace (spec 2.1).
pub(super) const RUN: &str = "demo";
pub(super) const NAMESPACE: &str = "default";

/// How long the hub may take to accept a connection and a registration.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// After so long without a packet a link counts as quiet: the recording's longest silence is 1.4 s.
pub(super) const QUIET_AFTER: Duration = Duration::from_secs(10);
/// Packets between an engram and its own socket; more would hide a hub that does not read.
const OUTBOUND: usize = 16;

/// Why a link is of no more use.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// Nobody listens there, or it is no gRPC server.
    #[error("cannot connect to the hub: {0}")]
    Connect(#[source] tonic::transport::Error),
    /// The hub refused the registration or ended the stream; its status says why.
    #[error("the hub says {:?}: {}", .0.code(), .0.message())]
    Status(#[from] Box<Status>),
    /// The hub ended the stream without a complaint while the engram still needed it.
    #[error("the hub ended the stream")]
    Ended,
    /// The hub did not answer the registration.
    #[error("the hub did not answer within {} s", ANSWER_WITHIN.as_secs())]
    NoAnswer,
    /// Nothing but heartbeats came for [`QUIET_AFTER`].
    #[error("no packet for {} s", QUIET_AFTER.as_secs())]
    Quiet,
    /// The hub delivered what nobody sent.
    #[error(transparent)]
    Foreign(#[from] Foreign),
}

/// A registered engram's stream. Dropping it ends the registration.
#[derive(Debug)]
pub(super) struct Link {
    outbound: mpsc::Sender<ProcessRequest>,
    inbound: Streaming<ProcessResponse>,
}

impl Link {
    /// Connects to the hub and registers as `step`.
    pub(super) async fn open(hub: SocketAddr, step: &'static str) -> Result<Self, LinkError> {
        let channel = Endpoint::from_shared(format!("http://{hub}"))
            .map_err(LinkError::Connect)?
            .connect_timeout(ANSWER_WITHIN)
            .tcp_nodelay(true)
            .connect()
            .await
            .map_err(LinkError::Connect)?;
        let (outbound, packets) = mpsc::channel(OUTBOUND);
        let mut request = Request::new(ReceiverStream::new(packets));
        for (key, value) in [
            ("bubu-transport-protocol", "1.0.0"),
            ("storyrun-name", RUN),
            ("storyrun-namespace", NAMESPACE),
            ("current-step-id", step),
            ("connector-generation", "1"),
        ] {
            let value = MetadataValue::from_static(value);
            request.metadata_mut().insert(key, value);
        }
        let mut client = HubServiceClient::new(channel);
        let answer = timeout(ANSWER_WITHIN, client.process(request)).await;
        let answer = answer.map_err(|_| LinkError::NoAnswer)?;
        let inbound = answer.map_err(Box::new)?.into_inner();
        Ok(Self { outbound, inbound })
    }

    /// Sends a packet; waits while the connection takes no more.
    pub(super) async fn send(&mut self, packet: Packet) -> Result<(), LinkError> {
        match self.outbound.send(packet.into()).await {
            Ok(()) => Ok(()),
            // The stream is over, and the other direction knows why.
            Err(_) => match self.inbound.message().await {
                Err(status) => Err(Box::new(status).into()),
                Ok(_) => Err(LinkError::Ended),
            },
        }
    }

    /// The next packet that is not a heartbeat.
    pub(super) async fn receive(&mut self) -> Result<Packet, LinkError> {
        let deadline = Instant::now() + QUIET_AFTER;
        loop {
            let message = timeout_at(deadline, self.inbound.message()).await;
            let message = message.map_err(|_| LinkError::Quiet)?.map_err(Box::new)?;
            let Some(packet) = message.ok_or(LinkError::Ended)?.packet else {
                continue; // flow control alone, which this client does not use
            };
            match packet.try_into()? {
                Packet::Heartbeat => {}
                packet => return Ok(packet),
            }
        }
    }
}
