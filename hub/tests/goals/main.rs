//! `make goals`: what the built hub does under faults, abuse and overload, measured (spec 7,
//! goals). Each row starts a hub process of its own on loopback.
//!
//! `goals [--seconds N | --full] [NAME...]`: how long a row that goes on measures (30), or as long
//! as spec 7 says, which is an hour and a half for all; and which rows. The exit status is 1 if one
//! failed. The logic of each is also a test without a clock, in `hub/tests/faults` and
//! `hub/tests/abuse`.
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
    /// How much of what is wanted was run.
    pub ran: String,
    /// The figures, for people.
    pub said: String,
}

impl Outcome {
    pub fn of(passed: bool, said: impl Into<String>) -> Self {
        Self {
            passed,
            ran: String::new(),
            said: said.into(),
        }
    }

    pub fn ran(mut self, ran: impl Into<String>) -> Self {
        self.ran = ran.into();
        self
    }
}

/// How much of a row is run.
#[derive(Clone, Copy)]
pub struct Extent {
    seconds: Duration,
    /// As much as spec 7 wants.
    pub full: bool,
}

impl Extent {
    /// How long a row measures that is to go on for `wanted`.
    pub fn time(self, wanted: Duration) -> Duration {
        if self.full { wanted } else { self.seconds }
    }
}

/// A time for people.
pub fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 120 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

type Goal = fn(Extent) -> Outcome;

/// Name, measurement, what spec 7 wants run.
const GOALS: &[(&str, Goal, &str)] = &[
    ("kill_9", kill::kill_9, "1,000 kills"),
    ("reconnect_storm", storm::reconnect_storm, "2,000 sessions"),
    ("slow_consumer", slow::slow_consumer, "1 of 100, 10 min"),
    ("network_cut", network::network_cut, "heartbeats of 10 s"),
    ("oversized", abuse::oversized, "lengths of 1 GiB"),
    ("slowloris", slowloris::slowloris, "10,000 idle"),
    ("h2_abuse", abuse::h2_abuse, "6 floods"),
    ("memory", memory::memory, "2x for 60 min"),
    ("drain", drain::drain, "restart, stuck reader"),
];

/// What the arguments ask for: how much of which goals (none: of all).
fn asked(mut args: impl Iterator<Item = String>) -> Result<(Extent, Vec<String>), String> {
    let mut extent = Extent {
        seconds: Duration::from_secs(30),
        full: false,
    };
    let mut only = Vec::new();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let given = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
            let seconds = given.ok_or("--seconds takes a whole number from 1")?;
            extent.seconds = Duration::from_secs(seconds);
        } else if arg == "--full" {
            extent.full = true;
        } else if GOALS.iter().any(|(name, ..)| *name == arg) {
            only.push(arg);
        } else {
            let known: Vec<&str> = GOALS.iter().map(|(name, ..)| *name).collect();
            return Err(format!("no goal {arg:?}; there are {}", known.join(", ")));
        }
    }
    Ok((extent, only))
}

fn main() -> ExitCode {
    let (extent, only) = match asked(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    let mut failed = 0;
    println!("| goal | | run | of | measured | took |\n| --- | --- | --- | --- | --- | --- |");
    for (name, goal, wanted) in GOALS {
        if !only.is_empty() && !only.iter().any(|o| o == name) {
            continue;
        }
        let began = Instant::now();
        let goal = *goal;
        let outcome = std::panic::catch_unwind(|| goal(extent));
        let outcome = outcome.unwrap_or_else(|_| Outcome::of(false, "broke off, see above"));
        let verdict = if outcome.passed { "ok" } else { "FAIL" };
        let took = began.elapsed().as_secs();
        let ran = if outcome.ran.is_empty() {
            "all"
        } else {
            &outcome.ran
        };
        println!(
            "| {name} | {verdict} | {ran} | {wanted} | {} | {took} s |",
            outcome.said
        );
        failed += u32::from(!outcome.passed);
    }
    println!(
        "\nnot measured here: malformed (scripts/fuzz), barge_in (untimed, in hub/tests/connector), identity (not built)"
    );
    ExitCode::from(u8::from(failed > 0))
}

/// A runtime on this thread.
pub fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}
