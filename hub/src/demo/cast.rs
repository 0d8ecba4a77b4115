//! The three engrams on their connections to the hub: each runs as it would in a process of its
//! own, on the value of `BUBU_TRANSPORT_BINDING` that `hub binding` prints for its step (spec 3).
//!
//! Owns what a lost connection means here, and the words for whatever ends an engram. Never looks
//! at a packet.

use super::host::Bindings;
use super::part::Fault;
use engram::link::{Connector, Ended};
use engram::{
    Binding, BindingError, Environment, ExecutionContext, RunError, Runtime, StreamingEngram,
};
use tonic::Code;

/// An SDK makes a lost connection anew; a demo tells of it instead, since nothing here excuses it.
const RETRIES: (&str, &str) = ("BUBU_GRPC_RECONNECT_MAX_RETRIES", "0");

/// Why an engram did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cut {
    /// Its own reason.
    #[error(transparent)]
    Engram(#[from] Fault),
    /// There was no connection, or it ended before the engram did.
    #[error("lost the hub: {}", told(.0))]
    Lost(Ended),
    /// The hub says that no other try could help either.
    #[error("refused by the hub: {}", told(.0))]
    Refused(Ended),
    #[error(transparent)]
    Run(RunError),
}

/// Runs an engram until it has done its part and all that it sent is settled.
pub(super) async fn run(
    bindings: &Bindings,
    step: &str,
    engram: impl StreamingEngram<()>,
) -> Result<(), Cut> {
    let runtime = runtime(bindings.get(step).map_or("", String::as_str));
    let ran = runtime.map_err(|error| Cut::Run(error.into()))?;
    match ran.stream(engram).await {
        Ok(_) => Ok(()),
        Err(RunError::Engram(error)) => Err(match error.downcast() {
            Ok(fault) => Cut::Engram(*fault),
            Err(other) => Cut::Run(RunError::Engram(other)),
        }),
        Err(RunError::GaveUp { last, .. }) => Err(Cut::Lost(last)),
        Err(RunError::Refused(ended)) => Err(Cut::Refused(ended)),
        Err(other) => Err(Cut::Run(other)),
    }
}

/// What [`engram::start_streaming`] makes of a process's environment; here, there are three
/// engrams in a process, and the environment is the binding's alone.
fn runtime(binding: &str) -> Result<Runtime<Connector>, BindingError> {
    let mut binding = Binding::parse(binding)?;
    let (name, value) = RETRIES;
    binding.env.insert(name.to_owned(), value.to_owned());
    let context = ExecutionContext::of(Environment::default().overlaid(&binding.env));
    let connector = Connector::new(binding, &context.tunables);
    Ok(Runtime::over(connector, context))
}

fn told(ended: &Ended) -> String {
    match Code::from_i32(ended.code) {
        Code::Ok => "it ended the connection".to_owned(),
        code => format!("{code:?}: {}", ended.message),
    }
}
