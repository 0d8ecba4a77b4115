//! How the examples run: as `BUBU_TRANSPORT_BINDING` says, or, with four arguments,
//! registered by name over `HubService.Process`:
//!
//! ```text
//! cargo run -p engram --example echo -- 127.0.0.1:9000 default RUN STEP
//! ```

use std::io::IsTerminal;
use std::process::ExitCode;

use engram::link::Registration;
use engram::{Environment, RunError, Runtime, Stats, StreamingEngram, start_streaming};
use serde::de::DeserializeOwned;

/// Runs an engram until SIGINT or SIGTERM and prints what there was. What the SDK has to say
/// meanwhile, of a hub that is not there for example, goes to standard error.
pub(crate) async fn run<C, E>(engram: E) -> ExitCode
where
    C: DeserializeOwned,
    E: StreamingEngram<C>,
{
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    log.with_max_level(tracing::Level::INFO).init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match until_stopped(engram, &arguments).await {
        Ok(stats) => {
            println!("{stats:?}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            if matches!(error, RunError::Binding(_)) {
                eprintln!(
                    "give BUBU_TRANSPORT_BINDING what `hub binding STORY --step STEP --format \
                     value` prints, or four arguments: HOST:PORT NAMESPACE RUN STEP"
                );
            }
            ExitCode::FAILURE
        }
    }
}

async fn until_stopped<C, E>(engram: E, arguments: &[String]) -> Result<Stats, RunError>
where
    C: DeserializeOwned,
    E: StreamingEngram<C>,
{
    match arguments {
        [endpoint, namespace, run, step] => {
            let registration = Registration {
                endpoint: endpoint.clone(),
                namespace: namespace.clone(),
                run: run.clone(),
                step: step.clone(),
                generation: 1,
            };
            let runtime = Runtime::registered(registration, Environment::of_process());
            runtime.stream(engram).await
        }
        _ => start_streaming(engram).await,
    }
}
