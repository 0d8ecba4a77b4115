//! Known bugs, switched on one at a time: the judge must notice each (spec 7).

use engine::mutant::{self, Mutant};

use super::{Cli, one};
use crate::oracle::Broken;
use crate::world::{self, Options};

/// Plays worlds with a bug until it is caught; 1 when one is not.
pub(super) fn run(cli: &Cli) -> u8 {
    let chosen: Vec<Mutant> = match &cli.mutant {
        None => Mutant::ALL.to_vec(),
        Some(name) => Mutant::ALL
            .into_iter()
            .filter(|m| m.as_str() == name)
            .collect(),
    };
    if chosen.is_empty() {
        let names = Mutant::ALL.map(Mutant::as_str).join(", ");
        eprintln!("no such bug; there are: {names}");
        return 2;
    }
    if let (Some(seed), Some(&bug)) = (cli.seed, chosen.first()) {
        return with(bug, |options| {
            let trace = cli.trace;
            one(seed, Options { trace, ..options })
        });
    }
    let mut survived = 0;
    for bug in chosen {
        match hunt(bug, cli) {
            Some((seed, broken)) => println!(
                "{:<28} caught by seed {seed} after {} seeds: {}",
                bug.as_str(),
                seed - cli.start + 1,
                broken.invariant
            ),
            None => {
                survived += 1;
                println!(
                    "{:<28} SURVIVED {} seeds from {}",
                    bug.as_str(),
                    cli.seeds,
                    cli.start
                );
            }
        }
    }
    println!("{survived} survived");
    u8::from(survived > 0)
}

/// The first seed that catches `bug`, and what it says.
fn hunt(bug: Mutant, cli: &Cli) -> Option<(u64, Broken)> {
    with(bug, |options| {
        let mut seeds = cli.start..cli.start.saturating_add(cli.seeds);
        seeds.find_map(|seed| Some((seed, world::run(seed, options).broken?)))
    })
}

/// Does `work` while `bug` is on.
fn with<R>(bug: Mutant, work: impl FnOnce(Options) -> R) -> R {
    mutant::set(Some(bug));
    let result = work(Options {
        trace: false,
        reuse_epoch: bug == Mutant::ReuseEpochAfterRestart,
    });
    mutant::set(None);
    result
}
