//! at_least_once over real sockets: receipts, replay, ack-through, waiting for room.

use transport_proto::v1;

use crate::client::{Connection, Process};
use crate::rig::{Hub, config, label};

/// `src` to `a`, which gets everything at least once, with room for `messages` packets.
fn hub(messages: usize) -> Hub {
    hub_with(messages, "flowControl: {}")
}

fn hub_with(messages: usize, flow_control: &str) -> Hub {
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
        delivery: {{ semantics: at_least_once, replay: {{ mode: memory }} }}
        backpressure: {{ buffer: {{ maxMessages: {messages} }} }}
        {flow_control}
  steps:
    - {{ name: src, ref: {{ name: src }}, transport: t, needs: [] }}
    - {{ name: a, ref: {{ name: a }}, transport: t, needs: [src] }}
"
    );
    Hub::with(config(), &story)
}

/// The label and the sequence of the next packet.
async fn next(process: &mut Process) -> (String, u64) {
    let packet = process.next().await.expect("a packet");
    let sequence = packet.envelope.as_ref().map_or(0, |e| e.sequence);
    (label(&packet).to_owned(), sequence)
}

async fn numbering(connection: &mut Connection, accept: &str) -> Process {
    let metadata = [("hub-producer-epoch", "e7"), ("hub-accept", accept)];
    connection.process_with(&metadata).await.accepted().await
}

#[tokio::test]
async fn what_was_not_receipted_comes_again_on_the_next_connection() {
    let hub = hub(100);
    let mut src_connection = Connection::open(hub.grpc).await;
    let mut src = numbering(&mut src_connection, "").await;
    let mut first = Connection::open(hub.grpc).await;
    let mut a = first.process("a").await.accepted().await;
    for number in 1..=5 {
        src.send_numbered(number);
    }
    for number in 1..=5 {
        assert_eq!(next(&mut a).await, (number.to_string(), number));
    }
    a.send_ack(2);
    assert_eq!(src.flow().await.ack, 2, "told when the delay has passed");
    drop((a, first));
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    src.send_numbered(6);
    let mut second = Connection::open(hub.grpc).await;
    let mut a = second.process("a").await;
    for number in 3..=6 {
        assert_eq!(next(&mut a).await, (number.to_string(), number));
    }
    a.send_ack(6);
    assert_eq!(src.flow().await.ack, 6);
    let edge = ["from=\"src\"", "to=\"a\""];
    assert_eq!(hub.metric("hub_packets_delivered_total", &edge), 6.0);
    assert_eq!(hub.metric("hub_packets_replayed_total", &edge), 3.0);
    assert_eq!(hub.metric("hub_in_flight_packets", &edge), 0.0);
}

#[tokio::test]
async fn what_a_producer_sends_again_is_acked_and_not_routed_again() {
    let hub = hub(100);
    let mut a_connection = Connection::open(hub.grpc).await;
    let mut a = a_connection.process("a").await.accepted().await;
    let mut first = Connection::open(hub.grpc).await;
    let mut src = numbering(&mut first, "").await;
    for number in 1..=3 {
        src.send_numbered(number);
        assert_eq!(next(&mut a).await.1, number);
    }
    a.send_ack(3);
    drop((src, first));
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    let mut second = Connection::open(hub.grpc).await;
    let mut src = numbering(&mut second, "").await;
    assert_eq!(src.flow().await.ack, 3, "told as soon as it is back");
    for number in 2..=4 {
        src.send_numbered(number);
    }
    assert_eq!(next(&mut a).await, ("4".to_owned(), 4));
}

#[tokio::test]
async fn a_producer_whose_target_is_full_is_left_unread_and_loses_nothing() {
    const PACKETS: u64 = 200;
    let hub = hub(4);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    for number in 1..=PACKETS {
        src.send_packet(&number.to_string(), 10);
    }
    let edge = ["from=\"src\"", "to=\"a\""];
    hub.wait_for_metric("hub_paused", &edge, 1.0).await;
    assert_eq!(hub.metric("hub_queue_packets", &edge), 4.0);
    let mut other = Connection::open(hub.grpc).await;
    let mut a = other.process("a").await.accepted().await;
    for number in 1..=PACKETS {
        assert_eq!(next(&mut a).await, (number.to_string(), number));
        a.send_ack(number);
    }
    hub.wait_for_metric("hub_packets_delivered_total", &edge, PACKETS as f64)
        .await;
    assert_eq!(hub.metric("hub_paused", &edge), 0.0);
    assert_eq!(hub.metric("hub_packets_dropped_total", &edge), 0.0);
}

#[tokio::test]
async fn a_producer_that_ended_while_it_was_left_unread_is_heard_to_its_last_word() {
    let hub = hub(2);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    for number in 1..=20 {
        src.send_packet(&number.to_string(), 10);
    }
    src.send
        .send_data(bytes::Bytes::new(), true)
        .expect("half-closes");
    let edge = ["from=\"src\"", "to=\"a\""];
    hub.wait_for_metric("hub_paused", &edge, 1.0).await;
    let mut a = connection.process("a").await.accepted().await;
    for number in 1..=20 {
        assert_eq!(next(&mut a).await.0, number.to_string());
        a.send_ack(number);
    }
    assert_eq!(src.ended().await.0, 0);
}

#[tokio::test]
async fn a_producer_that_acts_on_signals_is_told_to_pause_and_to_resume() {
    let hub = hub(10);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = numbering(&mut connection, "pause, something-else").await;
    for number in 1..=9 {
        src.send_numbered(number);
    }
    let pause = v1::FlowControlSignal::Pause as i32;
    assert_eq!(src.flow().await.signal, pause);
    let mut a = connection.process("a").await.accepted().await;
    for number in 1..=9 {
        assert_eq!(next(&mut a).await.1, number);
    }
    let resume = v1::FlowControlSignal::Resume as i32;
    assert_eq!(src.flow().await.signal, resume);
}

#[tokio::test]
async fn a_step_that_returns_credits_is_sent_no_more_than_it_granted() {
    let hub = hub_with(100, "flowControl: { initialCredits: { messages: 2 } }");
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    let credits = |messages| v1::FlowControl {
        credits_messages: messages,
        ..v1::FlowControl::default()
    };
    a.send_flow(credits(1));
    let mut src = numbering(&mut connection, "").await;
    src.send_numbered(1);
    assert_eq!(next(&mut a).await.1, 1);
    for number in 2..=5 {
        src.send_numbered(number);
    }
    assert_eq!(next(&mut a).await.1, 2, "the grant is two");
    let edge = ["from=\"src\"", "to=\"a\""];
    hub.wait_for_metric("hub_queue_packets", &edge, 3.0).await;
    assert_eq!(hub.metric("hub_in_flight_packets", &edge), 2.0);
    a.send_flow(credits(2));
    assert_eq!(next(&mut a).await.1, 3);
    assert_eq!(next(&mut a).await.1, 4);
    hub.wait_for_metric("hub_queue_packets", &edge, 1.0).await;
}

#[tokio::test]
async fn a_consumer_that_ends_without_receipts_is_let_go_and_loses_nothing() {
    let hub = hub(4);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = numbering(&mut connection, "pause").await;
    let mut a = connection.process("a").await.accepted().await;
    for number in 1..=8 {
        src.send_numbered(number);
    }
    for number in 1..=4 {
        assert_eq!(next(&mut a).await.1, number);
    }
    let edge = ["from=\"src\"", "to=\"a\""];
    hub.wait_for_metric("hub_queue_packets", &edge, 4.0).await;
    a.send
        .send_data(bytes::Bytes::new(), true)
        .expect("half-closes");
    assert_eq!(a.ended().await.0, 0, "what the window holds back stays");
    let mut a = connection.process("a").await.accepted().await;
    for number in 1..=4 {
        assert_eq!(next(&mut a).await.1, number);
    }
}
