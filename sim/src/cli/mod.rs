//! The command line: many seeds, or one in words.

mod campaign;
#[cfg(feature = "mutants")]
mod mutants;

use std::io::Write;

use clap::Parser;

use crate::world::{self, Options};

const EXAMPLES: &str = "Examples:
  sim --seeds 1000              a thousand worlds, from seed 1
  sim --seeds 200 --start 5000  seeds 5000 to 5199
  sim --seed 42 --trace         every event of one world; the same each time

With the feature `mutants` (cargo run --release -p sim --features mutants -- ...):
  sim --mutants                 every known bug must be caught within --seeds
  sim --mutant forget-hole      one of them
  sim --mutant forget-hole --seed 42 --trace";

/// Plays seeded worlds around the delivery core and judges every step of them.
#[derive(Clone, Debug, Parser)]
#[command(name = "sim", version, after_help = EXAMPLES)]
pub struct Cli {
    /// How many seeds to play.
    #[arg(long, default_value_t = 1000)]
    pub seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    pub start: u64,
    /// Play this one only.
    #[arg(long, conflicts_with_all = ["seeds", "start"])]
    pub seed: Option<u64>,
    /// Print every event of the world (with --seed).
    #[arg(long, requires = "seed")]
    pub trace: bool,
    /// Print only what failed.
    #[arg(long)]
    pub quiet: bool,
    /// Go on after a failure; print each.
    #[arg(long)]
    pub keep_going: bool,
    /// Switch one known bug on: it must be caught.
    #[cfg(feature = "mutants")]
    #[arg(long, value_name = "NAME", conflicts_with = "mutants")]
    pub mutant: Option<String>,
    /// Every known bug, one after the other: each must be caught.
    #[cfg(feature = "mutants")]
    #[arg(long, conflicts_with = "seed")]
    pub mutants: bool,
}

/// Does what the command line asks for; the exit code.
pub fn run(cli: &Cli) -> u8 {
    #[cfg(feature = "mutants")]
    if cli.mutants || cli.mutant.is_some() {
        return mutants::run(cli);
    }
    match cli.seed {
        Some(seed) => one(
            seed,
            Options {
                trace: cli.trace,
                ..Options::default()
            },
        ),
        None => campaign::run(cli),
    }
}

fn one(seed: u64, options: Options) -> u8 {
    let outcome = world::run(seed, options);
    let mut out = std::io::stdout().lock();
    for line in &outcome.trace {
        // A closed pipe ends the printing, not the verdict.
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    let _ = writeln!(out, "seed {seed} digest {:016x}", outcome.digest);
    match outcome.broken {
        Some(broken) => {
            let _ = writeln!(out, "BROKEN {broken}");
            1
        }
        None => {
            let _ = write!(out, "{}", outcome.seen);
            0
        }
    }
}
