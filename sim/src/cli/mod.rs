//! The command line: many seeds, or one in words.

mod campaign;

use std::io::Write;

use clap::Parser;

use crate::world;

const EXAMPLES: &str = "Examples:
  sim --seeds 1000              a thousand worlds, from seed 1
  sim --seeds 200 --start 5000  seeds 5000 to 5199
  sim --seed 42 --trace         every event of one world; the same each time";

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
}

/// Does what the command line asks for; the exit code.
pub fn run(cli: &Cli) -> u8 {
    match cli.seed {
        Some(seed) => one(seed, cli.trace),
        None => campaign::run(cli),
    }
}

fn one(seed: u64, trace: bool) -> u8 {
    let outcome = world::run(seed, trace);
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
