//! Compares the hub with its peers in one interleaved run; see `scripts/bench-peers`.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use loadtest::scenario::{parse_bytes, parse_duration};
use peers::compare::{
    Document, Figures, Measurement, Outcome, Plan, judge_gates, markdown, run_rounds,
};
use peers::load::{Load, Timing, WINDOW};
use peers::program::Programs;
use tokio::sync::watch;

/// Compares the hub with its peers in one interleaved run.
#[derive(Debug, Parser)]
#[command(args_override_self = true)]
struct Args {
    /// Folder of the programs `hub`, `tcp-relay`, `h2-relay` and `tonic-relay`.
    #[arg(long, default_value = "target/release")]
    folder: PathBuf,
    /// The program `nats-server`; without it NATS is not compared.
    #[arg(long)]
    nats: Option<PathBuf>,
    /// How often each program meets each load.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Measured time of each meeting.
    #[arg(long, default_value = "2s", value_parser = some_time)]
    measured: Duration,
    /// Traffic before the measured time.
    #[arg(long, default_value = "500ms", value_parser = parse_duration)]
    warmup: Duration,
    /// Messages under way per producer, at most (and at most 4 MiB).
    #[arg(long, default_value_t = WINDOW as u16, value_parser = clap::value_parser!(u16).range(1..))]
    window: u16,
    /// Bytes of a DATA frame that the HTTP/2 client sends, at most.
    #[arg(long, default_value = "16KiB", value_parser = some_bytes)]
    frame: usize,
    /// Only loads whose name contains this.
    #[arg(long)]
    load: Option<String>,
    /// Only programs whose name contains one of these.
    #[arg(long)]
    program: Vec<String>,
    /// Where the figures come from, as NAME=VALUE; stands at the top of the result.
    #[arg(long, value_parser = fact)]
    fact: Vec<(String, String)>,
    /// Writes the tables here.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Writes every measurement and gate here.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn some_time(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).map_err(|error| error.to_string())?;
    let some = Some(time).filter(|time| !time.is_zero());
    some.ok_or_else(|| "must be longer than nothing".to_owned())
}

fn some_bytes(text: &str) -> Result<usize, String> {
    let bytes = parse_bytes(text).map_err(|error| error.to_string())?;
    let some = Some(bytes).filter(|bytes| *bytes > 0);
    some.ok_or_else(|| "at least 1".to_owned())
}

fn fact(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it like NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    let args = Args::parse();
    match compare(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every message of every measurement arrived sound. Gates that are short do not fail it:
/// figures of a shared machine are for people to judge.
fn compare(args: &Args) -> Result<bool, Box<dyn std::error::Error>> {
    let plan = plan(args)?;
    for path in [&args.markdown, &args.json].into_iter().flatten() {
        writable(path)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let total = plan.rounds * plan.loads.len() * plan.compared.len();
    let mut done = 0;
    let measurements = runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let signals = tokio::spawn(stop_on_signal(stop)?);
        let result = run_rounds(&plan, &stopped, |measurement| {
            done += 1;
            eprintln!("{done:4}/{total} {}", line(&plan, measurement));
        });
        let result = result.await;
        signals.abort();
        result.map_err(Box::<dyn std::error::Error>::from)
    })?;
    show(args, &plan, &measurements)?;
    Ok(measurements.iter().all(|m| m.objections.is_empty()))
}

/// Finds out before anything is measured whether the result can be written; keeps what is there.
fn writable(path: &Path) -> Result<(), String> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    let opened = opened.map_err(|error| format!("cannot write {}: {error}", path.display()));
    opened.map(drop)
}

fn plan(args: &Args) -> Result<Plan, String> {
    let programs = Programs {
        folder: args.folder.clone(),
        nats: args.nats.clone(),
    };
    let mut compared = programs.present();
    if !args.program.is_empty() {
        let wanted = |name: &str| args.program.iter().any(|part| name.contains(part));
        let names: Vec<&str> = compared.iter().map(|program| program.name()).collect();
        compared.retain(|program| wanted(program.name()));
        if compared.is_empty() {
            return Err(format!("no such --program; there are {}", names.join(", ")));
        }
    }
    let mut loads = Load::all(usize::from(args.window));
    if let Some(part) = &args.load {
        let names: Vec<&str> = loads.iter().map(|load| load.name).collect();
        loads.retain(|load| load.name.contains(part));
        if loads.is_empty() {
            let names = names.join(", ");
            return Err(format!("no --load is called {part:?}; there are {names}"));
        }
    }
    Ok(Plan {
        programs,
        compared,
        loads,
        rounds: usize::from(args.rounds),
        timing: Timing {
            warmup: args.warmup,
            measured: args.measured,
        },
        frame_bytes: args.frame,
    })
}

fn line(plan: &Plan, measurement: &Measurement) -> String {
    let mut line = format!(
        "{:16} {:13} {:8.1} k/s {:8.2} us CPU, p50 {:.0} us, limit {}",
        plan.loads[measurement.load].name,
        measurement.program.name(),
        measurement.delivered_per_second / 1000.0,
        measurement.cpu_us,
        measurement.p50_us,
        measurement.limit,
    );
    if !measurement.objections.is_empty() {
        line += &format!(" NOT SOUND: {}", measurement.objections.join("; "));
    }
    line
}

fn show(
    args: &Args,
    plan: &Plan,
    measurements: &[Measurement],
) -> Result<(), Box<dyn std::error::Error>> {
    let figures = Figures(measurements);
    let judged = judge_gates(&plan.loads, figures);
    let text = markdown(&Document {
        facts: &args.fact,
        rounds: plan.rounds,
        timing: plan.timing,
        window: usize::from(args.window),
        frame_bytes: plan.frame_bytes,
        compared: &plan.compared,
        loads: &plan.loads,
        figures,
        judged: &judged,
    });
    println!("{text}");
    let short = judged.iter().filter(|j| j.outcome == Outcome::Short);
    eprintln!("{} gates are short", short.count());
    if let Some(path) = &args.markdown {
        std::fs::write(path, &text)?;
    }
    if let Some(path) = &args.json {
        let facts: std::collections::BTreeMap<_, _> = args.fact.iter().cloned().collect();
        let json = serde_json::json!({
            "facts": facts,
            "loads": plan.loads,
            "gates": judged,
            "measurements": measurements,
        });
        std::fs::write(path, serde_json::to_string_pretty(&json)? + "\n")?;
    }
    Ok(())
}

/// Turns the first Ctrl-C or SIGTERM into an end in which every program is ended, too.
fn stop_on_signal(
    stop: watch::Sender<bool>,
) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
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
