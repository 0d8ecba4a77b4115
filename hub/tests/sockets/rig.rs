//! A hub on loopback, its admin pages, and packets to send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use hub::app::{Running, start};
use hub::config::Config;
use hub::story::{LoadOptions, load_str};
use prost::Message;
use transport_proto::v1;

/// Longest that anything here may take.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Source `src`, and sinks `a` and `b` after it.
pub const FAN_OUT: &str = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports: [{ name: t, transportRef: grpc }]
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
    - { name: a, ref: { name: a }, transport: t, needs: [src] }
    - { name: b, ref: { name: b }, transport: t, needs: [src] }
";

/// `src` to `a`, at least once.
pub const AT_LEAST_ONCE: &str = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports:
    - name: t
      transportRef: grpc
      streaming: { delivery: { semantics: at_least_once, replay: { mode: memory } } }
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
    - { name: a, ref: { name: a }, transport: t, needs: [src] }
";

pub struct Hub {
    running: Option<Running>,
    pub grpc: SocketAddr,
    pub admin: SocketAddr,
}

/// The configuration that tests start from: free ports, nothing slow.
pub fn config() -> Config {
    let mut config = Config::default();
    config.listen.grpc = SocketAddr::from(([127, 0, 0, 1], 0));
    config.listen.admin = SocketAddr::from(([127, 0, 0, 1], 0));
    config.events.subscribers.clear();
    config.refusal.delay_max = Duration::from_millis(1);
    config
}

impl Hub {
    pub fn start() -> Self {
        Self::with(config(), FAN_OUT)
    }

    pub fn with(config: Config, story: &str) -> Self {
        let loaded = load_str("story.yaml", story, &LoadOptions::default()).expect("story loads");
        let running = start(config, &loaded).expect("hub starts");
        let (grpc, admin) = (running.grpc_addr(), running.admin_addr());
        Self {
            running: Some(running),
            grpc,
            admin,
        }
    }

    /// Drains and stops it; blocks, so call it off the test's runtime.
    pub fn drain(mut self) -> hub::app::DrainReport {
        self.running.take().expect("drained once").drain()
    }

    /// Status and body of an admin page.
    pub fn get(&self, path: &str) -> (u16, String) {
        self.request("GET", path)
    }

    pub fn request(&self, method: &str, path: &str) -> (u16, String) {
        http_request(self.admin, method, path)
    }

    /// Value of a metric line that starts with `name` and has all of `labels`; 0 when absent.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let (status, body) = self.get("/metrics");
        assert_eq!(status, 200, "{body}");
        let series = |l: &&str| {
            let (head, _) = l.rsplit_once(' ').unwrap_or((l, ""));
            head.split('{').next() == Some(name) && labels.iter().all(|label| head.contains(label))
        };
        body.lines()
            .filter(|l| !l.starts_with('#'))
            .filter(series)
            .filter_map(|l| l.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum()
    }

    /// Waits until a metric has a value.
    pub async fn wait_for_metric(&self, name: &str, labels: &[&str], value: f64) {
        let until = Instant::now() + DEADLINE;
        loop {
            let now = self.metric(name, labels);
            if now == value {
                return;
            }
            assert!(
                Instant::now() < until,
                "{name} {labels:?} is {now}, not {value}"
            );
            // Clients of the same test run on this thread: let them.
            tokio::task::yield_now().await;
        }
    }
}

pub fn http_request(addr: SocketAddr, method: &str, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(addr).expect("admin listens");
    socket
        .set_read_timeout(Some(DEADLINE))
        .expect("timeout is set");
    write!(
        socket,
        "{method} {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n"
    )
    .expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("answered");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}

/// A packet with metadata `n` = `label` and `size` bytes of binary payload.
pub fn packet(label: &str, size: usize) -> v1::DataPacket {
    v1::DataPacket {
        metadata: [("n".to_owned(), label.to_owned())].into(),
        frame: Some(v1::data_packet::Frame::Binary(v1::BinaryFrame {
            payload: vec![b'x'; size].into(),
            mime_type: "application/octet-stream".into(),
            timestamp_ms: 0,
        })),
        ..v1::DataPacket::default()
    }
}

/// The gRPC message of a ProcessRequest that carries `packet`.
pub fn message(packet: v1::DataPacket) -> Vec<u8> {
    framed(
        &v1::ProcessRequest {
            packet: Some(packet),
            flow: None,
        }
        .encode_to_vec(),
    )
}

/// `bytes` with a gRPC prefix.
pub fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0];
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
    out
}

/// The label of a packet made by [`packet`].
pub fn label(packet: &v1::DataPacket) -> &str {
    packet.metadata.get("n").map_or("", String::as_str)
}
