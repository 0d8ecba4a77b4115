//! The one message of a batch engram, which names neither a version nor a binding.

use tonic::Code;

use crate::engram::{Engram, dial, message, one_shot, owned};
use crate::rig::Hub;

fn of_src(label: &str) -> transport_proto::v1::DataRequest {
    let mut result = message(label, 10);
    result.metadata.extend(owned(&[
        ("storyName", "story"),
        ("storyRunID", "story"),
        ("stepName", "src"),
        ("stepRunID", "story-src"),
        ("stepRunNamespace", "default"),
    ]));
    result
}

#[tokio::test]
async fn the_message_of_a_batch_engram_is_routed_as_one_of_its_step() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let channel = dial(&hub).await;
    for label in ["one", "two"] {
        assert_eq!(one_shot(&channel, of_src(label)).await.code(), Code::Ok);
        assert_eq!(a.data.label().await, label);
    }
    hub.wait_for_metric("hub_streams", &[], 1.0).await;
}

#[tokio::test]
async fn nobody_who_is_connected_is_replaced_by_it() {
    let hub = Hub::start();
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    let status = one_shot(&dial(&hub).await, of_src("stray")).await;
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    src.data.say(message("own", 10)).await;
    assert_eq!(a.data.label().await, "own");
}

#[tokio::test]
async fn a_message_that_does_not_say_whose_it_is_is_refused() {
    let hub = Hub::start();
    let status = one_shot(&dial(&hub).await, message("stray", 10)).await;
    assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
    assert!(status.message().contains("bubu-transport-protocol"));
    for key in ["storyRunID", "stepName"] {
        let mut half = of_src("stray");
        half.metadata.remove(key);
        let status = one_shot(&dial(&hub).await, half).await;
        assert_eq!(status.code(), Code::FailedPrecondition, "{key}: {status:?}");
    }
    let mut unknown = of_src("stray");
    unknown.metadata.insert("stepName".into(), "nobody".into());
    let status = one_shot(&dial(&hub).await, unknown).await;
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
}

#[tokio::test]
async fn a_message_that_finds_no_room_is_given_back_when_somebody_comes_for_its_step() {
    let hub = crate::receipts::hub(1, "");
    let channel = dial(&hub).await;
    let code = one_shot(&channel, of_src("one")).await.code();
    assert_eq!(code, Code::Ok);
    let waits = tokio::spawn(async move { one_shot(&channel, of_src("two")).await });
    hub.wait_for_metric("hub_paused", &["to=\"a\""], 1.0).await;
    let _src = Engram::connect(&hub, "src").await;
    let status = waits.await.unwrap();
    assert_eq!(status.code(), Code::Aborted, "{status:?}");
    let mut a = Engram::connect(&hub, "a").await;
    assert_eq!(a.data.label().await, "one");
    assert_eq!(hub.metric("hub_packets_accepted_total", &["to=\"a\""]), 1.0);
}
