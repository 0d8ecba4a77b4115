//! The command line: subcommands, flags, exit codes (spec 9, 11).

mod config;
mod run;

pub use config::ConfigSource;

use std::io::{self, Write};

use clap::{CommandFactory, Parser, Subcommand};

use crate::binding::{self, BindingArgs};
use crate::check::{self, CheckArgs};
use crate::demo::{self, DemoArgs};
use crate::eval::{self, EvalArgs};

/// All is well.
pub const EXIT_OK: u8 = 0;
/// What was asked for failed.
pub const EXIT_FAILED: u8 = 1;
/// The command line makes no sense.
pub const EXIT_USAGE: u8 = 2;
/// The configuration is wrong.
pub const EXIT_CONFIG: u8 = 64;

/// A realtime media streaming gateway hub.
///
/// Engrams stream audio, video, binary and JSON packets to the hub over gRPC (transport.v1); the hub
/// routes them along the graph of a Story.
#[derive(Debug, Parser)]
#[command(name = "hub", version, about, propagate_version = true)]
#[command(after_help = "Examples:
  hub demo                              see it work: speech through three engrams, verified
  hub check story.yaml                  what is wrong with a Story, without running it
  hub eval story.yaml --step stt --packet sample.json
                                        what its expressions make of a packet
  hub run story.yaml                    serve a Story on 127.0.0.1:9000
  hub run stories/ --listen 127.0.0.1:0 --admin 127.0.0.1:0")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve Stories until SIGTERM or Ctrl-C.
    Run(run::RunArgs),
    /// Send real speech through a voice Story and verify every frame.
    Demo(DemoArgs),
    /// Say what is wrong with Stories, and which edges they have.
    Check(CheckArgs),
    /// Show what a Story's expressions make of a sample packet.
    Eval(EvalArgs),
    /// Print what engrams need to connect directly.
    Binding(BindingArgs),
    /// Show or check the configuration.
    Config(config::ConfigArgs),
    /// Print a completion script for a shell.
    #[command(after_help = "Example:
  hub completions bash > /etc/bash_completion.d/hub")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the version.
    Version,
}

/// Does what the command line says; the exit code.
pub fn run(cli: Cli) -> u8 {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Check(args) => check::run(&args, &mut io::stdout().lock()).unwrap_or(EXIT_FAILED),
        Command::Eval(args) => {
            eval::run(&args, &mut io::stdout().lock(), &mut io::stderr()).unwrap_or(EXIT_FAILED)
        }
        Command::Binding(args) => {
            let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
            binding::run(&args, &mut out, &mut err).unwrap_or(EXIT_FAILED)
        }
        Command::Config(args) => config::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "hub", &mut script);
            print(&script)
        }
        Command::Version => print(format!("hub {}\n", env!("CARGO_PKG_VERSION")).as_bytes()),
    }
}

/// Writes to standard output; the exit code. A reader that has gone away is no failure.
fn print(text: &[u8]) -> u8 {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => EXIT_FAILED,
        _ => EXIT_OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
