//! Owns the flags of `loadtest run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::packet::Kind;
use crate::scenario::{Semantics, Shape, parse_bytes, parse_duration};

/// Form of the result on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs: the report as one JSON object.
    Json,
}

/// Run a load and judge it.
///
/// Flags change the shape or scenario they come with; without either they describe one flow.
/// Producers, fan-out, rate and size apply to every flow of a scenario.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  loadtest run --shape voice --streams 200
  loadtest run --saturate --window 64 --size 80
  loadtest run --producers 4 --fan-out 16 --rate 200 --kind audio --size 640
  loadtest run --semantics at_least_once --saturate --cut-every 200ms
  loadtest run --semantics at_least_once --slow-consumer --rate 500
  loadtest run --scenario night.toml --json out/night.json --report out/night.html
  loadtest run --shape voice --print-story > voice.yaml    then, elsewhere: hub run voice.yaml
  loadtest run --shape voice --target hub.example:9000 --admin hub.example:9090

Exit codes: 0 passed, 1 failed, 2 usage, 64 scenario.")]
pub struct RunArgs {
    /// A built-in scenario (loadtest/scenarios/NAME.toml).
    #[arg(long, conflicts_with = "scenario")]
    pub shape: Option<Shape>,
    /// A scenario file in TOML.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Steps that send, per flow [default: 1].
    #[arg(long, visible_alias = "streams", value_name = "N")]
    pub producers: Option<u32>,
    /// Steps that receive, per flow [default: producers x fan-out].
    #[arg(long, value_name = "N")]
    pub consumers: Option<u32>,
    /// Consumers that each producer reaches [default: 1].
    #[arg(long, value_name = "N")]
    pub fan_out: Option<u32>,
    /// Runs over which the streams are spread [default: as few as hold them].
    #[arg(long, value_name = "N")]
    pub runs: Option<u32>,
    /// Messages a second per producer, open loop [env: MESSAGE_RATE] [default: 50].
    #[arg(long, value_name = "MSG_PER_SECOND", value_parser = above_zero, conflicts_with = "saturate")]
    pub rate: Option<f64>,
    /// Send as much as fits, with a window of messages under way.
    #[arg(long)]
    pub saturate: bool,
    /// Messages under way per producer [default: 256, at most 4 MiB].
    #[arg(long, value_name = "MESSAGES", requires = "saturate")]
    pub window: Option<u32>,
    /// What frames carry [default: audio].
    #[arg(long)]
    pub kind: Option<Kind>,
    /// Payload bytes of a frame, like 640 or 64KiB [default: 640].
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub size: Option<usize>,
    /// How long is measured [default: 10s].
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// Traffic before measuring begins [default: 1s].
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub warmup: Option<Duration>,
    /// Stop after so many messages per producer; --duration is the longest it may take.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub messages: Option<u64>,
    /// Delivery policy [default: best_effort].
    #[arg(long)]
    pub semantics: Option<Semantics>,
    /// `if` of every consumer, which the hub evaluates for each packet: what it costs, or what
    /// it lets through. Packets carry metadata `type`, such as speech.audio.v1.
    #[arg(long, value_name = "EXPRESSION")]
    pub condition: Option<String>,
    /// Producers stop while the hub tells them to, instead of being left unread.
    #[arg(long)]
    pub accept_pause: bool,
    /// Cut streams at this interval and dial them again at once.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub reconnect_storm: Option<Duration>,
    /// Part of the streams that each wave of --reconnect-storm cuts [default: 0.5].
    #[arg(long, value_name = "0..1", requires = "reconnect_storm")]
    pub storm_fraction: Option<f64>,
    /// Cut single connections, a producer's and a consumer's in turn, and dial them again.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub cut_every: Option<Duration>,
    /// Decides whom --cut-every hits: the same seed, the same streams.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        requires = "cut_every"
    )]
    pub cut_seed: u64,
    /// Make consumers read no faster than this [default: 10]; their latency is in no figure.
    #[arg(long, value_name = "MSG_PER_SECOND", value_parser = above_zero, num_args = 0..=1, default_missing_value = "10")]
    pub slow_consumer: Option<f64>,
    /// How many consumers --slow-consumer makes slow.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        requires = "slow_consumer"
    )]
    pub slow_consumers: u32,
    /// Kill the hub at this interval and start it again on the same ports.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "target")]
    pub kill_every: Option<Duration>,

    /// A running hub to put under load; without it one is started [env: TARGET_HOST].
    #[arg(long, value_name = "HOST:PORT")]
    pub target: Option<String>,
    /// Admin address of --target: lets drops by policy be told from losses.
    #[arg(long, value_name = "HOST:PORT", requires = "target")]
    pub admin: Option<String>,
    /// Process of --target on this machine: its CPU and memory are read.
    #[arg(long, value_name = "PID", requires = "target")]
    pub hub_pid: Option<u32>,
    /// Start this `hub` binary instead of the built-in hub.
    #[arg(long, value_name = "PATH", conflicts_with = "target")]
    pub hub_bin: Option<PathBuf>,
    /// A setting for the hub that is started, like limits.max_streams=10000.
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "target")]
    pub hub_set: Vec<String>,
    /// Name of the run on the hub [default: the scenario's name].
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,
    /// Namespace of the run [default: default].
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Print the Story that the hub must be running, and do nothing else.
    #[arg(long)]
    pub print_story: bool,

    /// Generator threads.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// Keep the hub that is started and the generator on different CPUs, for figures that repeat.
    #[arg(long, conflicts_with = "target")]
    pub pin: bool,
    /// Streams that share an HTTP/2 connection; connectors dial one each.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub streams_per_connection: u32,
    /// Form of the result on standard output.
    #[arg(long, default_value = "table")]
    pub output: Output,
    /// Also write the report as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Also write the report as one HTML page with plots.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Say nothing while the load runs.
    #[arg(long)]
    pub quiet: bool,
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number > 0.0);
    number.ok_or_else(|| "a number above 0 is needed".to_owned())
}
