//! Sends back what it gets, and loses nothing when it is killed.

use engram::{
    BoxError, Context, Engram, ExecutionContext, Inbound, Outbound, Secrets, StreamingEngram,
};

pub(crate) struct Echo;

impl Engram<()> for Echo {
    async fn init(&mut self, _: &ExecutionContext, (): (), _: Secrets) -> Result<(), BoxError> {
        Ok(())
    }
}

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
