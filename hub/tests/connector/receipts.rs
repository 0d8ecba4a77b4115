//! Receipts one by one, in any order; what is not receipted comes again.

use transport_proto::v1::{self, ControlAction, FlowControlSignal};

use crate::client::Connection;
use crate::engram::{Engram, envelope, label, message};
use crate::rig::{Hub, config};

/// `src` to `a`, which gets everything at least once.
pub fn hub(messages: usize, delivery: &str) -> Hub {
    let story = format!(
        "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: {{ name: story }}
spec:
  pattern: streaming
  transports:
    - name: t
      transportRef: grpc
      streaming:
        delivery: {{ semantics: at_least_once, replay: {{ mode: memory }}{delivery} }}
        backpressure: {{ buffer: {{ maxMessages: {messages} }} }}
  steps:
    - {{ name: src, ref: {{ name: src }}, transport: t, needs: [] }}
    - {{ name: a, ref: {{ name: a }}, transport: t, needs: [src] }}
"
    );
    Hub::with(config(), &story)
}

const EDGE: [&str; 2] = ["from=\"src\"", "to=\"a\""];

async fn numbered(src: &Engram, number: u64) {
    let mut message = message(&number.to_string(), 10);
    message.envelope = Some(v1::StreamEnvelope {
        sequence: number,
        ..v1::StreamEnvelope::default()
    });
    src.data.say(message).await;
}

#[tokio::test]
async fn each_receipt_releases_its_own_packet_in_whatever_order_they_come() {
    let hub = hub(100, "");
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    let mut got = Vec::new();
    for n in 0..5 {
        src.data.say(message(&n.to_string(), 10)).await;
        let packet = a.data.next().await.unwrap();
        assert_eq!(envelope(&packet).sequence, n + 1);
        got.push(packet);
    }
    for at in [4, 1, 3] {
        a.control.done(envelope(&got[at])).await;
    }
    hub.wait_for_metric("hub_packets_delivered_total", &EDGE, 3.0)
        .await;
    drop(a);
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    let mut a = Engram::connect(&hub, "a").await;
    for at in [0, 2] {
        let packet = a.data.next().await.unwrap();
        assert_eq!(envelope(&packet), envelope(&got[at]), "the same identity");
        assert_eq!(label(&packet), at.to_string());
        a.control.done(envelope(&packet)).await;
    }
    hub.wait_for_metric("hub_packets_delivered_total", &EDGE, 5.0)
        .await;
}

#[tokio::test]
async fn a_receipt_of_the_session_before_still_counts_and_a_strangers_does_not() {
    let hub = hub(100, "");
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    src.data.say(message("x", 10)).await;
    let packet = a.data.next().await.unwrap();
    drop(a);
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    let a = Engram::connect(&hub, "a").await;
    let mut other = envelope(&packet).clone();
    other.stream_id = "default/story/b@1".into();
    a.control.done(&other).await;
    hub.wait_for_metric("hub_receipts_ignored_total", &["reason=\"foreign\""], 1.0)
        .await;
    assert_eq!(hub.metric("hub_packets_delivered_total", &EDGE), 0.0);
    a.control.done(envelope(&packet)).await;
    hub.wait_for_metric("hub_packets_delivered_total", &EDGE, 1.0)
        .await;
}

#[tokio::test]
async fn a_receipt_without_a_number_is_for_no_packet() {
    let hub = hub(100, "");
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    src.data.say(message("x", 10)).await;
    let packet = a.data.next().await.unwrap();
    let stream = envelope(&packet).stream_id.clone();
    let metadata = [("stream_id", &*stream), ("size_bytes", "1")];
    a.control.custom("downstream.delivered", &metadata).await;
    a.control.act(ControlAction::Heartbeat).await;
    a.control.find(ControlAction::Ack).await;
    assert_eq!(hub.metric("hub_packets_delivered_total", &EDGE), 0.0);
}

#[tokio::test]
async fn no_more_are_in_flight_than_the_engrams_queue_holds() {
    let hub = hub(500, "");
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    for n in 0..200 {
        src.send_packet(&n.to_string(), 10);
    }
    hub.wait_for_metric("hub_queue_packets", &EDGE, 200.0).await;
    let mut a = Engram::connect(&hub, "a").await;
    hub.wait_for_metric("hub_in_flight_packets", &EDGE, 96.0)
        .await;
    for n in 0..200 {
        let packet = a.data.next().await.unwrap();
        assert_eq!(label(&packet), n.to_string());
        assert!(hub_in_flight(&hub) <= 96.0);
        a.control.done(envelope(&packet)).await;
    }
    hub.wait_for_metric("hub_packets_delivered_total", &EDGE, 200.0)
        .await;
}

fn hub_in_flight(hub: &Hub) -> f64 {
    hub.metric("hub_in_flight_packets", &EDGE)
}

#[tokio::test]
async fn a_packet_whose_receipt_got_lost_comes_again_on_the_same_session() {
    let hub = hub(100, ", redelivery: { ackWait: 200ms }");
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    src.data.say(message("x", 10)).await;
    let first = a.data.next().await.unwrap();
    let again = a.data.next().await.unwrap();
    assert_eq!(first, again);
    a.control.done(envelope(&again)).await;
    hub.wait_for_metric("hub_packets_delivered_total", &EDGE, 1.0)
        .await;
}

#[tokio::test]
async fn an_engram_that_numbers_hears_on_control_what_is_settled() {
    let hub = hub(100, "");
    let mut a = Engram::connect(&hub, "a").await;
    let mut src = Engram::connect_with(&hub, "src", &[("hub-producer-epoch", "e7")]).await;
    for number in 1..=3 {
        numbered(&src, number).await;
        let packet = a.data.next().await.unwrap();
        if number < 3 {
            a.control.done(envelope(&packet)).await;
        }
    }
    let told = src.control.find(ControlAction::Noop).await;
    assert_eq!(told.flow.expect("a flow").ack, 2);
    drop(src);
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    let mut src = Engram::connect_with(&hub, "src", &[("hub-producer-epoch", "e7")]).await;
    let told = src.control.find(ControlAction::Noop).await;
    assert_eq!(
        told.flow.expect("a flow").ack,
        2,
        "told as soon as it is back"
    );
    for number in 2..=4 {
        numbered(&src, number).await;
    }
    let packet = a.data.next().await.unwrap();
    assert_eq!(label(&packet), "4", "what was routed before is not again");
}

#[tokio::test]
async fn an_engram_that_acts_on_it_is_told_to_pause_and_to_resume() {
    let hub = hub(10, "");
    let mut src = Engram::connect_with(&hub, "src", &[("hub-accept", "pause")]).await;
    for n in 0..9 {
        src.data.say(message(&n.to_string(), 10)).await;
    }
    let flow = src.control.find(ControlAction::Noop).await.flow.unwrap();
    assert_eq!(flow.signal(), FlowControlSignal::Pause);
    let mut a = Engram::connect(&hub, "a").await;
    for _ in 0..9 {
        let packet = a.data.next().await.unwrap();
        a.control.done(envelope(&packet)).await;
    }
    let flow = src.control.find(ControlAction::Noop).await.flow.unwrap();
    assert_eq!(flow.signal(), FlowControlSignal::Resume);
}

#[tokio::test]
async fn an_engram_that_knows_no_signals_is_left_unread_and_loses_nothing() {
    let hub = hub(10, "");
    let src = Engram::connect(&hub, "src").await;
    let feeding = tokio::spawn(async move {
        for n in 0..300 {
            src.data.say(message(&n.to_string(), 10)).await;
        }
        src
    });
    hub.wait_for_metric("hub_paused", &EDGE, 1.0).await;
    let mut a = Engram::connect(&hub, "a").await;
    for n in 0..300 {
        let packet = a.data.next().await.unwrap();
        assert_eq!(label(&packet), n.to_string());
        a.control.done(envelope(&packet)).await;
    }
    let _src = feeding.await.unwrap();
    hub.wait_for_metric("hub_packets_delivered_total", &EDGE, 300.0)
        .await;
}
