//! Sends back what it gets.

mod shared;

use std::process::ExitCode;

use engram::{BoxError, Context, Engram, Inbound, Outbound, StreamingEngram};

struct Echo;

impl Engram<()> for Echo {}

impl StreamingEngram<()> for Echo {
    async fn stream(
        &mut self,
        _: Context,
        mut inbound: Inbound,
        outbound: Outbound,
    ) -> Result<(), BoxError> {
        while let Some(message) = inbound.next().await {
            outbound.send(&message.forward()).await?;
            // Should this process be killed before, the hub sends the message again.
            message.done_once_settled();
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    shared::run(Echo).await
}
