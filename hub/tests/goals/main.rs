//! `make goals`: what the built hub does under faults, abuse and overload, measured (spec 7,
//! goals). Each row starts a hub process of its own on loopback.
//!
//! `goals [--seconds N] [NAME...]`: how long a row that goes on measures (30), and which rows. The
//! exit status is 1 if one failed. The logic of each is also a test without a clock, in
//! `hub/tests/faults` and `hub/tests/abuse`.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "shares modules with tests"
)]

#[path = "../sockets/client.rs"]
mod client;
#[path = "../binary/process.rs"]
mod process;
#[path = "../faults/proxy.rs"]
mod proxy;
#[path = "../abuse/raw.rs"]
mod raw;
#[path = "../sockets/rig.rs"]
mod rig;
#[path = "../faults/traffic.rs"]
mod traffic;

mod abuse;
mod drain;
mod kill;
mod memory;
mod network;
mod probe;
mod slow;
mod slowloris;
mod storm;

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What a row came to.
pub struct Outcome {
    pub passed: bool,
    /// The figures, for people.
    pub said: String,
}

impl Outcome {
    pub fn of(passed: bool, said: impl Into<String>) -> Self {
        Self {
            passed,
            said: said.into(),
        }
    }
}

type Goal = fn(Duration) -> Outcome;

const GOALS: &[(&str, Goal)] = &[
    ("kill_9", kill::kill_9),
    ("reconnect_storm", storm::reconnect_storm),
    ("slow_consumer", slow::slow_consumer),
    ("network_cut", network::network_cut),
    ("oversized", abuse::oversized),
    ("slowloris", slowloris::slowloris),
    ("h2_abuse", abuse::h2_abuse),
    ("memory", memory::memory),
    ("drain", drain::drain),
];

fn main() -> ExitCode {
    let mut seconds = 30;
    let mut only = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let given = args.next().and_then(|n| n.parse().ok());
            seconds = given.expect("--seconds takes a number");
        } else {
            only.push(arg);
        }
    }
    let mut failed = 0;
    println!("| goal | | measured | took |\n| --- | --- | --- | --- |");
    for (name, goal) in GOALS {
        if !only.is_empty() && !only.iter().any(|o| o == name) {
            continue;
        }
        let began = Instant::now();
        let goal = *goal;
        let outcome = std::panic::catch_unwind(|| goal(Duration::from_secs(seconds)));
        let outcome = outcome.unwrap_or_else(|_| Outcome::of(false, "broke off, see above"));
        let verdict = if outcome.passed { "ok" } else { "FAIL" };
        let took = began.elapsed().as_secs();
        println!("| {name} | {verdict} | {} | {took} s |", outcome.said);
        failed += u32::from(!outcome.passed);
    }
    println!("\nnot measured here: malformed (scripts/fuzz), barge_in, identity (not built)");
    ExitCode::from(u8::from(failed > 0))
}

/// A runtime on this thread.
pub fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}
