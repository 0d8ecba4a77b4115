//! What is said on Control: gates, barge-in, answers and silence, packets that were refused.

use transport_proto::v1::{self, ControlAction};

use crate::client::Connection;
use crate::engram::{Engram, message, owned};
use crate::rig::{self, FAN_OUT, Hub};

async fn acknowledged(engram: &mut Engram, action: ControlAction, name: &str) {
    engram.control.act(action).await;
    let ack = engram.control.find(ControlAction::Ack).await;
    let expected = owned(&[("handled", "true"), ("received", name)]);
    assert_eq!(ack.metadata, expected);
}

#[tokio::test]
async fn packets_to_an_engram_that_closed_its_gate_wait_until_it_opens() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    acknowledged(&mut a, ControlAction::StopDownstream, "stop-downstream").await;
    src.data.say(message("one", 10)).await;
    src.data.say(message("two", 10)).await;
    hub.wait_for_metric("hub_queue_packets", &["to=\"a\""], 2.0)
        .await;
    acknowledged(&mut a, ControlAction::StartDownstream, "start-downstream").await;
    assert_eq!(a.data.label().await, "one");
    assert_eq!(a.data.label().await, "two");
}

#[tokio::test]
async fn packets_of_an_engram_that_closed_its_gate_wait_until_it_opens() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let mut src = Engram::connect(&hub, "src").await;
    acknowledged(&mut src, ControlAction::StopUpstream, "stop-upstream").await;
    src.data.say(message("one", 10)).await;
    src.data.say(message("two", 10)).await;
    acknowledged(&mut src, ControlAction::StopUpstream, "stop-upstream").await;
    assert_eq!(hub.metric("hub_packets_accepted_total", &[]), 0.0);
    acknowledged(&mut src, ControlAction::StartUpstream, "start-upstream").await;
    assert_eq!(a.data.label().await, "one");
    assert_eq!(a.data.label().await, "two");
}

#[tokio::test]
async fn what_was_said_behind_a_closed_gate_counts_though_its_client_has_said_all() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let mut src = Engram::connect(&hub, "src").await;
    acknowledged(&mut src, ControlAction::StopUpstream, "stop-upstream").await;
    src.data.say(message("last", 10)).await;
    let (mut rest, mut control) = src.half_closed();
    control.act(ControlAction::StartUpstream).await;
    assert_eq!(a.data.label().await, "last");
    assert_eq!(rest.ended().await.code(), tonic::Code::Ok);
    assert_eq!(control.ended().await.code(), tonic::Code::Ok);
}

#[tokio::test]
async fn a_closed_gate_is_its_sessions_own_and_holds_up_no_successor() {
    let hub = Hub::start();
    let src = Engram::connect(&hub, "src").await;
    let mut old = Engram::connect(&hub, "a").await;
    acknowledged(&mut old, ControlAction::Stop, "stop").await;
    src.data.say(message("waits", 10)).await;
    hub.wait_for_metric("hub_queue_packets", &["to=\"a\""], 1.0)
        .await;
    let mut new = Engram::connect(&hub, "a").await;
    assert_eq!(new.data.label().await, "waits");
    assert_eq!(old.data.ended().await.code(), tonic::Code::Aborted);
    assert_eq!(old.control.ended().await.code(), tonic::Code::Aborted);
}

#[tokio::test]
async fn a_drain_ends_by_its_deadline_though_a_gate_stays_closed() {
    let mut config = rig::config();
    config.drain.deadline = std::time::Duration::from_millis(200);
    let hub = Hub::with(config, FAN_OUT);
    let src = Engram::connect(&hub, "src").await;
    let mut a = Engram::connect(&hub, "a").await;
    acknowledged(&mut a, ControlAction::StopDownstream, "stop-downstream").await;
    src.data.say(message("waits", 10)).await;
    hub.wait_for_metric("hub_queue_packets", &["to=\"a\""], 1.0)
        .await;
    let report = tokio::task::spawn_blocking(move || hub.drain());
    let report = report.await.unwrap();
    assert!(!report.in_time, "{report:?}");
    assert_eq!(report.abandoned, 2, "one for each of its targets");
}

#[tokio::test]
async fn stop_and_resume_are_both_gates() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    acknowledged(&mut a, ControlAction::Stop, "stop").await;
    src.data.say(message("one", 10)).await;
    hub.wait_for_metric("hub_queue_packets", &["to=\"a\""], 1.0)
        .await;
    a.control.custom("resume", &[]).await;
    let ack = a.control.find(ControlAction::Ack).await;
    assert_eq!(ack.metadata["received"], "resume");
    assert_eq!(a.data.label().await, "one");
}

#[tokio::test]
async fn what_could_be_answered_for_ever_is_not_answered() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    a.control.act(ControlAction::Ack).await;
    a.control.act(ControlAction::Error).await;
    a.control.custom("my.own.action", &[("x", "y")]).await;
    a.control
        .custom("downstream.delivered", &[("stream_id", "nobody's")])
        .await;
    for _ in 0..2 {
        a.control.act(ControlAction::Heartbeat).await;
        let next = a.control.next().await.unwrap();
        assert_eq!(next.metadata["received"], "heartbeat");
    }
}

#[tokio::test]
async fn a_flow_is_taken_in_without_an_answer_unless_it_breaks_a_rule() {
    let hub = crate::receipts::hub(100, "");
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    src.data.say(message("x", 10)).await;
    a.data.next().await.unwrap();
    let acked = |acks: usize| v1::ControlRequest {
        action: ControlAction::Noop.into(),
        flow: Some(v1::FlowControl {
            ack: 1,
            partition_acks: vec![v1::PartitionAck::default(); acks],
            ..v1::FlowControl::default()
        }),
        ..v1::ControlRequest::default()
    };
    for (acks, delivered) in [(257, 0.0), (0, 1.0)] {
        a.control.say(acked(acks)).await;
        a.control.act(ControlAction::Heartbeat).await;
        let next = a.control.next().await.unwrap();
        assert_eq!(next.metadata["received"], "heartbeat");
        let edge = ["to=\"a\""];
        assert_eq!(hub.metric("hub_packets_delivered_total", &edge), delivered);
    }
}

#[tokio::test]
async fn what_is_not_handled_is_said_to_be_so_once() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    for (action, received) in [(1, "noop"), (16, "codec-select"), (9, "9"), (77, "77")] {
        a.control
            .say(v1::ControlRequest {
                action,
                ..v1::ControlRequest::default()
            })
            .await;
        let ack = a.control.find(ControlAction::Ack).await;
        assert_eq!(ack.metadata["received"], received);
        assert_eq!(ack.metadata["handled"], "false");
        assert!(!ack.metadata["reason"].is_empty());
    }
}

#[tokio::test]
async fn an_interrupt_drops_what_waits_and_is_told_to_every_engram_of_the_run() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let mut b = Engram::connect(&hub, "b").await;
    let src = Engram::connect(&hub, "src").await;
    acknowledged(&mut b, ControlAction::StopDownstream, "stop-downstream").await;
    let spoken = |turn: &str| {
        let mut spoken = message(turn, 10);
        spoken.metadata.extend(owned(&[("bubu.turn", turn)]));
        spoken
    };
    src.data.say(spoken("1")).await;
    hub.wait_for_metric("hub_queue_packets", &["to=\"b\""], 1.0)
        .await;
    a.control.custom("interrupt", &[("turn", "2")]).await;
    for engram in [&mut a, &mut b] {
        let told = engram.control.next().await.unwrap();
        assert_eq!(told.custom_action, "interrupt");
        assert_eq!(told.metadata, owned(&[("turn", "2")]));
    }
    acknowledged(&mut b, ControlAction::StartDownstream, "start-downstream").await;
    src.data.say(spoken("1")).await;
    src.data.say(spoken("2")).await;
    assert_eq!(b.data.label().await, "2");
    let edge = ["to=\"b\"", "reason=\"interrupted\""];
    assert_eq!(hub.metric("hub_packets_dropped_total", &edge), 1.0);
}

#[tokio::test]
async fn an_interrupt_reaches_clients_of_both_contracts() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let with = [("current-step-id", "a"), ("hub-accept", "control")];
    let mut a = connection.process_with(&with).await.accepted().await;
    let b = Engram::connect(&hub, "b").await;
    let turn = [("turn", "3"), ("lane", "audio")];
    b.control.custom("interrupt", &turn).await;
    let told = a.next().await.unwrap();
    assert_eq!(told.metadata["hub-control"], "interrupt");
    assert_eq!(told.metadata["bubu.turn"], "3");
    assert_eq!(told.metadata["lane"], "audio");
}

#[tokio::test]
async fn a_consumer_that_asks_for_a_key_frame_is_heard_by_its_producer_only() {
    let hub = Hub::start();
    let mut src = Engram::connect(&hub, "src").await;
    let mut b = Engram::connect(&hub, "b").await;
    let a = Engram::connect(&hub, "a").await;
    a.control.custom("keyframe", &[]).await;
    let told = src.control.next().await.unwrap();
    assert_eq!(told.custom_action, "keyframe");
    b.control.act(ControlAction::Heartbeat).await;
    let next = b.control.next().await.unwrap();
    assert_eq!(next.action(), ControlAction::Ack, "b was told nothing");
}

#[tokio::test]
async fn a_packet_outside_the_limits_is_refused_reported_and_ends_nothing() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let mut src = Engram::connect(&hub, "src").await;
    let mut bad = message("bad", 10);
    bad.metadata.insert("key".into(), "v".repeat(1025));
    src.data.say(bad).await;
    src.data.say(message("good", 10)).await;
    assert_eq!(a.data.label().await, "good");
    let told = src.control.find(ControlAction::Error).await;
    let error = told.error.expect("an error");
    assert_eq!(error.code, 3);
    assert!(error.message.contains("metadata"), "{}", error.message);
    let expected = owned(&[("reason", "invalid"), ("step", "src")]);
    assert_eq!(error.details, expected);
    assert_eq!(
        hub.metric("hub_packets_refused_total", &["reason=\"invalid\""]),
        1.0
    );
}

#[tokio::test]
async fn no_more_than_ten_refusals_are_reported_at_once() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let mut src = Engram::connect(&hub, "src").await;
    for _ in 0..50 {
        let mut bad = message("bad", 10);
        bad.metadata.insert("key".into(), "v".repeat(1025));
        src.data.say(bad).await;
    }
    src.data.say(message("good", 10)).await;
    assert_eq!(a.data.label().await, "good");
    src.control.act(ControlAction::Heartbeat).await;
    let mut reports = 0;
    while src.control.next().await.unwrap().action() == ControlAction::Error {
        reports += 1;
    }
    // In the second that began meanwhile there may be ten more.
    assert!((10..=20).contains(&reports), "{reports}");
}

#[tokio::test]
async fn a_key_frame_asked_for_on_process_reaches_an_engram() {
    let hub = Hub::with(rig::config(), FAN_OUT);
    let mut src = Engram::connect(&hub, "src").await;
    let mut connection = Connection::open(hub.grpc).await;
    let mut a = connection.process("a").await.accepted().await;
    a.send_raw(rig::message(v1::DataPacket {
        metadata: owned(&[("hub-control", "keyframe")]),
        ..v1::DataPacket::default()
    }));
    let told = src.control.next().await.unwrap();
    assert_eq!(told.custom_action, "keyframe");
}
