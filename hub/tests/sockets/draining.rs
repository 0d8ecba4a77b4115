//! What a hub that drains says to newcomers and to those who watch it (spec 2.7).

use std::net::SocketAddr;
use std::time::Instant;

use tokio::task::JoinHandle;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::client::{Connection, Process};
use crate::rig::{DEADLINE, Hub, http_request};

/// More than the hub can hand to HTTP/2 while nobody reads.
const PACKETS: usize = 40;

/// A hub that drains and cannot end, because `a` does not read.
struct Draining {
    grpc: SocketAddr,
    admin: SocketAddr,
    connection: Connection,
    a: Process,
    _src: Process,
    report: JoinHandle<hub::app::DrainReport>,
}

impl Draining {
    async fn begin() -> Self {
        let hub = Hub::start();
        let (grpc, admin) = (hub.grpc, hub.admin);
        let mut connection = Connection::open(grpc).await;
        let a = connection.process("a").await.accepted().await;
        let mut src = connection.process("src").await.accepted().await;
        for n in 0..PACKETS {
            src.send_packet(&n.to_string(), 200_000);
        }
        hub.wait_for_metric("hub_packets_accepted_total", &["to=\"a\""], PACKETS as f64)
            .await;
        let report = tokio::task::spawn_blocking(move || hub.drain());
        let draining = Self {
            grpc,
            admin,
            connection,
            a,
            _src: src,
            report,
        };
        let until = Instant::now() + DEADLINE;
        while draining.get("/readyz").0 != 503 {
            assert!(Instant::now() < until, "it is still ready");
            tokio::task::yield_now().await;
        }
        draining
    }

    fn get(&self, path: &str) -> (u16, String) {
        http_request(self.admin, "GET", path)
    }

    /// `a` reads: nothing holds the drain up any more.
    async fn end(mut self) {
        for n in 0..PACKETS {
            assert_eq!(self.a.label().await, n.to_string());
        }
        assert_eq!(self.a.ended().await.0, 14);
        drop((self.connection, self.a, self._src));
        let report = self.report.await.expect("drained");
        // What waited for `b`, who is away.
        assert_eq!((report.abandoned, report.in_time), (PACKETS as u64, true));
    }
}

#[tokio::test]
async fn a_hub_that_drains_is_alive_and_not_ready() {
    let draining = Draining::begin().await;
    assert_eq!(draining.get("/healthz").0, 200);
    assert_eq!(draining.get("/readyz").0, 503);
    draining.end().await;
}

#[tokio::test]
async fn a_hub_that_drains_takes_no_newcomers() {
    let mut draining = Draining::begin().await;
    let newcomer = draining.connection.process("b").await.ended().await;
    assert_eq!(newcomer, (14, "the hub is draining".to_owned()));
    draining.end().await;
}

#[tokio::test]
async fn a_hub_that_drains_still_shows_its_figures() {
    let draining = Draining::begin().await;
    let (status, text) = draining.get("/metrics");
    assert_eq!(status, 200, "{text}");
    let accepted = |line: &str| line.starts_with("hub_packets_accepted_total{");
    assert!(text.lines().any(accepted), "{text}");
    let (status, text) = draining.get("/api/v1/runs/default/story");
    assert_eq!(status, 200, "{text}");
    draining.end().await;
}

#[tokio::test]
async fn a_hub_that_drains_does_not_serve_by_its_health() {
    let draining = Draining::begin().await;
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", draining.grpc));
    let channel = channel.expect("uri").connect().await.expect("connected");
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let answer = HealthClient::new(channel).check(request).await;
    let status = answer.expect("answered").into_inner().status();
    assert_eq!(status, ServingStatus::NotServing);
    draining.end().await;
}
