//! Many seeds, one after the other.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Cli;
use crate::oracle::Seen;
use crate::world::{self, Options};

/// Plays the seeds; 1 when an invariant broke.
pub(super) fn run(cli: &Cli) -> u8 {
    let began = Instant::now();
    let (mut seen, mut failed) = (Seen::default(), BTreeMap::<&str, (u64, u64)>::new());
    let mut played = 0;
    for seed in cli.start..cli.start.saturating_add(cli.seeds) {
        let outcome = world::run(seed, Options::default());
        played += 1;
        seen.add(&outcome.seen);
        if let Some(broken) = outcome.broken {
            println!("seed {seed} BROKEN {broken}");
            println!("  replay: cargo run --release -p sim -- --seed {seed} --trace");
            let entry = failed.entry(broken.invariant).or_insert((0, seed));
            entry.0 += 1;
            if !cli.keep_going {
                break;
            }
        }
        if !cli.quiet && played % 100 == 0 {
            let rate = f64::from(played) / began.elapsed().as_secs_f64();
            eprint!("\r{played} of {} seeds, {rate:.0} a second ", cli.seeds);
        }
    }
    let took = began.elapsed().as_secs_f64();
    if !cli.quiet {
        eprintln!();
        println!("{seen}");
    }
    for (invariant, (times, seed)) in &failed {
        println!("{times} times, first by seed {seed}: {invariant}");
    }
    println!(
        "{played} seeds from {} in {took:.1} s ({:.1} s per thousand); {} failed",
        cli.start,
        took * 1000.0 / f64::from(played.max(1)),
        failed.values().map(|f| f.0).sum::<u64>()
    );
    u8::from(!failed.is_empty())
}
