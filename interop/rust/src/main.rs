//! An engram on the Rust SDK in one of three parts, the counterparts of those in `interop/go`:
//!
//! ```text
//! interop-engram echo            sends back what it gets
//! interop-engram source COUNT    sends COUNT frames of audio of 640 bytes
//! interop-engram sink COUNT      receipts what it gets, and says when COUNT have come
//! ```
//!
//! It connects as `BUBU_TRANSPORT_BINDING` says, until SIGINT, SIGTERM or the end of standard
//! input: whoever started it is gone then. `echo HOST:PORT NAMESPACE RUN STEP` registers over
//! `HubService.Process` in place of it. What it has to say is one JSON object a line on standard
//! output.

mod echo;
mod load;

use std::io::Write;
use std::process::ExitCode;

use engram::link::Registration;
use engram::{BoxError, Environment, RunError, Runtime, start_streaming};

use crate::echo::Echo;
use crate::load::{Sink, Source};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    end_with_standard_input();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("interop-engram: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<(), BoxError> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["echo"] => ended(start_streaming(Echo).await),
        ["echo", endpoint, namespace, run, step] => {
            let registration = Registration {
                endpoint: (*endpoint).to_owned(),
                namespace: (*namespace).to_owned(),
                run: (*run).to_owned(),
                step: (*step).to_owned(),
                generation: 1,
            };
            let runtime = Runtime::registered(registration, Environment::of_process());
            ended(runtime.stream(Echo).await)
        }
        ["source", count] => ended(start_streaming(Source::new(count.parse()?)).await),
        ["sink", count] => ended(start_streaming(Sink::new(count.parse()?)).await),
        _ => Err("say which: echo, source COUNT or sink COUNT".into()),
    }
}

fn ended<T>(outcome: Result<T, RunError>) -> Result<(), BoxError> {
    outcome.map(|_| ()).map_err(Into::into)
}

/// Ends the process when nobody holds the other end of its standard input any more.
fn end_with_standard_input() {
    std::thread::spawn(|| {
        let mut line = String::new();
        while std::io::stdin()
            .read_line(&mut line)
            .is_ok_and(|read| read > 0)
        {
            line.clear();
        }
        std::process::exit(0);
    });
}

/// Says one thing; a reader that is gone is nobody's loss.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
