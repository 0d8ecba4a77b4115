//! How the examples run: as `BUBU_TRANSPORT_BINDING` says, or, with four arguments,
//! registered by name over `HubService.Process`:
//!
//! ```text
//! cargo run -p engram --example echo -- 127.0.0.1:9000 default RUN STEP
//! ```

use engram::link::Registration;
use engram::{Environment, RunError, Runtime, Stats, StreamingEngram, start_streaming};
use serde::de::DeserializeOwned;

/// Runs an engram until SIGINT or SIGTERM and prints what there was.
pub(crate) async fn run<C, E>(engram: E) -> Result<(), RunError>
where
    C: DeserializeOwned,
    E: StreamingEngram<C>,
{
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let stats: Stats = match arguments.as_slice() {
        [endpoint, namespace, run, step] => {
            let registration = Registration {
                endpoint: endpoint.clone(),
                namespace: namespace.clone(),
                run: run.clone(),
                step: step.clone(),
                generation: 1,
            };
            let runtime = Runtime::registered(registration, Environment::of_process());
            runtime.stream(engram).await?
        }
        _ => start_streaming(engram).await?,
    };
    println!("{stats:?}");
    Ok(())
}
