//! Passes speech on and leaves silence out; tells when somebody begins and ends to speak.
//!
//! In: audio frames of 16-bit samples. Out: the frames that are speech, between a message
//! of type `speech.vad.active` and one of type `speech.vad.inactive`.

mod shared;

use std::process::ExitCode;

use codecs::pcm::Dbfs;
use codecs::vad::{Detector, Event, Settings};
use engram::{
    BoxError, Context, Engram, ExecutionContext, Inbound, InboundMessage, Outbound, Secrets,
    StreamMessage, StreamingEngram,
};
use serde::Deserialize;

/// `with` of the step.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    /// From this level on, in dBFS, a frame is loud.
    threshold: f64,
    /// So many quiet frames in a row end a segment.
    hangover: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            threshold: -40.0,
            hangover: 10,
        }
    }
}

#[derive(Default)]
struct VoiceActivity {
    config: Config,
}

impl Engram<Config> for VoiceActivity {
    async fn init(
        &mut self,
        _: &ExecutionContext,
        config: Config,
        _: Secrets,
    ) -> Result<(), BoxError> {
        self.config = config;
        Ok(())
    }
}

impl StreamingEngram<Config> for VoiceActivity {
    async fn stream(
        &mut self,
        _: Context,
        mut inbound: Inbound,
        outbound: Outbound,
    ) -> Result<(), BoxError> {
        let mut detector = Detector::new(Settings {
            threshold: Dbfs(self.config.threshold),
            hangover: self.config.hangover,
        });
        while let Some(message) = inbound.next().await {
            let Some(frame) = &message.audio else {
                message.done();
                continue;
            };
            let level = Dbfs::of(&frame.pcm);
            detector.push(message, level);
            act(&mut detector, &outbound).await?;
        }
        detector.finish();
        act(&mut detector, &outbound).await
    }
}

/// Carries out what was decided. A frame is done once it is: one that the detector still
/// holds comes again if this process dies.
async fn act(detector: &mut Detector<InboundMessage>, outbound: &Outbound) -> Result<(), BoxError> {
    while let Some(event) = detector.poll() {
        match event {
            Event::Start => outbound.send(&activity("speech.vad.active")).await?,
            Event::End => outbound.send(&activity("speech.vad.inactive")).await?,
            Event::Speech(frame) => {
                outbound.send(&frame.forward()).await?;
                frame.done_once_settled();
            }
            Event::Silence(frame) => frame.done(),
        }
    }
    Ok(())
}

fn activity(kind: &str) -> StreamMessage {
    let payload = format!("{{\"type\":\"{kind}\"}}");
    StreamMessage::data()
        .with_metadata("type", kind)
        .with_payload(payload)
}

#[tokio::main]
async fn main() -> ExitCode {
    shared::run(VoiceActivity::default()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use engram::AudioFrame;
    use engram::testkit::MemoryHub;

    /// A frame of 20 ms.
    fn frame(sample: i16) -> StreamMessage {
        let pcm = codecs::pcm::from_samples(std::iter::repeat_n(sample, 320));
        StreamMessage::data().with_audio(AudioFrame::pcm16(pcm, 16_000, 1))
    }

    #[tokio::test]
    async fn silence_is_left_out_and_receipted() {
        let mut hub = MemoryHub::start();
        let run = tokio::spawn(hub.runtime().stream(VoiceActivity::default()));
        let loud = [0, 0, 9000, 9000, 0, 9000];
        for sample in loud.into_iter().chain([0; 10]) {
            hub.send(&frame(sample));
        }
        let mut seen = Vec::new();
        for _ in 0..6 {
            let message = hub.next().await.expect("the engram runs");
            seen.push(match message.audio {
                Some(_) => "speech".to_owned(),
                None => message.metadata["type"].clone(),
            });
        }
        let speech = ["speech"; 4];
        assert_eq!(seen[0], "speech.vad.active");
        assert_eq!(seen[1..5], speech, "a pause inside a segment belongs to it");
        assert_eq!(seen[5], "speech.vad.inactive");
        for sequence in 1..=16 {
            hub.receipted(sequence).await;
        }
        hub.stop();
        run.await.expect("no panic").expect("a clean end");
    }
}
