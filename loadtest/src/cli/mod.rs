//! Owns the command line: subcommands, flags, exit codes.

mod args;
mod asked;
mod compare;
mod kill;
mod pin;
mod run;

use clap::{Parser, Subcommand};

pub use args::RunArgs;
use compare::CompareArgs;

/// All is well.
pub const EXIT_OK: u8 = 0;
/// The run failed its verdict, or could not be made.
pub const EXIT_FAILED: u8 = 1;
/// The command line makes no sense.
pub const EXIT_USAGE: u8 = 2;
/// The scenario makes no sense.
pub const EXIT_CONFIG: u8 = 64;

/// Load generator and verifier for the hub.
///
/// Sends media-like traffic through a hub, checks every message that arrives (lost, duplicated,
/// reordered, corrupted), and reports throughput, latency and cost. Without --target it starts a
/// hub of its own in another process.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, about, propagate_version = true)]
#[command(after_help = "Examples:
  loadtest run --shape voice                          50 calls on a hub of its own
  loadtest run --saturate --size 64KiB                one pair, flat out
  loadtest run --rate 5000 --fan-out 8 --json a.json  one source, eight listeners, open loop
  loadtest compare a.json b.json                      what changed between two runs")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a load and judge it; exits 1 when anything is wrong.
    Run(Box<RunArgs>),
    /// Set two reports side by side and mark what got worse.
    Compare(CompareArgs),
    /// The hub that `run` starts for itself.
    #[command(name = "__hub", hide = true, disable_help_flag = true)]
    Hub {
        /// As for `hub run`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

/// Does what the command line says; the exit code.
pub fn run(cli: Cli) -> u8 {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Hub { args } => run::serve_hub(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
