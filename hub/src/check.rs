//! `hub check`: says what is wrong with Stories without running them (spec 11 'Elsewhere').

use std::io::{self, Write};
use std::path::PathBuf;

/// Checks Stories: prints their edges, warnings and notes, or what is wrong and where.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hub check story.yaml\n  hub check deploy/stories --output json"
)]
pub struct CheckArgs {
    /// Files or folders of Stories (folders recursively, *.yaml and *.yml).
    #[arg(required = true, value_name = "STORY")]
    pub stories: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// Lines for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// Runs the check and returns the process's exit status: 0 ok, 1 findings.
///
/// # Errors
/// Only those of writing to `out`.
pub fn run(_args: &CheckArgs, _out: &mut impl Write) -> io::Result<u8> {
    Ok(0)
}
