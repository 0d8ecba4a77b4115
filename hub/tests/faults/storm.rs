//! Hundreds of streams that are cut at one moment and come back at one moment.

use std::fmt::Write;

use crate::client::{Connection, Process};
use crate::proxy::{Fault, Proxy};
use crate::rig::{Hub, config};

const PAIRS: usize = 150;

fn story() -> String {
    let mut story = String::from(
        "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports: [{ name: t, transportRef: grpc }]
  steps:
",
    );
    for n in 0..PAIRS {
        let _ = write!(
            story,
            "    - {{ name: p{n}, ref: {{ name: p }}, transport: t, needs: [] }}
    - {{ name: c{n}, ref: {{ name: c }}, transport: t, needs: [p{n}] }}
"
        );
    }
    story
}

/// Registers all steps at once, each on a connection of its own.
async fn all(proxy: &Proxy) -> Vec<(Process, Process)> {
    let open = |step: String| {
        let addr = proxy.addr;
        tokio::spawn(async move {
            let mut connection = Connection::open(addr).await;
            connection.process(&step).await.accepted().await
        })
    };
    let tasks: Vec<_> = (0..PAIRS)
        .map(|n| (open(format!("p{n}")), open(format!("c{n}"))))
        .collect();
    let mut pairs = Vec::new();
    for (producer, consumer) in tasks {
        let producer = producer.await.expect("registered");
        pairs.push((producer, consumer.await.expect("registered")));
    }
    pairs
}

async fn each_passes_a_packet(pairs: &mut [(Process, Process)], name: &str) {
    for (n, (producer, _)) in pairs.iter_mut().enumerate() {
        producer.send_packet(&format!("{name} {n}"), 100);
    }
    for (n, (_, consumer)) in pairs.iter_mut().enumerate() {
        assert_eq!(consumer.label().await, format!("{name} {n}"));
    }
}

#[tokio::test]
async fn hundreds_of_streams_come_back_at_once_and_find_their_packets() {
    let hub = Hub::with(config(), &story());
    let proxy = Proxy::to(hub.grpc).await;
    let steady = Connection::open(hub.grpc).await;
    let mut pairs = all(&proxy).await;
    each_passes_a_packet(&mut pairs, "before").await;
    for round in 0..3 {
        proxy
            .cut(if round % 2 == 0 {
                Fault::Reset
            } else {
                Fault::Cut
            })
            .await;
        hub.wait_for_metric("hub_streams", &[], 0.0).await;
        pairs = all(&proxy).await;
        hub.wait_for_metric("hub_streams", &[], 2.0 * PAIRS as f64)
            .await;
        each_passes_a_packet(&mut pairs, "after").await;
    }
    drop(steady);
    let refused = hub.metric("hub_registrations_total", &[])
        - hub.metric("hub_registrations_total", &["code=\"OK\""]);
    assert_eq!(refused, 0.0);
}
