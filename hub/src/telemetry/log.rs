//! Logs go to standard error, human on a terminal, JSON otherwise.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::scribe::{Logging, Scribe};
use crate::config::{Log, LogFormat, LogLevel};

/// Starts logging, until what is returned is dropped. The first call in a process wins; later ones
/// change nothing.
pub fn init(log: &Log) -> Logging {
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
    let scribe = Scribe::default();
    // Without a thread, whoever logs waits for the reader.
    let (writer, logging) = match scribe.spawn(io::stderr()) {
        Ok(logging) => (BoxMakeWriter::new(scribe), logging),
        Err(_) => (BoxMakeWriter::new(io::stderr), Logging::elsewhere()),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(terminal);
    let done = match format {
        LogFormat::Human => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // An error only says that somebody has set up logging already.
    if done.is_ok() {
        logging
    } else {
        Logging::elsewhere()
    }
}
