//! Owns `loadtest compare`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{EXIT_FAILED, EXIT_OK, EXIT_USAGE};
use crate::report::{Report, compare};

/// Set two reports side by side and mark what got worse.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  loadtest compare before.json after.json
  loadtest compare before.json after.json --fail-on-worse --tolerance 0.1")]
pub(super) struct CompareArgs {
    /// Report of the first run (`loadtest run --json FILE`).
    first: PathBuf,
    /// Report of the second run.
    second: PathBuf,
    /// What does not count as a change (0.05 is 5 %).
    #[arg(long, value_name = "PART", default_value_t = 0.05)]
    tolerance: f64,
    /// Exit 1 when anything got worse.
    #[arg(long)]
    fail_on_worse: bool,
}

pub(super) fn run(args: &CompareArgs) -> u8 {
    let reports = read(&args.first).and_then(|first| Ok((first, read(&args.second)?)));
    let (first, second) = match reports {
        Ok(reports) => reports,
        Err(text) => {
            eprintln!("{text}");
            return EXIT_USAGE;
        }
    };
    let comparison = compare(&first, &second);
    print!("{}", comparison.text(args.tolerance));
    let worse = comparison.rows.iter().any(|row| row.worse(args.tolerance));
    if args.fail_on_worse && worse {
        EXIT_FAILED
    } else {
        EXIT_OK
    }
}

fn read(path: &Path) -> Result<Report, String> {
    let name = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
    serde_json::from_slice(&text)
        .map_err(|error| format!("{name}: no report of `loadtest run --json`: {error}"))
}
