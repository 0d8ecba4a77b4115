//! `hub binding`: what an engram needs to know to connect directly (spec 3, "How such an engram
//! starts").
//!
//! Owns: the names of bindings and the value of `BUBU_TRANSPORT_BINDING`. Never does: resolve a
//! name; the engine does, from the runs themselves.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::story::{self, LoadOptions, Run, Snapshot, Step};

/// Exit status if bindings were printed.
const OK: u8 = 0;
/// Exit status if there are none to print.
const FAILED: u8 = 1;
/// The variable that engrams read.
const VARIABLE: &str = "BUBU_TRANSPORT_BINDING";
/// Where a hub listens if nobody says otherwise.
const ENDPOINT: &str = "127.0.0.1:9000";

/// What the SDK is told through its binding: to reconnect for ever and soon, to wait for a hub that
/// starts or pauses, and how many packets it holds (spec 3).
const TUNABLES: [(&str, &str); 5] = [
    ("BUBU_GRPC_CHANNEL_BUFFER_SIZE", "128"),
    ("BUBU_GRPC_DIAL_TIMEOUT", "10m"),
    ("BUBU_GRPC_MESSAGE_TIMEOUT", "10m"),
    ("BUBU_GRPC_RECONNECT_MAX_BACKOFF", "1s"),
    ("BUBU_GRPC_RECONNECT_MAX_RETRIES", "-1"),
];

/// Print what engrams need to connect directly: BUBU_TRANSPORT_BINDING, one for each step.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  hub binding story.yaml
  export BUBU_TRANSPORT_BINDING=\"$(hub binding story.yaml --step asr --format value)\"
  hub binding stories/ --run call-17 --endpoint hub.example:9443 --format k8s

Exit status: 0 printed, 1 no such run or step or a Story that does not load, 2 usage.")]
pub struct BindingArgs {
    /// Files or folders of Stories.
    #[arg(required = true, value_name = "STORY")]
    pub stories: Vec<PathBuf>,
    /// Only this run.
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Only this step.
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
    /// Where engrams reach the hub. Other hosts than localhost are reached with TLS only.
    #[arg(long, value_name = "HOST:PORT", default_value = ENDPOINT, value_parser = endpoint)]
    pub endpoint: String,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Env)]
    pub format: Format,
}

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// NAME='value', for a shell.
    #[default]
    Env,
    /// The bare value, one a line.
    Value,
    /// One JSON document.
    Json,
    /// Entries for a container's `env`.
    K8s,
}

/// The binding of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Namespace of the run.
    pub namespace: String,
    /// The run.
    pub run: String,
    /// The step's id.
    pub step: String,
    /// What Control names, without the namespace.
    pub name: String,
    /// The value of `BUBU_TRANSPORT_BINDING`: JSON on one line.
    pub value: String,
}

/// Values of bindings by their steps.
#[derive(Debug, Default)]
pub(crate) struct Values(HashMap<Key, String>);

/// Namespace, run and step.
type Key = (Arc<str>, Arc<str>, Arc<str>);

impl Binding {
    /// That of `step` in `run`, for engrams that reach the hub at `endpoint` (bare `host:port`).
    #[must_use]
    pub fn new(run: &Run, step: &Step, endpoint: &str) -> Self {
        let name = format!("{}-{}", run.name, step.id);
        let env: BTreeMap<&str, &str> = TUNABLES.into();
        let payload = STANDARD.encode(json!({ "env": env }).to_string());
        let mut info = json!({
            "driver": "hub",
            "endpoint": endpoint,
            "payload": payload,
            "protocolVersion": "1.0.0",
        });
        if let Some(transport) = &step.transport {
            info["transportRef"] = json!(transport);
        }
        let media = &step.media;
        let audio: Vec<_> = media.audio.iter().map(|audio| &audio.codec).collect();
        let video: Vec<_> = media.video.iter().map(|video| &video.codec).collect();
        let binary: Vec<_> = media.binary.iter().collect();
        let lists = [
            ("audioCodecs", audio),
            ("videoCodecs", video),
            ("binaryTypes", binary),
        ];
        for (name, listed) in lists.into_iter().filter(|(_, listed)| !listed.is_empty()) {
            info[name] = json!(listed);
        }
        let value = json!({
            "name": name,
            "namespace": run.namespace,
            "binding": info,
        });
        Self {
            namespace: run.namespace.clone(),
            run: run.name.clone(),
            step: step.id.clone(),
            name,
            value: value.to_string(),
        }
    }
}

/// Prints bindings and returns the process's exit status.
///
/// # Errors
/// Only those of writing.
pub fn run(args: &BindingArgs, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    let loaded = match story::load(&args.stories, &LoadOptions::default()) {
        Ok(loaded) => loaded,
        Err(problems) => {
            writeln!(err, "{problems}")?;
            return Ok(FAILED);
        }
    };
    let all = bindings(&loaded.snapshot, &args.endpoint);
    let (shared, all) = told_apart(&all);
    let wanted = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| w == is);
    let chosen = |b: &&&Binding| wanted(&args.run, &b.run) && wanted(&args.step, &b.step);
    let ambiguous: Vec<_> = shared.iter().filter(chosen).collect();
    for binding in &ambiguous {
        let Binding {
            namespace,
            run,
            step,
            name,
            ..
        } = binding;
        writeln!(
            err,
            "binding {namespace}/{name} is ambiguous (here: run {run}, step {step}): rename the run \
             or the step"
        )?;
    }
    let chosen: Vec<_> = all.iter().filter(chosen).collect();
    if chosen.is_empty() && ambiguous.is_empty() {
        let wrong = match (&args.run, &args.step) {
            (Some(run), Some(step)) => format!("no step {step} in a run {run}"),
            (Some(run), None) => format!("no run {run}"),
            (None, Some(step)) => format!("no step {step}"),
            (None, None) => "no engram to connect".to_owned(),
        };
        writeln!(err, "{wrong}: {}", known(&loaded.snapshot))?;
    }
    if !chosen.is_empty() && !is_loopback(&args.endpoint) {
        writeln!(
            err,
            "note: engrams reach {} with TLS only, which this hub does not serve yet",
            args.endpoint
        )?;
    }
    print(args.format, &chosen, out)?;
    Ok(if chosen.is_empty() || !ambiguous.is_empty() {
        FAILED
    } else {
        OK
    })
}

/// Those of all engrams of all runs that are served.
fn bindings(snapshot: &Snapshot, endpoint: &str) -> Vec<Binding> {
    let routed = snapshot.runs.iter().filter(|run| run.story.routed);
    let of_run = |run: &Run| {
        let engrams = run.story.steps.iter().filter(|step| step.is_engram());
        engrams
            .map(|step| Binding::new(run, step, endpoint))
            .collect::<Vec<_>>()
    };
    routed.flat_map(of_run).collect()
}

/// Those whose name several steps share, which none of them can connect by, and the others.
fn told_apart(all: &[Binding]) -> (Vec<&Binding>, Vec<&Binding>) {
    let is_shared = |binding: &&Binding| {
        let same = |b: &&Binding| b.namespace == binding.namespace && b.name == binding.name;
        all.iter().filter(same).count() > 1
    };
    all.iter().partition(is_shared)
}

/// The values of all bindings of a hub that engrams can connect by at `endpoint`.
pub(crate) fn values(snapshot: &Snapshot, endpoint: &str) -> Values {
    let all = bindings(snapshot, endpoint);
    let (_, usable) = told_apart(&all);
    let key = |b: &Binding| {
        let namespace = Arc::from(b.namespace.as_str());
        (
            namespace,
            Arc::from(b.run.as_str()),
            Arc::from(b.step.as_str()),
        )
    };
    Values(
        usable
            .into_iter()
            .map(|b| (key(b), b.value.clone()))
            .collect(),
    )
}

impl Values {
    /// That of a step, unless no client can connect as it.
    pub(crate) fn of(&self, namespace: &Arc<str>, run: &Arc<str>, step: &Arc<str>) -> Option<&str> {
        let key = (namespace.clone(), run.clone(), step.clone());
        self.0.get(&key).map(String::as_str)
    }
}

fn print(format: Format, bindings: &[&&Binding], out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Value => bindings
            .iter()
            .try_for_each(|binding| writeln!(out, "{}", binding.value)),
        Format::Env => bindings.iter().try_for_each(|binding| {
            heading(binding, out)?;
            let quoted = binding.value.replace('\'', r"'\''");
            writeln!(out, "{VARIABLE}='{quoted}'")
        }),
        Format::K8s => bindings.iter().try_for_each(|binding| {
            heading(binding, out)?;
            let quoted = binding.value.replace('\'', "''");
            writeln!(out, "- name: {VARIABLE}\n  value: '{quoted}'")
        }),
        Format::Json => {
            let all: Vec<Value> = bindings.iter().map(|b| document(b)).collect();
            serde_json::to_writer_pretty(&mut *out, &all)?;
            writeln!(out)
        }
    }
}

fn heading(binding: &Binding, out: &mut impl Write) -> io::Result<()> {
    let Binding {
        namespace,
        run,
        step,
        ..
    } = binding;
    writeln!(out, "# run {namespace}/{run}, step {step}")
}

fn document(binding: &Binding) -> Value {
    json!({
        "namespace": binding.namespace,
        "run": binding.run,
        "step": binding.step,
        "name": binding.name,
        "env": { VARIABLE: binding.value },
    })
}

fn known(snapshot: &Snapshot) -> String {
    let all = bindings(snapshot, ENDPOINT);
    let names = all.iter().map(|b| format!("{} {}", b.run, b.step));
    let names: Vec<_> = names.collect();
    match names.len() {
        0 => "no Story has a step that engrams run".to_owned(),
        _ => format!("the runs and steps are: {}", names.join(", ")),
    }
}

fn endpoint(text: &str) -> Result<String, String> {
    let fits = text.rsplit_once(':').is_some_and(|(host, port)| {
        let is_host = !host.is_empty() && !host.contains(['/', ' ']);
        is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if fits {
        Ok(text.to_owned())
    } else {
        Err("a bare HOST:PORT, without a scheme".to_owned())
    }
}

fn is_loopback(endpoint: &str) -> bool {
    let host = endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
