//! `conformance packets|expressions|envelopes|validate|sdk-misc FILE...`: prints each difference, closes with
//! `N passed, N failed`. Exit code: 0 all passed, 1 some failed, 2 a file or a line
//! that cannot be read (or wrong usage).

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use conformance::{FileError, Report, envelopes, expressions, packets, sdk_misc, validate};

#[derive(Parser)]
#[command(about = "Runs vector files against this implementation", version)]
struct Arguments {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand)]
enum Kind {
    /// Verdicts of the wire contract.
    Packets {
        /// Vector files, one JSON object a line.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Results of the template dialect.
    Expressions {
        /// Vector files, one JSON object a line.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Messages of engrams to and from the wire.
    Envelopes {
        /// Vector files, one JSON object a line.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Verdicts of the engram SDK about messages.
    Validate {
        /// Vector files, one JSON object a line.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Everything else that engrams and the Go SDK must agree on.
    SdkMisc {
        /// Vector files, one JSON object a line.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    print(match Arguments::parse().kind {
        Kind::Packets { files } => packets::check(&files),
        Kind::Expressions { files } => expressions::check(&files),
        Kind::Envelopes { files } => envelopes::check(&files),
        Kind::Validate { files } => validate::check(&files),
        Kind::SdkMisc { files } => sdk_misc::check(&files),
    })
}

fn print(outcome: Result<Report, FileError>) -> ExitCode {
    let report = match outcome {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    for (id, differences) in &report.failed {
        for difference in differences {
            println!("{id}: {difference}");
        }
    }
    println!("{} passed, {} failed", report.passed, report.failed.len());
    if report.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}
