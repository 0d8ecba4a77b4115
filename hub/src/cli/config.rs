//! `hub config`: what the configuration is and whether it is right.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{EXIT_CONFIG, print};
use crate::config::{Config, FlagOverride, Sources, schema};

/// Where the configuration comes from; shared by all subcommands that read it.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigSource {
    /// Configuration file. Without it, ./hub.toml is not read: say what you want.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one value, for example --set heartbeat.interval=5s. May be given several times.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub sets: Vec<String>,
}

impl ConfigSource {
    /// The configuration, or its errors in one text.
    pub(crate) fn load(&self, flags: Vec<FlagOverride>) -> Result<Config, String> {
        let sources = Sources {
            file: self.config.clone(),
            sets: self.sets.clone(),
            flags,
            ..Sources::of_process()
        };
        Config::load(&sources).map_err(|e| e.to_string())
    }
}

/// Show or check the configuration.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hub config print                           the configuration in force, as TOML
  hub config check --config hub.toml         exit code 64 when something is wrong
  hub config schema                          for editors that check TOML")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the configuration in force, with all sources applied.
    Print(ConfigSource),
    /// Check the configuration and say what is wrong.
    Check(ConfigSource),
    /// Print the JSON schema of hub.toml, for editors.
    Schema,
}

pub(crate) fn run(args: &ConfigArgs) -> u8 {
    let (source, shown) = match &args.what {
        What::Print(source) => (source, true),
        What::Check(source) => (source, false),
        What::Schema => {
            return print(format!("{:#}\n", schema()).as_bytes());
        }
    };
    match source.load(Vec::new()) {
        Ok(config) if shown => print(config.to_toml().as_bytes()),
        Ok(config) => {
            for text in config.without_effect() {
                eprintln!("warning: {text}");
            }
            // An error of `hub run`, whose flag may allow it.
            if let Err(exposed) = config.check_exposure() {
                eprintln!("warning: {exposed}");
            }
            print(b"configuration ok\n")
        }
        Err(error) => {
            eprintln!("{error}");
            EXIT_CONFIG
        }
    }
}
