//! Logs go to standard error, human on a terminal, JSON otherwise.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat, LogLevel};

/// Starts logging. The first call in a process wins; later ones change nothing.
pub fn init(log: &Log) {
    let level = match log.level {
        LogLevel::Off => "off",
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    // Frame-by-frame logs of the HTTP/2 library drown our own.
    let quiet = if log.level == LogLevel::Trace {
        ""
    } else {
        ",h2=warn,hyper=warn,tower=warn"
    };
    let filter = EnvFilter::new(format!("{level}{quiet}"));
    let terminal = io::stderr().is_terminal();
    let format = log.format.unwrap_or(if terminal {
        LogFormat::Human
    } else {
        LogFormat::Json
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(terminal);
    // An error only says that somebody has set up logging already.
    let _ = match format {
        LogFormat::Human => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
