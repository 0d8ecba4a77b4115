//! How a hub ends (spec 2.7).

use tonic::Code;

use crate::engram::Engram;
use crate::process::{Ended, Hub};
use crate::ready::PAIR;

/// Ends the hub while the engrams of this test go on.
async fn terminated(hub: Hub) -> Ended {
    let ending = tokio::task::spawn_blocking(|| hub.terminate());
    ending.await.expect("ended")
}

#[test]
fn an_idle_hub_exits_0_at_sigterm() {
    let ended = Hub::serve(PAIR, &[]).terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("drained"), "{}", ended.stderr);
}

#[test]
fn ctrl_c_drains_too() {
    let hub = Hub::serve(PAIR, &[]);
    hub.process.signal("INT");
    assert_eq!(hub.process.end().code, Some(0));
}

#[tokio::test]
async fn an_engram_gets_what_waits_for_it_and_then_unavailable() {
    let hub = Hub::serve(PAIR, &[]);
    let src = Engram::register(hub.grpc, "src").await.expect("registers");
    src.send(1000).await;
    hub.metrics_with("hub_queue_packets{story=\"story\",from=\"src\",to=\"a\"} 1")
        .await;
    let mut a = Engram::register(hub.grpc, "a").await.expect("registers");
    let ending = tokio::spawn(terminated(hub));
    let packet = a.receive().await.expect("no status yet");
    assert!(packet.is_some_and(|p| p.packet.is_some()));
    let status = a.receive().await.expect_err("ended");
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("reconnect"), "{status}");
    drop((a, src));
    assert_eq!(ending.await.expect("ended").code, Some(0));
}

#[tokio::test]
async fn a_drain_that_hits_its_deadline_exits_0_with_a_warning() {
    let hub = Hub::serve(PAIR, &["--set", "drain.deadline=200ms"]);
    let _never_reads = Engram::register(hub.grpc, "a").await.expect("registers");
    let src = Engram::register(hub.grpc, "src").await.expect("registers");
    for _ in 0..4 {
        src.send(1 << 20).await;
    }
    // Routed, and far more than the window of a client that reads nothing.
    hub.metrics_with("hub_packets_accepted_total{story=\"story\",from=\"src\",to=\"a\"} 4")
        .await;
    let ended = terminated(hub).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let warned = |line: &str| line.contains("\"WARN\"") && line.contains("drained with losses");
    assert!(ended.stderr.lines().any(warned), "{}", ended.stderr);
}
