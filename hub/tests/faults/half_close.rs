//! A connection of which one direction has ended.

use crate::client::Connection;
use crate::proxy::{Fault, Proxy};
use crate::rig::Hub;

#[tokio::test]
async fn a_connection_from_which_nothing_can_come_any_more_is_over() {
    let hub = Hub::start();
    let proxy = Proxy::to(hub.grpc).await;
    let mut a = Connection::open(proxy.addr).await.process("a").await;
    let mut src = Connection::open(hub.grpc).await.process("src").await;
    src.send_packet("before", 10);
    assert_eq!(a.label().await, "before");
    proxy.inflict(Fault::HalfClose);
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    src.send_packet("between", 10);
    proxy.inflict(Fault::None);
    let mut a = Connection::open(proxy.addr).await.process("a").await;
    assert_eq!(a.label().await, "between");
}
