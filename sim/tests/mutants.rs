//! Every known bug must be caught within a thousand worlds.
#![cfg(feature = "mutants")]

use engine::mutant::{Mutant, set};
use sim::world::{Options, run};

#[test]
fn every_known_bug_is_caught_within_a_thousand_worlds() {
    for bug in Mutant::ALL {
        let options = Options {
            trace: false,
            reuse_epoch: bug == Mutant::ReuseEpochAfterRestart,
        };
        set(Some(bug));
        let caught = (1..=1000).find(|&seed| run(seed, options).broken.is_some());
        set(None);
        assert!(caught.is_some(), "{} survives", bug.as_str());
    }
}
