//! The first words of a session.

use transport_proto::v1::{self, ControlAction};

use crate::engram::{Engram, control, data, dial, message};
use crate::rig::Hub;

#[tokio::test]
async fn both_streams_open_and_the_hub_speaks_first_though_the_client_says_nothing() {
    let hub = Hub::start();
    let channel = dial(&hub).await;
    let _data = data(&channel).await.expect("headers at once");
    let mut control = control(&channel, "default/story-a", &[])
        .await
        .expect("headers at once");
    let ready = control.next().await.expect("a first word");
    assert_eq!(ready.action(), ControlAction::ConnectorReady);
    assert_eq!(ready.metadata["startup.capabilities"], "none");
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
}

#[tokio::test]
async fn control_may_come_before_data() {
    let hub = Hub::start();
    let channel = dial(&hub).await;
    let mut control = control(&channel, "default/story-src", &[]).await.unwrap();
    let ready = control.next().await.unwrap();
    assert_eq!(ready.action(), ControlAction::ConnectorReady);
    let data = data(&channel).await.unwrap();
    let mut a = Engram::connect(&hub, "a").await;
    data.say(message("first", 10)).await;
    assert_eq!(a.data.label().await, "first");
}

#[tokio::test]
async fn what_is_said_on_data_before_control_comes_waits_for_it() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let channel = dial(&hub).await;
    let data = data(&channel).await.unwrap();
    data.say(message("early", 10)).await;
    let mut control = control(&channel, "default/story-src", &[]).await.unwrap();
    control.next().await.unwrap();
    data.say(message("late", 10)).await;
    assert_eq!(a.data.label().await, "early");
    assert_eq!(a.data.label().await, "late");
}

#[tokio::test]
async fn heartbeats_are_answered_on_control_and_sent_on_data() {
    let mut config = crate::rig::config();
    config.heartbeat.interval = std::time::Duration::from_millis(100);
    let hub = Hub::with(config, crate::rig::FAN_OUT);
    let mut a = Engram::connect(&hub, "a").await;
    a.control.act(ControlAction::Heartbeat).await;
    let ack = a.control.find(ControlAction::Ack).await;
    let expected = [
        ("handled", "true"),
        ("received", "heartbeat"),
        ("status", "alive"),
    ];
    assert_eq!(ack.metadata, crate::engram::owned(&expected));
    let beat = a.data.any().await.unwrap();
    assert_eq!(beat.metadata["bubu-heartbeat"], "true");
    assert!(beat.frame.is_none());
}

#[tokio::test]
async fn a_heartbeat_on_data_goes_to_dependents_and_is_no_packet() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    src.data
        .say(v1::DataRequest {
            metadata: crate::engram::owned(&[("bubu-heartbeat", "true")]),
            ..v1::DataRequest::default()
        })
        .await;
    let beat = a.data.any().await.unwrap();
    assert_eq!(beat.metadata["bubu-heartbeat"], "true");
    assert!(beat.frame.is_none());
    assert_eq!(hub.metric("hub_packets_accepted_total", &[]), 0.0);
}
