//! One consumer that hardly reads, among others that do.

use std::fmt::Write;

use crate::client::Connection;
use crate::proxy::{Fault, Proxy};
use crate::rig::{Hub, config};

const CONSUMERS: usize = 20;
const PACKETS: usize = 400;
const SIZE: usize = 10_000;

fn story() -> String {
    let mut story = String::from(
        "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports:
    - { name: t, transportRef: grpc, streaming: { backpressure: { buffer: { maxMessages: 50 } } } }
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
",
    );
    for n in 0..CONSUMERS {
        let _ = writeln!(
            story,
            "    - {{ name: c{n}, ref: {{ name: c }}, transport: t, needs: [src] }}"
        );
    }
    story
}

#[tokio::test]
async fn a_consumer_that_hardly_reads_keeps_nothing_from_its_siblings_and_stays_in_its_bounds() {
    let hub = Hub::with(config(), &story());
    let proxy = Proxy::to(hub.grpc).await;
    proxy.inflict(Fault::Throttle(20));
    let _slow = Connection::open(proxy.addr)
        .await
        .process("c0")
        .await
        .accepted()
        .await;
    let mut others = Vec::new();
    for n in 1..CONSUMERS {
        let mut connection = Connection::open(hub.grpc).await;
        others.push(connection.process(&format!("c{n}")).await.accepted().await);
    }
    let mut src = Connection::open(hub.grpc).await.process("src").await;
    for n in 0..PACKETS {
        src.send_packet(&n.to_string(), SIZE);
        // In step with the fast ones: what they lose would be the slow one's doing.
        for other in &mut others {
            assert_eq!(other.label().await, n.to_string());
        }
    }
    let slow = ["to=\"c0\""];
    hub.wait_for_metric("hub_packets_accepted_total", &slow, PACKETS as f64)
        .await;
    assert!(hub.metric("hub_queue_packets", &slow) <= 50.0);
    let of = |name| hub.metric(name, &["from=\"src\""]);
    assert_eq!(
        of("hub_packets_accepted_total"),
        of("hub_packets_delivered_total")
            + of("hub_packets_dropped_total")
            + of("hub_queue_packets")
            + of("hub_in_flight_packets")
    );
    assert_eq!(
        of("hub_packets_dropped_total"),
        hub.metric("hub_packets_dropped_total", &slow),
        "nobody else lost anything"
    );
}
