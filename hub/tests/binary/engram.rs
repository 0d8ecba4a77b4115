//! An engram as its users write one: a generated tonic client on `HubService.Process`.

use std::net::SocketAddr;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use tonic::{Request, Status, Streaming};
use transport_proto::v1::hub_service_client::HubServiceClient;
use transport_proto::v1::{BinaryFrame, DataPacket, ProcessRequest, ProcessResponse, data_packet};

/// A registered stream.
pub struct Engram {
    outbound: mpsc::Sender<ProcessRequest>,
    inbound: Streaming<ProcessResponse>,
}

impl Engram {
    /// Registers as `step` of run `default/story`.
    pub async fn register(hub: SocketAddr, step: &'static str) -> Result<Self, Status> {
        let channel = Endpoint::from_shared(format!("http://{hub}"))
            .expect("an address")
            .initial_stream_window_size(64 * 1024)
            .connect()
            .await
            .expect("the hub listens");
        let (outbound, packets) = mpsc::channel(16);
        let mut request = Request::new(ReceiverStream::new(packets));
        for (key, value) in [
            ("bubu-transport-protocol", "1.0.0"),
            ("storyrun-name", "story"),
            ("storyrun-namespace", "default"),
            ("current-step-id", step),
            ("connector-generation", "1"),
        ] {
            let value = value.parse().expect("ASCII");
            request.metadata_mut().insert(key, value);
        }
        let answer = HubServiceClient::new(channel).process(request).await?;
        Ok(Self {
            outbound,
            inbound: answer.into_inner(),
        })
    }

    /// Sends `size` bytes.
    pub async fn send(&self, size: usize) {
        let frame = BinaryFrame {
            payload: vec![7; size].into(),
            mime_type: "application/octet-stream".into(),
            timestamp_ms: 0,
        };
        let packet = DataPacket {
            frame: Some(data_packet::Frame::Binary(frame)),
            ..DataPacket::default()
        };
        let request = ProcessRequest {
            packet: Some(packet),
            flow: None,
        };
        self.outbound.send(request).await.expect("the stream lives");
    }

    /// The next packet, or how the stream ended.
    pub async fn receive(&mut self) -> Result<Option<ProcessResponse>, Status> {
        self.inbound.message().await
    }
}
