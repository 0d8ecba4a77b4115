//! Networks that carry little at a time.

use crate::client::Connection;
use crate::proxy::{Fault, Proxy};
use crate::rig::Hub;

async fn packets_cross(fault: Fault, sizes: &[usize]) {
    let hub = Hub::start();
    let proxy = Proxy::to(hub.grpc).await;
    proxy.inflict(fault);
    let mut connection = Connection::open(proxy.addr).await;
    let mut a = connection.process("a").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    for size in sizes {
        src.send_packet(&size.to_string(), *size);
    }
    for size in sizes {
        assert_eq!(a.label().await, size.to_string());
    }
    assert_eq!(hub.metric("hub_packets_refused_total", &[]), 0.0);
}

#[tokio::test]
async fn packets_that_come_byte_by_byte_are_whole() {
    packets_cross(Fault::Slices, &[0, 1, 255, 4096, 20_000]).await;
}

#[tokio::test]
async fn packets_that_come_slowly_are_whole() {
    packets_cross(Fault::Throttle(4096), &[0, 1, 60_000, 200_000]).await;
}
