//! Who a Control may speak for.

use tonic::Code;
use transport_proto::v1::ControlAction;

use crate::client::Connection;
use crate::engram::{Engram, control, data, dial, is_fatal, message};
use crate::rig::{Hub, config};

#[tokio::test]
async fn a_binding_that_names_nothing_is_refused_so_that_the_engram_tries_again() {
    let hub = Hub::start();
    let channel = dial(&hub).await;
    for binding in [
        "default/story-nobody",
        "other/story-a",
        "nonsense",
        "default/",
    ] {
        let mut parked = data(&channel).await.unwrap();
        let refused = control(&channel, binding, &[]).await.err().unwrap();
        assert_eq!(refused.code(), Code::Unavailable, "{binding}");
        assert!(
            refused.message().contains("default/story-a"),
            "{}",
            refused.message()
        );
        // Both end together.
        assert_eq!(parked.ended().await.code(), Code::Unavailable);
    }
}

#[tokio::test]
async fn a_name_without_a_namespace_is_looked_for_in_all() {
    let hub = Hub::start();
    let channel = dial(&hub).await;
    let mut control = control(&channel, "story-a", &[]).await.unwrap();
    control.next().await.unwrap();
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
}

#[tokio::test]
async fn a_second_binding_on_one_connection_is_refused() {
    let hub = Hub::start();
    let channel = dial(&hub).await;
    let _data = data(&channel).await.unwrap();
    let mut first = control(&channel, "default/story-a", &[]).await.unwrap();
    first.next().await.unwrap();
    let refused = control(&channel, "default/story-b", &[])
        .await
        .err()
        .unwrap();
    assert!(!is_fatal(refused.code()), "{refused:?}");
    assert!(refused.message().contains("default/story-a"), "{refused:?}");
    first.act(ControlAction::Heartbeat).await;
    first.next().await.expect("the first goes on");
}

#[tokio::test]
async fn a_control_without_a_binding_or_of_another_version_can_never_work() {
    let hub = Hub::start();
    let channel = dial(&hub).await;
    let refused = control(&channel, "", &[]).await.err().unwrap();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("bubu.transport.binding"));
    let other = [("bubu-transport-protocol", "2.0.0")];
    let refused = control(&channel, "default/story-a", &other).await;
    assert_eq!(refused.err().unwrap().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn the_same_binding_again_takes_over_and_the_old_session_is_aborted() {
    let hub = Hub::start();
    let src = Engram::connect(&hub, "src").await;
    let mut old = Engram::connect(&hub, "a").await;
    let mut new = Engram::connect(&hub, "a").await;
    assert_eq!(old.data.ended().await.code(), Code::Aborted);
    assert_eq!(old.control.ended().await.code(), Code::Aborted);
    src.data.say(message("hello", 10)).await;
    assert_eq!(new.data.label().await, "hello");
    hub.wait_for_metric("hub_streams", &[], 2.0).await;
}

#[tokio::test]
async fn who_takes_a_step_over_hears_of_it_and_when_it_has_what_waited() {
    let hub = crate::receipts::hub(100, "");
    let phase = |told: &transport_proto::v1::ControlResponse| {
        assert!(told.metadata.contains_key("ts"), "{told:?}");
        let at = |key: &str| told.metadata[key].clone();
        (at("phase"), at("reason"))
    };
    let is = |phase: &str, reason: &str| (phase.to_owned(), reason.to_owned());
    let src = Engram::connect(&hub, "src").await;
    let _first = Engram::connect(&hub, "a").await;
    let mut second = Engram::connect(&hub, "a").await;
    let told = second.control.next().await.unwrap();
    assert_eq!(told.action(), ControlAction::HandoffCutover);
    assert_eq!(phase(&told), is("cutover", "stream_replaced"));
    let told = second.control.next().await.unwrap();
    assert_eq!(told.action(), ControlAction::HandoffReady);
    assert_eq!(phase(&told), is("ready", "no_buffer"));
    src.data.say(message("unreceipted", 10)).await;
    assert_eq!(second.data.label().await, "unreceipted");
    let mut third = Engram::connect(&hub, "a").await;
    let told = third.control.next().await.unwrap();
    assert_eq!(phase(&told), is("cutover", "stream_replaced"));
    assert_eq!(third.data.label().await, "unreceipted");
    let told = third.control.next().await.unwrap();
    assert_eq!(phase(&told), is("ready", "buffer_drained"));
    drop(third);
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    let mut fourth = Engram::connect(&hub, "a").await;
    fourth.control.act(ControlAction::Heartbeat).await;
    let next = fourth.control.next().await.unwrap();
    assert_eq!(next.action(), ControlAction::Ack, "it took nothing over");
}

#[tokio::test]
async fn who_takes_a_step_over_is_not_ready_before_its_data_is_there() {
    let hub = Hub::start();
    let _old = Engram::connect(&hub, "a").await;
    let channel = dial(&hub).await;
    let mut control = control(&channel, "default/story-a", &[]).await.unwrap();
    control.find(ControlAction::HandoffCutover).await;
    control.act(ControlAction::Heartbeat).await;
    let next = control.next().await.unwrap();
    assert_eq!(next.action(), ControlAction::Ack, "not ready yet");
    let _data = data(&channel).await.unwrap();
    control.find(ControlAction::HandoffReady).await;
}

#[tokio::test]
async fn a_data_stream_that_was_given_up_is_not_the_one_that_is_served() {
    let hub = Hub::start();
    let src = Engram::connect(&hub, "src").await;
    let channel = dial(&hub).await;
    for _ in 0..10 {
        drop(data(&channel).await.unwrap());
    }
    let mut served = data(&channel).await.unwrap();
    let mut control = control(&channel, "default/story-a", &[]).await.unwrap();
    control.next().await.unwrap();
    src.data.say(message("x", 10)).await;
    assert_eq!(served.label().await, "x");
}

#[tokio::test]
async fn no_more_than_four_data_streams_of_a_connection_wait_for_their_control() {
    let hub = Hub::start();
    let src = Engram::connect(&hub, "src").await;
    let channel = dial(&hub).await;
    let mut parked = Vec::new();
    for _ in 0..4 {
        parked.push(data(&channel).await.unwrap());
    }
    let mut fifth = data(&channel).await.unwrap();
    assert_eq!(fifth.ended().await.code(), Code::ResourceExhausted);
    let mut control = control(&channel, "default/story-a", &[]).await.unwrap();
    control.next().await.unwrap();
    src.data.say(message("x", 10)).await;
    assert_eq!(
        parked.remove(0).label().await,
        "x",
        "the first one is served"
    );
}

#[tokio::test]
async fn a_session_may_be_opened_anew_on_its_connection() {
    let hub = Hub::start();
    let src = Engram::connect(&hub, "src").await;
    let channel = dial(&hub).await;
    for nth in 0..3 {
        let mut data = data(&channel).await.unwrap();
        let mut control = control(&channel, "default/story-a", &[]).await.unwrap();
        control.next().await.unwrap();
        src.data.say(message(&nth.to_string(), 10)).await;
        assert_eq!(data.label().await, nth.to_string());
        drop((data, control));
        hub.wait_for_metric("hub_streams", &[], 1.0).await;
    }
}

#[tokio::test]
async fn an_engram_and_a_process_client_replace_each_other() {
    let hub = Hub::start();
    let mut engram = Engram::connect(&hub, "a").await;
    let mut connection = Connection::open(hub.grpc).await;
    let mut process = connection.process("a").await.accepted().await;
    assert_eq!(engram.data.ended().await.code(), Code::Aborted);
    let _engram = Engram::connect(&hub, "a").await;
    assert_eq!(process.ended().await.0, 10);
}

#[tokio::test]
async fn a_name_that_two_steps_share_is_refused_with_both() {
    let story = |name: &str, step: &str| {
        format!(
            "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: {{ name: {name} }}
spec:
  pattern: streaming
  transports: [{{ name: t, transportRef: grpc }}]
  steps:
    - {{ name: {step}, ref: {{ name: e }}, transport: t, needs: [] }}
"
        )
    };
    let stories = format!("{}\n---\n{}", story("a-b", "c"), story("a", "b-c"));
    let hub = Hub::with(config(), &stories);
    let channel = dial(&hub).await;
    let refused = control(&channel, "default/a-b-c", &[]).await.err().unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("ambiguous"), "{refused:?}");
}
