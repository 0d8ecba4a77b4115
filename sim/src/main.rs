//! The `sim` binary.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match sim::cli::Cli::try_parse() {
        Ok(cli) => ExitCode::from(sim::cli::run(&cli)),
        Err(error) => {
            let usage = error.use_stderr();
            // A closed pipe leaves nobody to tell.
            let _ = error.print();
            ExitCode::from(if usage { 2 } else { 0 })
        }
    }
}
