//! The admin pages.

use crate::client::Connection;
use crate::rig::Hub;

#[test]
fn health_and_readiness_answer() {
    let hub = Hub::start();
    assert_eq!(hub.get("/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(hub.get("/readyz").0, 200);
    let (status, body) = hub.get("/nothing");
    assert_eq!(status, 404);
    assert!(body.contains("/metrics"), "{body}");
    let (status, body) = hub.request("POST", "/healthz");
    assert_eq!(status, 405);
    assert!(body.contains("\"detail\""), "{body}");
}

#[tokio::test]
async fn metrics_have_their_names_and_no_run_ids() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await;
    src.send_packet("x", 10);
    a.label().await;
    hub.wait_for_metric("hub_packets_delivered_total", &["to=\"a\""], 1.0)
        .await;
    let (_, text) = hub.get("/metrics");
    for name in [
        "hub_packets_accepted_total",
        "hub_packets_delivered_total",
        "hub_packets_refused_total",
        "hub_queue_packets",
        "hub_queue_bytes",
        "hub_in_flight_packets",
        "hub_forward_seconds_bucket",
        "hub_streams",
        "hub_runs",
        "hub_registrations_total",
        "hub_heartbeats_total",
    ] {
        assert!(
            text.lines().any(|l| l.starts_with(name)),
            "{name} is missing in\n{text}"
        );
    }
    assert!(!text.contains("run="), "labels never name runs");
    assert_eq!(hub.metric("hub_forward_seconds_count", &["to=\"a\""]), 1.0);
}
