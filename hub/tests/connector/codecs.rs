//! What an engram is told of the media of its step, and asks for (spec 3, "Handshake").

use transport_proto::v1::{self, ControlAction};

use crate::engram::{Engram, control, data, dial, message, owned};
use crate::rig::{Hub, config};

/// Steps on a Transport that lists media, and one on another that lists none.
const LISTED: &str = "
apiVersion: transport.bubustack.io/v1alpha1
kind: Transport
metadata: { name: voice }
spec:
  provider: hub
  driver: hub
  supportedAudio:
    - { name: pcm16, sampleRateHz: 16000, channels: 1 }
    - { name: opus, sampleRateHz: 48000 }
  supportedVideo: [{ name: vp8, profile: '0' }, h264]
  supportedBinary: [application/json]
---
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports:
    - { name: t, transportRef: voice }
    - { name: plain, transportRef: grpc }
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
    - { name: a, ref: { name: a }, transport: t, needs: [src] }
    - { name: b, ref: { name: b }, transport: plain, needs: [src] }
";

fn hub() -> Hub {
    Hub::with(config(), LISTED)
}

#[tokio::test]
async fn what_the_story_lists_is_required_and_announced() {
    let hub = hub();
    let channel = dial(&hub).await;
    let _data = data(&channel).await.unwrap();
    let mut control = control(&channel, "default/story-a", &[]).await.unwrap();
    let ready = control.next().await.unwrap();
    assert_eq!(ready.action(), ControlAction::ConnectorReady);
    assert_eq!(
        ready.metadata,
        owned(&[("startup.capabilities", "required")])
    );
    let told = control.next().await.unwrap();
    assert_eq!(told.action(), ControlAction::ConnectorCapabilities);
    let expected = [
        ("audio.codec", "pcm16,opus"),
        ("audio.sample_rate_hz", "16000,48000"),
        ("audio.channels", "1"),
        ("video.codec", "vp8,h264"),
        ("video.profile", "0"),
        ("binary.mime", "application/json"),
    ];
    assert_eq!(told.metadata, owned(&expected));
}

#[tokio::test]
async fn a_step_of_which_the_story_says_nothing_starts_at_once() {
    let hub = hub();
    let mut b = Engram::connect(&hub, "b").await;
    b.control.act(ControlAction::Heartbeat).await;
    let next = b.control.next().await.unwrap();
    assert_eq!(
        next.action(),
        ControlAction::Ack,
        "no capabilities before it"
    );
}

/// What is answered to `codec-select` with this metadata.
async fn asked(engram: &mut Engram, metadata: &[(&str, &str)]) -> v1::ControlResponse {
    engram
        .control
        .say(v1::ControlRequest {
            action: ControlAction::CodecSelect.into(),
            metadata: owned(metadata),
            ..v1::ControlRequest::default()
        })
        .await;
    engram.control.find(ControlAction::Ack).await
}

#[tokio::test]
async fn a_codec_that_is_listed_is_chosen_and_another_is_refused_with_a_reason() {
    let hub = hub();
    let mut a = Engram::connect(&hub, "a").await;
    let wanted = [("audio.codec", "Opus"), ("binary.mime", "application/json")];
    let answer = asked(&mut a, &wanted).await;
    let expected = [
        ("received", "codec-select"),
        ("handled", "true"),
        ("audio.codec", "opus"),
        ("binary.mime", "application/json"),
    ];
    assert_eq!(answer.metadata, owned(&expected));
    let answer = asked(&mut a, &[("audio.codec", "flac")]).await;
    assert_eq!(answer.metadata["handled"], "false");
    let reason = &answer.metadata["reason"];
    assert!(
        reason.contains("flac") && reason.contains("pcm16, opus"),
        "{reason}"
    );
    let mut b = Engram::connect(&hub, "b").await;
    let answer = asked(&mut b, &[("audio.codec", "opus")]).await;
    assert_eq!(answer.metadata["handled"], "false");
    let reason = &answer.metadata["reason"];
    assert!(reason.contains("lists nothing"), "{reason}");
}

#[tokio::test]
async fn whatever_is_asked_for_no_answer_breaks_a_limit() {
    let hub = hub();
    let mut a = Engram::connect(&hub, "a").await;
    let long = "é".repeat(1024);
    let answer = asked(&mut a, &[("audio.codec", &long)]).await;
    let fits = |value: &String| value.chars().count() <= 1024;
    assert!(answer.metadata.values().all(fits), "{answer:?}");
    a.control.act(ControlAction::Heartbeat).await;
    a.control.find(ControlAction::Ack).await;
}

#[tokio::test]
async fn a_codec_that_is_not_listed_passes_all_the_same() {
    let hub = hub();
    let mut a = Engram::connect(&hub, "a").await;
    let src = Engram::connect(&hub, "src").await;
    let mut flac = message("flac", 1);
    flac.frame = Some(v1::data_request::Frame::Audio(v1::AudioFrame {
        pcm: vec![1].into(),
        sample_rate_hz: 44_100,
        channels: 2,
        codec: "flac".into(),
        timestamp_ms: 0,
    }));
    src.data.say(flac).await;
    assert_eq!(a.data.label().await, "flac");
}
