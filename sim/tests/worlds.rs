//! Whole worlds: they replay, they exercise what they claim, nothing breaks in them.

use sim::oracle::Seen;
use sim::world::{Options, run};

#[test]
fn two_runs_of_one_seed_are_one_history() {
    let options = Options {
        trace: true,
        ..Options::default()
    };
    for seed in 1..=20 {
        let (first, second) = (run(seed, options), run(seed, options));
        assert_eq!(first.digest, second.digest, "seed {seed}");
        assert_eq!(first.trace, second.trace, "seed {seed}");
    }
}

#[test]
fn a_trace_changes_nothing() {
    let traced = Options {
        trace: true,
        ..Options::default()
    };
    for seed in 1..=20 {
        assert_eq!(
            run(seed, traced).digest,
            run(seed, Options::default()).digest
        );
    }
}

#[test]
fn worlds_exercise_what_they_claim_and_break_nothing() {
    let mut seen = Seen::default();
    for seed in 1..=200 {
        let outcome = run(seed, Options::default());
        assert_eq!(outcome.broken, None, "seed {seed}");
        seen.add(&outcome.seen);
    }
    for (name, count) in seen.all() {
        assert!(count > 0, "no world exercised: {name}");
    }
}
