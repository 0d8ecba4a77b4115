//! What authors write.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Context, Inbound, Outbound};
use crate::control::ControlDirective;
use crate::identity::{ExecutionContext, Secrets};

/// An error of an engram's own.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What all engrams have in common. `C` is the step's configuration (`with` of the Story,
/// `BUBU_STEP_CONFIG`).
pub trait Engram<C>: Send + 'static {
    /// Prepares the engram, once per process. By default there is nothing to prepare.
    ///
    /// # Errors
    /// Whatever keeps it from working: the run ends.
    fn init(
        &mut self,
        context: &ExecutionContext,
        config: C,
        secrets: Secrets,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (context, config, secrets);
        std::future::ready(Ok(()))
    }
}

/// An engram that works on streams.
pub trait StreamingEngram<C>: Engram<C> {
    /// Works until `inbound` ends or its own work is done. It is called once: a lost
    /// connection is made anew beneath it, and neither handle notices.
    ///
    /// # Errors
    /// Whatever ends its work. What it has sent is delivered all the same.
    fn stream(
        &mut self,
        context: Context,
        inbound: Inbound,
        outbound: Outbound,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Takes the hub's directives, in place of the answers that are given by default.
    fn control_handler(&self) -> Option<ControlHandler> {
        None
    }
}

/// An engram that turns one input into one output.
pub trait BatchEngram<C>: Engram<C> {
    /// What it is given (`BUBU_TRIGGER_DATA`).
    type Input: serde::de::DeserializeOwned + Send;
    /// What it gives.
    type Output: serde::Serialize + Send;

    /// Does the work.
    ///
    /// # Errors
    /// Whatever makes it fail.
    fn process(
        &mut self,
        context: &ExecutionContext,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, BoxError>> + Send;
}

/// A program that begins runs: it listens to something and starts Stories.
pub trait Impulse<C>: Engram<C> {
    /// Works until it is told to stop.
    ///
    /// # Errors
    /// Whatever ends its work.
    fn run(
        &mut self,
        context: &ExecutionContext,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

type Handle = dyn Fn(ControlDirective) -> BoxFuture<'static, Result<Option<ControlDirective>, BoxError>>
    + Send
    + Sync;

/// Takes directives of the hub one after the other, beside the engram's stream.
///
/// `Ok(Some(..))` is sent as the answer; with `Ok(None)` the answer is the one by default;
/// an error is told to the hub.
///
/// ```
/// use engram::ControlHandler;
///
/// let handler = ControlHandler::new(|directive| async move {
///     if directive.is("interrupt") {
///         println!("turn {:?} begins", directive.metadata.get("turn"));
///     }
///     Ok(None)
/// });
/// # let _ = handler;
/// ```
#[derive(Clone)]
pub struct ControlHandler(Arc<Handle>);

impl ControlHandler {
    /// A handler that calls `handle`.
    pub fn new<F, W>(handle: F) -> Self
    where
        F: Fn(ControlDirective) -> W + Send + Sync + 'static,
        W: Future<Output = Result<Option<ControlDirective>, BoxError>> + Send + 'static,
    {
        Self(Arc::new(move |directive| Box::pin(handle(directive))))
    }

    pub(super) async fn call(
        &self,
        directive: ControlDirective,
    ) -> Result<Option<ControlDirective>, BoxError> {
        (self.0)(directive).await
    }
}

impl fmt::Debug for ControlHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlHandler")
    }
}
