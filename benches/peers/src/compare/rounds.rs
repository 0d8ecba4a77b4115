//! Owns one interleaved run: every program under every load in every round, one after the other.

use std::collections::BTreeMap;

use loadtest::drive::{Observer, RunError, RunOptions, run};
use loadtest::measure::{MachineUse, ProcessUse};
use loadtest::report::{Report, Sample};
use loadtest::wire::GrpcWire;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::watch;

use crate::load::{Load, Timing};
use crate::program::{Program, ProgramError, Programs};
use crate::wire::{NatsWire, TcpWire};

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the programs are.
    pub programs: Programs,
    /// Which of them.
    pub compared: Vec<Program>,
    /// The loads.
    pub loads: Vec<Load>,
    /// How often each program meets each load.
    pub rounds: usize,
    /// How long, each time.
    pub timing: Timing,
    /// Bytes of a DATA frame that an HTTP/2 client sends, at most.
    pub frame_bytes: usize,
}

/// Figures of one program under one load in one round.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// Index of the load.
    pub load: usize,
    /// Number of the round, from 0.
    pub round: usize,
    /// What was measured.
    pub program: Program,
    /// Messages received a second.
    pub delivered_per_second: f64,
    /// CPU microseconds of the program per message received.
    pub cpu_us: f64,
    /// CPUs that the program used.
    pub cpus: f64,
    /// CPU microseconds of the load generator per message received.
    pub generator_cpu_us: f64,
    /// Median latency in microseconds.
    pub p50_us: f64,
    /// 99th percentile of the latency in microseconds.
    pub p99_us: f64,
    /// Who was the limit, as the load generator judges it.
    pub limit: String,
    /// CPUs that neither the program nor the generator used: the machine's other work.
    pub foreign_cpus: f64,
    /// What the verifier objected to; empty when all arrived sound.
    pub objections: Vec<String>,
}

/// Why a run ended without figures.
#[derive(Debug, Error)]
pub enum Failure {
    /// A program did not start.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The traffic did not begin.
    #[error("{program}, {load}: {error}")]
    Run {
        /// Against which program.
        program: &'static str,
        /// Under which load.
        load: &'static str,
        /// Why.
        error: RunError,
    },
    /// Stopped by a signal.
    #[error("stopped")]
    Stopped,
}

/// Nobody watches a measurement of a few seconds.
struct Unwatched;

impl Observer for Unwatched {
    fn sample(&mut self, _sample: &Sample) {}
}

/// Runs everything; `each` sees every measurement as it comes.
///
/// # Errors
/// [`Failure`] at the first program that cannot be measured.
pub async fn run_rounds(
    plan: &Plan,
    stop: &watch::Receiver<bool>,
    mut each: impl FnMut(&Measurement),
) -> Result<Vec<Measurement>, Failure> {
    let mut measurements = Vec::new();
    for round in 0..plan.rounds {
        for (index, load) in plan.loads.iter().enumerate() {
            for program in rotated(&plan.compared, round + index) {
                if *stop.borrow() {
                    return Err(Failure::Stopped);
                }
                let (report, foreign_cpus) = measure(plan, program, load, stop).await?;
                let measurement = Measurement {
                    load: index,
                    round,
                    program,
                    foreign_cpus,
                    ..Measurement::of(&report)
                };
                each(&measurement);
                measurements.push(measurement);
            }
        }
    }
    Ok(measurements)
}

/// The programs, beginning with another one each time.
fn rotated(programs: &[Program], by: usize) -> impl Iterator<Item = Program> + '_ {
    let count = programs.len().max(1);
    programs
        .iter()
        .cycle()
        .skip(by % count)
        .take(programs.len())
        .copied()
}

async fn measure(
    plan: &Plan,
    program: Program,
    load: &Load,
    stop: &watch::Receiver<bool>,
) -> Result<(Report, f64), Failure> {
    let scenario = load.scenario(plan.timing);
    let running = plan.programs.start(program, &scenario)?;
    let target = running.target();
    let options = RunOptions::new(stop.clone());
    let address = target.address.clone();
    let before = Spent::now(target.pid);
    let mut watch = Unwatched;
    let report = match program {
        Program::Tcp => {
            let wire = move || TcpWire::new(&address);
            run(&scenario, &options, &target, wire, &mut watch).await
        }
        Program::Nats => {
            let wire = move || NatsWire::new(&address);
            run(&scenario, &options, &target, wire, &mut watch).await
        }
        Program::Http2 | Program::Tonic | Program::Hub => {
            let frame = plan.frame_bytes;
            let wire = move || GrpcWire::new(&address, 1).in_frames_of(frame);
            run(&scenario, &options, &target, wire, &mut watch).await
        }
    };
    let foreign = Spent::now(target.pid).foreign_since(&before);
    drop(running);
    let report = report.map_err(|error| match error {
        RunError::Stopped => Failure::Stopped,
        error => Failure::Run {
            program: program.name(),
            load: load.name,
            error,
        },
    })?;
    Ok((report, foreign))
}

/// CPU seconds at one moment.
struct Spent {
    machine: MachineUse,
    /// The generator's and the program's.
    ours: f64,
}

impl Spent {
    fn now(pid: Option<u32>) -> Spent {
        let of = |pid| ProcessUse::of(pid).map_or(0.0, |used| used.cpu_seconds);
        Spent {
            machine: MachineUse::now().unwrap_or_default(),
            ours: of(std::process::id()) + pid.map_or(0.0, of),
        }
    }

    /// CPUs that others used between two moments.
    fn foreign_since(&self, before: &Spent) -> f64 {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let busy = self.machine.busy_seconds - before.machine.busy_seconds;
        let idle = self.machine.idle_seconds - before.machine.idle_seconds;
        let seconds = ((busy + idle) / cpus).max(1e-9);
        ((busy - (self.ours - before.ours)) / seconds).max(0.0)
    }
}

impl Measurement {
    /// The figures of a report; which load, round and program it was is the caller's to say.
    fn of(report: &Report) -> Measurement {
        let program = report.hub.unwrap_or_default();
        Measurement {
            load: 0,
            round: 0,
            program: Program::Hub,
            delivered_per_second: report.throughput.delivered_per_second,
            cpu_us: program.cpu_us_per_message,
            cpus: program.cpus,
            generator_cpu_us: report.generator.cpu_us_per_message,
            p50_us: report.latency_us.p50,
            p99_us: report.latency_us.p99,
            limit: report.limit.by.clone(),
            foreign_cpus: 0.0,
            objections: objections(report),
        }
    }
}

fn objections(report: &Report) -> Vec<String> {
    let mut objections = report.verdict.reasons.clone();
    if report.interrupted {
        objections.push("interrupted".to_owned());
    }
    if report.dropped > 0 {
        objections.push(format!("{} dropped by the hub", report.dropped));
    }
    let faults: BTreeMap<_, _> = report.faults.iter().filter(|(_, f)| f.count > 0).collect();
    objections.extend(
        faults
            .into_iter()
            .map(|(name, fault)| format!("{} {name}", fault.count)),
    );
    objections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_comes_first_once() {
        let firsts: Vec<_> = (0..Program::ALL.len())
            .filter_map(|by| rotated(&Program::ALL, by).next())
            .collect();
        assert_eq!(firsts, Program::ALL);
        let all: Vec<_> = rotated(&Program::ALL, 3).collect();
        assert_eq!(all.len(), Program::ALL.len());
    }
}
