//! The `loadtest` binary.

use std::process::ExitCode;

use clap::Parser;
use loadtest::cli::{Cli, EXIT_USAGE, run};

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(run(cli)),
        Err(error) => {
            let usage = error.use_stderr();
            // A closed pipe leaves nobody to tell.
            let _ = error.print();
            ExitCode::from(if usage { EXIT_USAGE } else { 0 })
        }
    }
}
