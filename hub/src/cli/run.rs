//! `hub run`: serve until told to stop.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::config::ConfigSource;
use super::{EXIT_CONFIG, EXIT_FAILED, EXIT_OK};
use crate::app::{self, Running};
use crate::config::{Config, FlagOverride};
use crate::story::{self, LoadOptions, Loaded};
use crate::telemetry;

/// Serve Stories until SIGTERM or Ctrl-C.
///
/// Prints `ready grpc=ADDR admin=ADDR` on standard output as soon as it serves; logs go to standard
/// error. SIGTERM drains and exits 0.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hub run story.yaml
  hub run stories/ --listen 127.0.0.1:0 --admin 127.0.0.1:0
  hub run story.yaml --listen 0.0.0.0:9000 --insecure --set heartbeat.interval=5s")]
pub(crate) struct RunArgs {
    /// Story files, or folders of them.
    #[arg(required = true, value_name = "STORY")]
    stories: Vec<PathBuf>,
    /// Address for gRPC; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Address for health, metrics and the admin API; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    admin: Option<String>,
    /// Folder for durable state; not built yet: no effect.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Serve in plain text on addresses that other machines reach.
    #[arg(long)]
    insecure: bool,
    #[command(flatten)]
    config: ConfigSource,
}

pub(crate) fn run(args: &RunArgs) -> u8 {
    let config = match load_config(args) {
        Ok(config) => config,
        Err(text) => {
            eprintln!("{text}");
            return EXIT_CONFIG;
        }
    };
    let _logging = telemetry::init_log(&config.log);
    for text in config.without_effect() {
        tracing::warn!("{text}");
    }
    let stories = match story::load(&args.stories, &LoadOptions::from_config(&config)) {
        Ok(stories) => stories,
        Err(problems) => {
            eprintln!("{problems}");
            app::tell_refused(&config, &problems.list);
            return EXIT_FAILED;
        }
    };
    warn(&stories);
    let signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            eprintln!("cannot listen for signals: {error}");
            return EXIT_FAILED;
        }
    };
    match app::start(config, &stories) {
        Ok(running) => {
            for note in &stories.notes {
                tracing::info!("{note}");
            }
            serve(running, signals)
        }
        Err(error) => {
            eprintln!("{error}");
            EXIT_FAILED
        }
    }
}

fn load_config(args: &RunArgs) -> Result<Config, String> {
    let mut flags = Vec::new();
    let mut flag = |flag, key, value: Option<String>| {
        flags.extend(value.map(|value| FlagOverride { flag, key, value }));
    };
    flag("--listen", "listen.grpc", args.listen.clone());
    flag("--admin", "listen.admin", args.admin.clone());
    flag("--data-dir", "data.dir", args.data_dir.clone());
    flag(
        "--insecure",
        "listen.insecure",
        args.insecure.then(|| "true".to_owned()),
    );
    let config = args.config.load(flags)?;
    config.check_exposure().map_err(|e| e.to_string())?;
    Ok(config)
}

fn warn(stories: &Loaded) {
    for warning in &stories.warnings {
        tracing::warn!("{warning}");
    }
    if !stories.snapshot.runs.iter().any(|run| run.story.routed) {
        tracing::warn!(
            "none of these Stories is routed (pattern streaming or realtime): every registration \
             will be refused"
        );
    }
}

fn serve(running: Running, signals: Signals) -> u8 {
    let (grpc, admin) = (running.grpc_addr(), running.admin_addr());
    let mut out = io::stdout().lock();
    // Nobody may be reading; serving goes on.
    let _ = writeln!(out, "ready grpc={grpc} admin={admin}").and_then(|()| out.flush());
    drop(out);
    tracing::info!(%grpc, %admin, "serving");
    signals.wait();
    let report = running.drain();
    if !report.in_time || report.abandoned > 0 {
        tracing::warn!(?report, "the drain did not deliver everything");
    }
    EXIT_OK
}

/// SIGTERM and SIGINT, listened for from before the hub serves.
struct Signals {
    runtime: tokio::runtime::Runtime,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let entered = runtime.enter();
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        drop(entered);
        Ok(Self {
            runtime,
            terminate,
            interrupt,
        })
    }

    /// Blocks until one of them comes.
    fn wait(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        });
    }
}
