//! Engrams that do one piece of work, and programs that begin runs.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::runtime::signalled;
use super::{
    BatchEngram, BoxError, Context, Engram, Impulse, Inbound, Outbound, RunError, Runtime,
    StreamingEngram, config,
};
use crate::identity::{ExecutionContext, Secrets};
use crate::message::StreamMessage;
use crate::start::{Environment, parse_duration};

/// What came of a batch engram.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchOutcome {
    /// Its output.
    pub output: serde_json::Value,
    /// Whether it was sent through the hub: the environment has a binding.
    pub sent: bool,
}

/// Runs a batch engram: `init`, `process` within `BUBU_STEP_TIMEOUT`, and where the
/// environment has a binding its output goes through the hub as one message, which is
/// settled when this returns.
///
/// # Errors
/// [`RunError`]; [`RunError::exit_code`] for `main`.
pub async fn start_batch<C, E>(
    mut engram: E,
    environment: Environment,
) -> Result<BatchOutcome, RunError>
where
    C: DeserializeOwned,
    E: BatchEngram<C>,
{
    let context = ExecutionContext::of(environment);
    init(&mut engram, &context).await?;
    let input = config::input(&context.environment)?;
    let work = engram.process(&context, input);
    let output = match step_timeout(&context.environment) {
        Some(within) => tokio::time::timeout(within, work)
            .await
            .map_err(|_| RunError::Timeout)?,
        None => work.await,
    }
    .map_err(RunError::Engram)?;
    let output = serde_json::to_value(output).map_err(|error| RunError::Engram(error.into()))?;
    let bound = context
        .environment
        .trimmed("BUBU_TRANSPORT_BINDING")
        .is_some();
    if bound {
        let message =
            StreamMessage::json(&output).map_err(|error| RunError::Engram(error.into()))?;
        let once = Once(message);
        Runtime::from_environment(context.environment)?
            .stream(once)
            .await?;
    }
    Ok(BatchOutcome {
        output,
        sent: bound,
    })
}

/// Runs an impulse until SIGINT or SIGTERM, or its own end.
///
/// # Errors
/// [`RunError`].
pub async fn start_impulse<C, E>(mut impulse: E, environment: Environment) -> Result<(), RunError>
where
    C: DeserializeOwned,
    E: Impulse<C>,
{
    let context = ExecutionContext::of(environment);
    init(&mut impulse, &context).await?;
    tokio::select! {
        outcome = impulse.run(&context) => outcome.map_err(RunError::Engram),
        () = signalled() => Ok(()),
    }
}

async fn init<C, E>(engram: &mut E, context: &ExecutionContext) -> Result<(), RunError>
where
    C: DeserializeOwned,
    E: Engram<C>,
{
    let config: C = config::config(&context.environment)?;
    let secrets = Secrets::of(&context.environment)?;
    let init = engram.init(context, config, secrets).await;
    init.map_err(RunError::Init)
}

fn step_timeout(environment: &Environment) -> Option<Duration> {
    let nanos = parse_duration(environment.trimmed("BUBU_STEP_TIMEOUT")?).ok()?;
    u64::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos > 0)
        .map(Duration::from_nanos)
}

/// Sends one message.
struct Once(StreamMessage);

impl Engram<serde_json::Value> for Once {}

impl StreamingEngram<serde_json::Value> for Once {
    async fn stream(&mut self, _: Context, _: Inbound, outbound: Outbound) -> Result<(), BoxError> {
        outbound.send(&self.0).await?;
        Ok(())
    }
}
