//! Over the connector contract: Data and Control of a server of the tests' own.

use engram::{RunError, Runtime};
use tokio::sync::mpsc;
use tonic::Status;
use tonic::metadata::MetadataMap;
use transport_proto::v1::{
    AudioFrame, ControlAction, ControlResponse, DataResponse, FlowControlSignal, StreamEnvelope,
    data_response,
};

use crate::scene::{Echo, Scripted, within};
use crate::server::{Hub, facts, flow, number, ready, sent, told};

fn sound(sequence: u64) -> DataResponse {
    DataResponse {
        frame: Some(data_response::Frame::Audio(AudioFrame {
            pcm: vec![1, 2].into(),
            sample_rate_hz: 8000,
            channels: 1,
            ..AudioFrame::default()
        })),
        envelope: Some(StreamEnvelope {
            stream_id: "ns/r/echo@1".to_owned(),
            sequence,
            partition: "p".to_owned(),
            ..StreamEnvelope::default()
        }),
        ..DataResponse::default()
    }
}

#[tokio::test]
async fn control_says_who_the_engram_is_and_data_does_not() {
    let mut hub = Hub::start().await;
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    let (data, control) = hub.connection().await;
    let get = |metadata: &MetadataMap, key: &str| {
        metadata
            .get(key)
            .map(|value| value.to_str().expect("text").to_owned())
    };
    assert_eq!(
        get(&control.metadata, "bubu.transport.binding").as_deref(),
        Some("ns/r-echo")
    );
    assert_eq!(
        get(&control.metadata, "hub-accept").as_deref(),
        Some("pause,control")
    );
    assert!(get(&control.metadata, "hub-producer-epoch").is_some_and(|epoch| epoch.len() <= 128));
    for metadata in [&data.metadata, &control.metadata] {
        assert_eq!(
            get(metadata, "bubu-transport-protocol").as_deref(),
            Some("1.0.0")
        );
    }
    assert_eq!(get(&data.metadata, "bubu.transport.binding"), None);
}

#[tokio::test]
async fn an_engram_waits_for_the_hub_and_then_answers() {
    let mut hub = Hub::start().await;
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    let (mut data, mut control) = hub.connection().await;
    data.say(sound(1));
    // Signs of life come on Control alone before the hub is ready.
    assert_eq!(control.heard().await.action(), ControlAction::Heartbeat);
    ready(&control);
    let answer = told(&mut control).await;
    assert_eq!(answer.action(), ControlAction::Ack);
    assert_eq!(
        answer.metadata,
        facts(&[
            ("handled", "true"),
            ("reason", "startup"),
            ("type", "connector.ready")
        ])
    );
    let echoed = sent(&mut data).await;
    assert_eq!(number(&echoed), 1);
    assert_eq!(
        echoed.envelope.map(|envelope| envelope.stream_id),
        Some(String::new())
    );
    let receipt = told(&mut control).await;
    assert_eq!(receipt.custom_action, "downstream.delivered");
    let expected = [
        ("partition", "p"),
        ("sequence", "1"),
        ("stream_id", "ns/r/echo@1"),
    ];
    for (key, value) in expected {
        assert_eq!(receipt.metadata[key], value);
    }
    assert!(
        receipt.metadata["size_bytes"]
            .parse::<u64>()
            .is_ok_and(|size| size > 0)
    );
}

#[tokio::test]
async fn both_streams_show_signs_of_life() {
    let mut hub = Hub::start().await;
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(Scripted::waiting()));
    let (mut data, mut control) = hub.connection().await;
    ready(&control);
    let beat = data.heard().await;
    assert!(beat.frame.is_none());
    assert_eq!(beat.metadata, facts(&[("bubu-heartbeat", "true")]));
    loop {
        let request = control.heard().await;
        if request.action() == ControlAction::Heartbeat {
            assert!(request.metadata["ts"].parse::<u64>().is_ok());
            return;
        }
    }
}

#[tokio::test]
async fn what_is_not_acked_through_is_sent_again_with_its_number() {
    let mut hub = Hub::start().await;
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    let (mut data, control) = hub.connection().await;
    ready(&control);
    let epoch = control.metadata.get("hub-producer-epoch").cloned();
    for sequence in 1..=3 {
        data.say(sound(sequence));
        assert_eq!(number(&sent(&mut data).await), sequence);
    }
    control.say(flow(1, FlowControlSignal::Unspecified));
    control.end(Status::unavailable("a restart"));
    drop((data, control));
    let (mut data, control) = hub.connection().await;
    assert_eq!(control.metadata.get("hub-producer-epoch").cloned(), epoch);
    ready(&control);
    assert_eq!(number(&sent(&mut data).await), 2);
    assert_eq!(number(&sent(&mut data).await), 3);
    data.say(sound(3));
    data.say(sound(4));
    assert_eq!(number(&sent(&mut data).await), 4, "3 was done before");
}

#[tokio::test]
async fn a_pause_holds_data_back_until_the_hub_resumes() {
    let mut hub = Hub::start().await;
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    let (mut data, mut control) = hub.connection().await;
    ready(&control);
    told(&mut control).await;
    control.say(flow(0, FlowControlSignal::Pause));
    // Its answer tells that the pause before it has been heard.
    control.say(ControlResponse {
        custom_action: "are you there".to_owned(),
        ..ControlResponse::default()
    });
    let answer = told(&mut control).await;
    assert_eq!(answer.metadata["type"], "are you there");
    data.say(sound(1));
    let receipt = told(&mut control).await;
    assert_eq!(receipt.metadata["sequence"], "1");
    assert!(
        data.heard().await.frame.is_none(),
        "a sign of life and no packet"
    );
    control.say(flow(0, FlowControlSignal::Resume));
    assert_eq!(number(&sent(&mut data).await), 1);
}

#[tokio::test]
async fn a_hub_that_refuses_for_good_ends_the_run() {
    let mut hub = Hub::start().await;
    let run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
    let (_data, control) = hub.connection().await;
    control.end(Status::failed_precondition("the run has ended"));
    let error = within(run).await.expect("no panic").expect_err("refused");
    assert!(
        matches!(&error, RunError::Refused(ended) if ended.code == 9),
        "{error}"
    );
}

#[tokio::test]
async fn an_address_that_is_not_this_machine_is_refused() {
    let binding = r#"{"name":"b","binding":{"endpoint":"10.0.0.1:1","protocolVersion":"1.0.0"}}"#;
    let environment = [("BUBU_TRANSPORT_BINDING", binding)].into_iter().collect();
    let runtime = Runtime::from_environment(environment).expect("a binding");
    let error = within(runtime.stream::<(), _>(Echo))
        .await
        .expect_err("no TLS");
    assert!(error.to_string().contains("TLS"), "{error}");
}

#[tokio::test]
async fn a_hub_that_never_becomes_ready_is_tried_again() {
    let mut hub = Hub::start().await;
    let runtime = hub.runtime_with(&[("BUBU_GRPC_MESSAGE_TIMEOUT", "100ms")]);
    let _run = tokio::spawn(runtime.stream::<(), _>(Echo));
    let _first = hub.connection().await;
    let (_data, control) = hub.connection().await;
    control.say(ControlResponse {
        action: ControlAction::ConnectorReady as i32,
        ..ControlResponse::default()
    });
    let (mut data, control) = hub.connection().await;
    ready(&control);
    data.say(sound(1));
    assert_eq!(number(&sent(&mut data).await), 1);
}

#[tokio::test]
async fn a_hub_that_falls_silent_is_left_where_that_is_asked_for() {
    let mut hub = Hub::start().await;
    let runtime = hub.runtime_with(&[("BUBU_GRPC_HANG_TIMEOUT", "100ms")]);
    let _run = tokio::spawn(runtime.stream::<(), _>(Echo));
    let (_data, control) = hub.connection().await;
    ready(&control);
    hub.connection().await;
}

#[tokio::test]
async fn errors_of_the_hub_reach_the_handler_with_their_facts() {
    let mut hub = Hub::start().await;
    let (told, mut directives) = mpsc::unbounded_channel();
    let handler = engram::ControlHandler::new(move |directive| {
        let told = told.clone();
        async move {
            told.send(directive)?;
            Ok(None)
        }
    });
    let engram = Scripted::waiting().with_handler(handler);
    let _run = tokio::spawn(hub.runtime().stream::<(), _>(engram));
    let (_data, control) = hub.connection().await;
    ready(&control);
    control.say(ControlResponse {
        action: ControlAction::Error as i32,
        error: Some(transport_proto::v1::ControlError {
            code: 3,
            message: "refused".to_owned(),
            details: facts(&[("reason", "oversize")]),
        }),
        ..ControlResponse::default()
    });
    within(directives.recv()).await.expect("ready");
    let error = within(directives.recv()).await.expect("the error");
    assert_eq!(error.kind, "error");
    assert_eq!(
        error.metadata,
        facts(&[
            ("code", "3"),
            ("message", "refused"),
            ("reason", "oversize")
        ])
    );
}
