//! Owns `loadtest run` from flags to exit code.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;

use super::args::{Output, RunArgs};
use super::kill::Killer;
use super::pin::Halves;
use super::{EXIT_CONFIG, EXIT_FAILED, EXIT_OK, EXIT_USAGE};
use crate::drive::{Observer, RunError, RunOptions, Target, run as drive};
use crate::hub_process::{HubCommand, HubProcess};
use crate::report::{Live, LiveTitle, Report, Sample, html, per_second_line, table};
use crate::scenario::{Scenario, Topology, story_yaml};
use crate::wire::{GrpcWire, OpenError};

/// gRPC status of a run that the hub does not know.
const UNAVAILABLE: u32 = 14;
/// Streams that a hub takes by default (spec 2.8).
const DEFAULT_MAX_STREAMS: usize = 2000;

/// Why a run gave no report.
type Failure = (u8, String);

pub(super) fn run(args: &RunArgs) -> u8 {
    match attempt(args) {
        Ok(code) => code,
        Err((code, text)) => {
            eprintln!("loadtest: {text}");
            code
        }
    }
}

/// The hub of `__hub`: what `hub run` does, in a process of ours.
pub(super) fn serve_hub(args: &[String]) -> u8 {
    use clap::Parser;
    // Where the generator is killed outright, its hub must not stay behind.
    let parent = rustix::process::getppid();
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    if rustix::process::getppid() != parent {
        return EXIT_FAILED;
    }
    let line = ["hub", "run"]
        .into_iter()
        .chain(args.iter().map(String::as_str));
    match hub::cli::Cli::try_parse_from(line) {
        Ok(cli) => hub::cli::run(cli),
        Err(error) => {
            eprintln!("{error}");
            EXIT_FAILED
        }
    }
}

fn attempt(args: &RunArgs) -> Result<u8, Failure> {
    let rate = std::env::var("MESSAGE_RATE").ok();
    let scenario = args
        .scenario(rate.as_deref())
        .map_err(|error| (EXIT_CONFIG, error.to_string()))?;
    let topology = Topology::of(&scenario);
    let story = story_yaml(&scenario, &topology);
    if args.print_story {
        print!("{story}");
        return Ok(EXIT_OK);
    }
    for (flag, path) in [("--json", &args.json), ("--report", &args.report)] {
        if let Some(path) = path {
            make_room(path).map_err(|error| (EXIT_USAGE, format!("{flag}: {error}")))?;
        }
    }
    let streams = topology.producers.len() + topology.consumers.len();
    raise_file_limit(streams);
    let host = std::env::var("TARGET_HOST").ok();
    let report = match args.address(host.as_deref()) {
        Some(address) => {
            let target = Target {
                address,
                admin: args.admin.clone(),
                pid: args.hub_pid,
                own: false,
            };
            generate(args, &scenario, &target).map_err(|error| failed(&error, None))
        }
        None => {
            let hub = start_hub(args, streams, &story).map_err(|text| (EXIT_FAILED, text))?;
            on_own_hub(args, &scenario, hub)
        }
    };
    show(args, &report?).map_err(|error| (EXIT_FAILED, error))
}

/// How long a hub may take from its last byte to its end.
const DYING: Duration = Duration::from_secs(1);

/// Runs against a hub of our own, which is gone afterwards in every case.
fn on_own_hub(args: &RunArgs, scenario: &Scenario, hub: HubProcess) -> Result<Report, Failure> {
    let mut target = hub.target().clone();
    let Some(every) = args.kill_every else {
        let mut hub = hub;
        let report = generate(args, scenario, &target);
        let well = report.as_ref().is_ok_and(|report| report.verdict.passed);
        let patience = if well { Duration::ZERO } else { DYING };
        let death = hub
            .ended_within(patience)
            .map(|status| format!("the hub ended with {status}:\n{}", hub.log_tail()));
        let report = report.map_err(|error| failed(&error, death.as_deref()))?;
        return Ok(with_reason(report, death));
    };
    // Several processes in turn: what they consume cannot be told as one figure.
    target.pid = None;
    let killer = Killer::start(hub, every).map_err(|e| (EXIT_FAILED, e.to_string()))?;
    let report = generate(args, scenario, &target);
    let killed = killer.end();
    let mut report = report.map_err(|error| failed(&error, None))?;
    report.hub_kills = killed.as_ref().map_or(0, |killed| killed.times);
    Ok(with_reason(
        report,
        killed.and_then(|killed| killed.failure),
    ))
}

/// The report, failed where there is a reason.
fn with_reason(mut report: Report, reason: Option<String>) -> Report {
    if let Some(reason) = reason {
        report.verdict.passed = false;
        report.verdict.reasons.push(reason);
    }
    report
}

fn failed(error: &RunError, hub_death: Option<&str>) -> Failure {
    (EXIT_FAILED, explain(error, hub_death))
}

fn start_hub(args: &RunArgs, streams: usize, story: &str) -> Result<HubProcess, String> {
    let text = |error: io::Error| error.to_string();
    let command = hub_command(args, streams).map_err(text)?;
    if !args.pin {
        return HubProcess::start(&command, story).map_err(|error| error.to_string());
    }
    let halves = Halves::of_this_machine().map_err(text)?;
    halves.take_hubs().map_err(text)?;
    let hub = HubProcess::start(&command, story).map_err(|error| error.to_string())?;
    halves.take_generators().map_err(text)?;
    Ok(hub)
}

fn hub_command(args: &RunArgs, streams: usize) -> io::Result<HubCommand> {
    let mut after = Vec::new();
    if streams > DEFAULT_MAX_STREAMS {
        after.push(format!("--set=limits.max_streams={streams}"));
    }
    after.extend(args.hub_set.iter().map(|pair| format!("--set={pair}")));
    let (program, first) = match &args.hub_bin {
        Some(path) => (path.clone(), "run"),
        None => (std::env::current_exe()?, "__hub"),
    };
    Ok(HubCommand {
        program,
        before: vec![first.to_owned()],
        after,
    })
}

/// Makes the traffic, on this thread's own runtime.
fn generate(args: &RunArgs, scenario: &Scenario, target: &Target) -> Result<Report, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let options = RunOptions {
            threads: usize::from(args.threads),
            messages: args.messages,
            reconnect: args.kill_every.is_some(),
            ..RunOptions::new(stopped)
        };
        let signals = tokio::spawn(stop_on_signal(stop)?);
        let address = target.address.clone();
        let shared = args.streams_per_connection as usize;
        let wire = move || GrpcWire::new(&address, shared);
        let mut progress = Progress::new(args, scenario, target);
        let report = drive(scenario, &options, target, wire, &mut progress).await;
        progress.finish();
        signals.abort();
        report
    })
}

/// Turns the first Ctrl-C or SIGTERM into an early end with a report.
fn stop_on_signal(stop: watch::Sender<bool>) -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.send_replace(true);
        // Kept, so that a dropped sender is never taken for anything.
        std::future::pending::<()>().await;
    })
}

/// What is shown on standard error while the load runs.
enum Progress {
    Nothing,
    /// A plain line per sample.
    Lines,
    View(Box<Live>),
}

impl Progress {
    fn new(args: &RunArgs, scenario: &Scenario, target: &Target) -> Progress {
        if args.quiet {
            return Progress::Nothing;
        }
        let title = LiveTitle {
            scenario: scenario.name.clone(),
            target: target.address.clone(),
            seconds: (scenario.warmup + scenario.duration).as_secs_f64(),
        };
        let view = io::stderr().is_terminal().then(|| Live::new(title).ok());
        view.flatten()
            .map_or(Progress::Lines, |live| Progress::View(Box::new(live)))
    }

    fn finish(self) {
        if let Progress::View(live) = self {
            live.finish();
        }
    }
}

impl Observer for Progress {
    fn sample(&mut self, sample: &Sample) {
        match self {
            Progress::Nothing => {}
            Progress::Lines => eprintln!("{}", per_second_line(sample)),
            // A terminal that is gone takes nothing more; the report still comes.
            Progress::View(live) => drop(live.show(sample)),
        }
    }
}

/// An error with what to do about it.
fn explain(error: &RunError, hub_death: Option<&str>) -> String {
    let hint = match error {
        RunError::Open(OpenError::Refused { code, .. }) if *code == UNAVAILABLE => {
            "\nthe hub must be running the Story that `loadtest run ... --print-story` prints (its run is named by --run and --namespace)"
        }
        _ => "",
    };
    let death = hub_death
        .map(|text| format!("\n{text}"))
        .unwrap_or_default();
    format!("{error}{hint}{death}")
}

fn show(args: &RunArgs, report: &Report) -> Result<u8, String> {
    let json = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
    match args.output {
        Output::Table => print!("{}", table(report)),
        Output::Json => println!("{json}"),
    }
    if let Some(path) = &args.json {
        write(path, &json)?;
    }
    if let Some(path) = &args.report {
        write(path, &html(report).map_err(|error| error.to_string())?)?;
    }
    Ok(if report.verdict.passed {
        EXIT_OK
    } else {
        EXIT_FAILED
    })
}

/// Finds out before the load whether its result can be written, and makes the folder. Keeps a
/// report that is there.
fn make_room(path: &Path) -> Result<(), String> {
    let kept = path.exists();
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let opened = folder.and_then(|()| OpenOptions::new().append(true).create(true).open(path));
    let tried = opened.and_then(|_| {
        if kept {
            Ok(())
        } else {
            std::fs::remove_file(path)
        }
    });
    tried.map_err(|error| unwritable(path, &error))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

/// Asks the system for as many open files as the streams need; it is said later if too few.
fn raise_file_limit(streams: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = streams as u64 + 256;
    if limit.current.is_some_and(|current| current < wanted) {
        let current = limit.maximum.map_or(wanted, |most| wanted.min(most));
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(current),
                maximum: limit.maximum,
            },
        );
    }
}
