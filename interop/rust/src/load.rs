//! A source and a sink whose rate can be laid beside that of the Go SDK.

use engram::{
    AudioFrame, BoxError, Context, Engram, ExecutionContext, Inbound, Outbound, Secrets,
    StreamMessage, StreamingEngram,
};

use crate::say;

/// Metadata that numbers the messages of a source, from 1.
const NUMBER: &str = "number";

/// Sends `count` frames of 20 ms of audio as fast as they are taken.
pub(crate) struct Source {
    count: u64,
}

impl Source {
    pub(crate) fn new(count: u64) -> Self {
        Self { count }
    }
}

impl Engram<()> for Source {
    async fn init(&mut self, _: &ExecutionContext, (): (), _: Secrets) -> Result<(), BoxError> {
        Ok(())
    }
}

impl StreamingEngram<()> for Source {
    async fn stream(
        &mut self,
        context: Context,
        _inbound: Inbound,
        outbound: Outbound,
    ) -> Result<(), BoxError> {
        say(r#"{"event": "session"}"#);
        for number in 1..=self.count {
            let message = StreamMessage::data()
                .with_metadata(NUMBER, number.to_string())
                .with_audio(AudioFrame::pcm16(vec![0; 640], 16_000, 1));
            outbound.send(&message).await?;
        }
        say(r#"{"event": "sent"}"#);
        context.stopping().await;
        Ok(())
    }
}

/// Receipts what it gets. It says when a tenth of `count` has come, and when all has: what lies
/// between is measured, without the beginning.
pub(crate) struct Sink {
    count: u64,
}

impl Sink {
    pub(crate) fn new(count: u64) -> Self {
        Self { count }
    }
}

impl Engram<()> for Sink {
    async fn init(&mut self, _: &ExecutionContext, (): (), _: Secrets) -> Result<(), BoxError> {
        Ok(())
    }
}

impl StreamingEngram<()> for Sink {
    async fn stream(
        &mut self,
        _: Context,
        mut inbound: Inbound,
        _: Outbound,
    ) -> Result<(), BoxError> {
        say(r#"{"event": "session"}"#);
        let (mut seen, mut disorders) = (0_u64, 0_u64);
        while let Some(message) = inbound.next().await {
            seen += 1;
            let number = message.metadata.get(NUMBER);
            disorders += u64::from(number != Some(&seen.to_string()));
            message.done();
            if seen == self.count / 10 {
                say(r#"{"event": "begun"}"#);
            }
            if seen == self.count {
                say(&format!(
                    r#"{{"event": "complete", "disorders": {disorders}}}"#
                ));
            }
        }
        Ok(())
    }
}
