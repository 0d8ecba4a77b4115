//! Stands in for a speech recogniser: where one would write words, it writes how long and
//! how loud somebody spoke.
//!
//! In: speech as `voice_activity` passes it on. Out: one message of type
//! `speech.transcript.v1` for each segment.

mod shared;

use std::process::ExitCode;

use codecs::pcm::Dbfs;
use engram::{
    BoxError, Context, Engram, Inbound, InboundMessage, Outbound, StreamMessage, StreamingEngram,
    StructuredError,
};
use serde_json::json;

struct Transcriber;

impl Engram<()> for Transcriber {}

impl StreamingEngram<()> for Transcriber {
    async fn stream(
        &mut self,
        _: Context,
        mut inbound: Inbound,
        outbound: Outbound,
    ) -> Result<(), BoxError> {
        let mut segment = Vec::new();
        while let Some(message) = inbound.next().await {
            if message.audio.is_some() {
                segment.push(message);
                continue;
            }
            let ends =
                message.metadata.get("type").map(String::as_str) == Some("speech.vad.inactive");
            if ends {
                outbound.send(&transcript(&segment)).await?;
                // Once the words have arrived, the sound is not needed again.
                segment
                    .drain(..)
                    .for_each(InboundMessage::done_once_settled);
            }
            message.done();
        }
        Ok(())
    }
}

/// What was said, or the error that nothing was.
fn transcript(segment: &[InboundMessage]) -> StreamMessage {
    let frames = || segment.iter().filter_map(|message| message.audio.as_ref());
    let Some(first) = frames().next() else {
        let text = "a segment without sound";
        return StructuredError::new(StructuredError::VALIDATION, text).to_message();
    };
    let pcm: Vec<u8> = frames()
        .flat_map(|frame| frame.pcm.iter().copied())
        .collect();
    let per_second = f64::from(first.sample_rate_hz) * f64::from(first.channels) * 2.0;
    let seconds = pcm.len() as f64 / per_second;
    let Dbfs(level) = Dbfs::of(&pcm);
    let payload = json!({
        "type": "speech.transcript.v1",
        "text": format!("({seconds:.2} s of speech at {level:.0} dBFS)"),
        "seconds": seconds,
    });
    StreamMessage::data()
        .with_metadata("type", "speech.transcript.v1")
        .with_payload(payload.to_string())
}

#[tokio::main]
async fn main() -> ExitCode {
    shared::run(Transcriber).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use engram::testkit::MemoryHub;
    use engram::{AudioFrame, Kind};

    #[tokio::test]
    async fn a_segment_becomes_one_transcript() {
        let mut hub = MemoryHub::start();
        let run = tokio::spawn(hub.runtime().stream(Transcriber));
        let pcm = codecs::pcm::from_samples(std::iter::repeat_n(8000, 8000));
        let sound = StreamMessage::data().with_audio(AudioFrame::pcm16(pcm, 16_000, 1));
        let end = StreamMessage::data().with_metadata("type", "speech.vad.inactive");
        let first = hub.send(&sound);
        hub.send(&sound);
        hub.send(&end);
        let transcript = hub.next().await.expect("the engram runs");
        let payload: serde_json::Value = transcript.payload_as().expect("JSON");
        assert_eq!(payload["seconds"], 1.0);
        hub.receipted(first).await;
        hub.send(&end);
        let error = hub.next().await.expect("the engram runs");
        assert_eq!(error.kind, Kind::ERROR);
        hub.stop();
        run.await.expect("no panic").expect("a clean end");
    }
}
