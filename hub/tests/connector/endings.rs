//! How sessions end: both streams together, and never so that an engram's process exits for what
//! may work the next time.

use tonic::Code;
use transport_proto::v1::{self, ControlAction};

use crate::engram::{Engram, dial, message};
use crate::raw::Raw;
use crate::receipts;
use crate::rig::Hub;

#[tokio::test]
async fn a_drain_hands_off_waits_for_receipts_and_ends_both_streams_with_unavailable() {
    let hub = receipts::hub(100, "");
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    src.data.say(message("last", 10)).await;
    let packet = a.data.next().await.unwrap();
    let draining = tokio::task::spawn_blocking(move || hub.drain());
    let told = a.control.find(ControlAction::HandoffDraining).await;
    assert_eq!(told.metadata["phase"], "draining");
    assert!(told.metadata.contains_key("reason") && told.metadata.contains_key("ts"));
    a.control.done(crate::engram::envelope(&packet)).await;
    assert_eq!(a.data.ended().await.code(), Code::Unavailable);
    assert_eq!(a.control.ended().await.code(), Code::Unavailable);
    let report = draining.await.unwrap();
    assert!(report.in_time && report.abandoned == 0, "{report:?}");
}

#[tokio::test]
async fn control_ends_with_data_and_data_with_control() {
    let hub = Hub::start();
    let Engram { data, mut control } = Engram::connect(&hub, "a").await;
    drop(data);
    assert_eq!(control.ended().await.code(), Code::Unavailable);
    let Engram { mut data, control } = Engram::connect(&hub, "a").await;
    drop(control);
    assert_eq!(data.ended().await.code(), Code::Unavailable);
    hub.wait_for_metric("hub_streams", &[], 0.0).await;
}

#[tokio::test]
async fn an_engram_that_has_said_all_gets_what_waits_and_both_streams_end_well() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    src.data.say(message("last", 10)).await;
    assert_eq!(a.data.label().await, "last");
    let mut a = a.half_closed();
    assert_eq!(a.0.ended().await.code(), Code::Ok);
    assert_eq!(a.1.ended().await.code(), Code::Ok);
}

#[tokio::test]
async fn a_lost_connection_ends_the_session_and_its_step_waits() {
    let hub = Hub::start();
    let src = Engram::connect(&hub, "src").await;
    drop(Engram::connect(&hub, "a").await);
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    src.data.say(message("while away", 10)).await;
    hub.wait_for_metric("hub_queue_packets", &["to=\"a\""], 1.0)
        .await;
    let mut a = Engram::connect(&hub, "a").await;
    assert_eq!(a.data.label().await, "while away");
}

#[tokio::test]
async fn garbage_in_a_message_is_refused_and_ends_nothing() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let mut raw = Raw::connect(&hub, "src").await;
    raw.say(&crate::rig::framed(b"\xff\xff\xff no protobuf"));
    let text_that_is_none = [0x22, 4, 0x0a, 2, 0xc3, 0x28];
    raw.say(&crate::rig::framed(&text_that_is_none));
    raw.say_message(message("after", 10));
    assert_eq!(a.data.label().await, "after");
    assert_eq!(
        hub.metric("hub_packets_refused_total", &["reason=\"invalid\""]),
        2.0
    );
}

#[tokio::test]
async fn bytes_that_are_no_messages_end_the_session_so_that_it_is_opened_again() {
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 0xff, 0xff, 0xff, 0xff]] {
        let hub = Hub::start();
        let mut raw = Raw::connect(&hub, "src").await;
        raw.say(garbage);
        let (data, control) = raw.ended().await;
        assert!(!crate::engram::is_fatal(Code::from_i32(data)), "{data}");
        assert_eq!(data, control);
    }
}

#[tokio::test]
async fn a_control_of_another_connection_has_no_part_in_a_session() {
    let hub = Hub::start();
    let first = dial(&hub).await;
    let second = dial(&hub).await;
    let mut stray = crate::engram::data(&first).await.unwrap();
    let mut control = crate::engram::control(&second, "default/story-a", &[])
        .await
        .unwrap();
    control.next().await.unwrap();
    let src = Engram::connect(&hub, "src").await;
    src.data.say(message("x", 10)).await;
    hub.wait_for_metric("hub_queue_packets", &["to=\"a\""], 1.0)
        .await;
    let mut own = crate::engram::data(&second).await.unwrap();
    assert_eq!(own.label().await, "x");
    let _control = crate::engram::control(&first, "default/story-b", &[])
        .await
        .unwrap();
    assert_eq!(stray.label().await, "x", "that of b, which waited for it");
}

#[tokio::test]
async fn a_control_whose_data_never_came_leaves_its_step_when_it_goes() {
    let hub = Hub::start();
    let channel = dial(&hub).await;
    let mut control = crate::engram::control(&channel, "default/story-a", &[])
        .await
        .unwrap();
    control.next().await.unwrap();
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
    drop(control);
    hub.wait_for_metric("hub_streams", &[], 0.0).await;
}

#[tokio::test]
async fn control_is_heard_as_long_as_packets_are_owed() {
    let hub = Hub::start();
    let src = Engram::connect(&hub, "src").await;
    let mut raw = Raw::connect(&hub, "a").await;
    // More than the window of a client that does not read.
    for _ in 0..4 {
        src.data.say(message("x", 60_000)).await;
    }
    hub.wait_for_metric("hub_packets_accepted_total", &["to=\"a\""], 4.0)
        .await;
    raw.end_data();
    let beat = v1::ControlRequest {
        action: ControlAction::Heartbeat.into(),
        ..v1::ControlRequest::default()
    };
    let beat = crate::rig::framed(&prost::Message::encode_to_vec(&beat));
    // The answer to the first comes after the end of Data has been heard.
    for _ in 0..3 {
        raw.say_on_control(&beat);
        raw.hears_on_control(b"alive").await;
    }
    assert_eq!(raw.ended().await, (0, 0));
}
