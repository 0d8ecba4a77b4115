//! The `hub` binary: parse, build, serve, drain, exit.

use std::process::ExitCode;

use clap::Parser;
use hub::cli::{Cli, EXIT_USAGE};

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(hub::cli::run(cli)),
        Err(error) => {
            let usage = error.use_stderr();
            // A closed pipe leaves nobody to tell.
            let _ = error.print();
            ExitCode::from(if usage { EXIT_USAGE } else { 0 })
        }
    }
}
