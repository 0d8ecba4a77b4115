//! Engrams for tests, and waiting with a deadline.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use engram::link::{Connection, Ended, Hello, Transport};
use engram::{
    BoxError, Context, ControlHandler, Engram, Inbound, Outbound, StreamMessage, StreamingEngram,
};
use transport_proto::view::Dialect;

/// Waits, but not for ever.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    let deadline = Duration::from_secs(20);
    tokio::time::timeout(deadline, future)
        .await
        .expect("it comes in time")
}

pub(crate) fn labelled(text: &str) -> StreamMessage {
    StreamMessage::data().with_metadata("label", text)
}

pub(crate) fn label(message: &StreamMessage) -> String {
    message.metadata.get("label").cloned().unwrap_or_default()
}

/// Sends back what it gets.
pub(crate) struct Echo;

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
            message.done();
        }
        Ok(())
    }
}

type Work = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;
type Script = Box<dyn FnOnce(Context, Inbound, Outbound) -> Work + Send>;

/// Does what a closure says.
pub(crate) struct Scripted {
    script: Option<Script>,
    handler: Option<ControlHandler>,
}

impl Scripted {
    pub(crate) fn new<F, W>(script: F) -> Self
    where
        F: FnOnce(Context, Inbound, Outbound) -> W + Send + 'static,
        W: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self {
            script: Some(Box::new(|context, inbound, outbound| {
                Box::pin(script(context, inbound, outbound))
            })),
            handler: None,
        }
    }

    /// With something of the test's own.
    pub(crate) fn once<T, F, W>(own: T, script: F) -> Self
    where
        T: Send + 'static,
        F: FnOnce(T, Inbound, Outbound) -> W + Send + 'static,
        W: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self::new(move |_, inbound, outbound| script(own, inbound, outbound))
    }

    /// Waits until it is stopped.
    pub(crate) fn waiting() -> Self {
        Self::new(|context, _, _| async move {
            context.stopping().await;
            Ok(())
        })
    }

    pub(crate) fn with_handler(mut self, handler: ControlHandler) -> Self {
        self.handler = Some(handler);
        self
    }
}

impl Engram<()> for Scripted {}

impl StreamingEngram<()> for Scripted {
    async fn stream(
        &mut self,
        context: Context,
        inbound: Inbound,
        outbound: Outbound,
    ) -> Result<(), BoxError> {
        match self.script.take() {
            Some(script) => script(context, inbound, outbound).await,
            None => Err("run twice".into()),
        }
    }

    fn control_handler(&self) -> Option<ControlHandler> {
        self.handler.clone()
    }
}

/// A hub that cannot be reached.
pub(crate) struct Nowhere;

impl Transport for Nowhere {
    fn dialect(&self) -> Dialect {
        Dialect::Connector
    }

    async fn connect(&mut self, _: &Hello) -> Result<Connection, Ended> {
        Err(Ended {
            code: 14,
            message: "nobody there".to_owned(),
        })
    }
}
