//! `hub eval`: what a Story's expressions make of a sample packet (spec 11 'Elsewhere').
//!
//! Owns: the arguments, which run and step are meant, and the exit status. Never does: open a
//! socket, or change anything.

mod decide;
mod frames;
mod joining;
mod known;
mod sample;
mod schemas;
mod show;
#[cfg(test)]
mod tests;
mod trace;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use engine::DropReason;
use expr::Surroundings;
use transport_proto::names::metadata;

use crate::app::run_plan;
use crate::check::Output;
use crate::cli::{ConfigSource, EXIT_CONFIG};
use crate::story::{self, LoadOptions, Run, Snapshot, Step, did_you_mean};
use crate::wall::unix_nanos;
use sample::Sample;
use show::Shown;
use trace::{Case, Outcome};

const OK: u8 = 0;
const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// Evaluates a Story's expressions for a sample packet that a step emits.
///
/// Shows, for each way from that step to another, every decision in order: the step's outputSchema,
/// the `if` of each primitive on the way and of the target, what a transform makes of the payload,
/// routing rules, the target's inputSchema, and what arrives: inputs, payload, partition; or why the
/// packet goes no further. What is shown as the end of each is what the hub does with the packet.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  hub eval story.yaml --step stt --packet sample.json
  hub eval story.yaml --step stt --packet sample.json --inputs inputs.json
  hub eval stories/ --run calls/call-1 --step stt --packet - --output json < sample.json

The sample is a packet as JSON, in the field names of the contract; all fields are optional:
  {\"metadata\": {\"lang\": \"en\"}, \"payload\": {\"text\": \"hello\"}, \"inputs\": {},
   \"audio\": {\"codec\": \"pcm16\", \"sample_rate_hz\": 16000, \"channels\": 1, \"size\": 640},
   \"steps\": {\"faces\": {\"count\": 2}}}
Bytes (audio.pcm, video.payload, binary.payload) are base64, a JSON object, or `size` zeros.
An `envelope` may give stream_id, sequence, partition and the chunk fields.
`steps` gives what other branches of a join gave; those that are not there are taken to be absent, and
the packet waits for them. Packets join by metadata bubu.join.key, else bubu.envelope.message_id.

Limits are those of the configuration that `hub run` would have: name its file with --config.

Exit status: 0 evaluated, whatever was decided; 1 an evaluation failed or a schema was broken, or a
file is wrong; 2 usage: no such step or run; 64 the configuration is wrong.")]
pub struct EvalArgs {
    /// Files or folders of Stories.
    #[arg(required = true, value_name = "STORY")]
    pub stories: Vec<PathBuf>,
    /// Id of the step that emits the packet.
    #[arg(long, value_name = "STEP")]
    pub step: String,
    /// File with the packet as JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub packet: PathBuf,
    /// File with the run's inputs as a JSON object, instead of those in the Story files; defaults
    /// of `inputsSchema` are filled in.
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
    /// The run, as NAME or NAMESPACE/NAME; needed where the files have several.
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub output: Output,
    /// What bounds an evaluation: `limits.output_bytes`, `limits.max_downstreams`.
    #[command(flatten)]
    pub config: ConfigSource,
}

/// Why nothing was evaluated: the exit status, and what to say.
type Refusal = (u8, String);

/// Evaluates and returns the process's exit status; what is wrong with the arguments or the files
/// goes to `errors`.
///
/// # Errors
/// Only those of writing.
pub fn run(args: &EvalArgs, out: &mut impl Write, errors: &mut impl Write) -> io::Result<u8> {
    match evaluate(args, out) {
        Ok(written) => written,
        Err((status, text)) => {
            writeln!(errors, "{text}")?;
            Ok(status)
        }
    }
}

fn evaluate(args: &EvalArgs, out: &mut impl Write) -> Result<io::Result<u8>, Refusal> {
    let config = args.config.load(Vec::new());
    let config = config.map_err(|text| (EXIT_CONFIG, text))?;
    let loaded = story::load(&args.stories, &LoadOptions::from_config(&config))
        .map_err(|problems| (FAILED, problems.to_string()))?;
    let run = picked_run(&loaded.snapshot, args.run.as_deref()).map_err(|text| (USAGE, text))?;
    let run = match &args.inputs {
        Some(path) => run.with_inputs(inputs(path).map_err(|text| (FAILED, text))?),
        None => run.clone(),
    };
    let (index, step) = picked_step(&run, &args.step).map_err(|text| (USAGE, text))?;
    let sample = text_of(&args.packet)
        .and_then(|text| Sample::read(&text))
        .map_err(|text| (FAILED, format!("{}: {text}", shown(&args.packet))))?;
    let run_inputs = run
        .evaluated_inputs()
        .map_err(|problems| (FAILED, lines(&problems)))?;
    let plan = run_plan(&config, &run).map_err(|problems| (FAILED, lines(&problems)))?;
    let case = Case {
        story: &run.story,
        run: &run_inputs,
        sample: &sample,
        surroundings: surroundings(),
    };
    let shown = Shown {
        run: &run,
        step,
        fate: case.decide(&plan, index),
        violation: sample.view.violation().map(|v| v.to_string()),
        notes: notes(&sample),
    };
    let failed = |outcome: &Outcome| match outcome {
        Outcome::Dropped(reason, _) => *reason != DropReason::MaxDownstreams,
        Outcome::Taken | Outcome::NotTaken(_) | Outcome::Waits(_) => false,
    };
    let status = if shown.fate.ways.iter().any(|way| failed(&way.outcome)) {
        FAILED
    } else {
        OK
    };
    Ok(match args.output {
        Output::Human => shown.human(out),
        Output::Json => {
            let document = shown.json();
            serde_json::to_writer_pretty(&mut *out, &document)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(out))
        }
    }
    .map(|()| status))
}

fn lines(problems: &[story::Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// What the hub does with a sample before, or instead of, deciding on it.
fn notes(sample: &Sample) -> Vec<String> {
    let (view, bytes) = (&sample.view, &sample.bytes);
    let mut notes = Vec::new();
    if let Some(violation) = view.violation() {
        notes.push(format!(
            "the hub drops such a packet at the door: {violation}"
        ));
    }
    if view.is_heartbeat(bytes) {
        notes
            .push("this is a heartbeat: it goes on to every step, and nothing is asked".to_owned());
    }
    let is_control = view.metadata(bytes, metadata::HUB_CONTROL).is_some();
    if is_control && view.frame().is_none() {
        notes.push("this is a control message: it goes no further".to_owned());
    }
    notes
}

/// The run that is meant: that of the name, or the only one.
fn picked_run<'s>(snapshot: &'s Snapshot, name: Option<&str>) -> Result<&'s Run, String> {
    let runs: Vec<&Run> = snapshot
        .runs
        .iter()
        .filter(|run| run.story.routed)
        .collect();
    let full = |run: &Run| format!("{}/{}", run.namespace, run.name);
    let is_meant = |run: &&Run| name.is_none_or(|name| name == run.name || name == full(run));
    let mut meant = runs.iter().copied().filter(is_meant);
    let known: Vec<String> = runs.iter().map(|run| full(run)).collect();
    match (meant.next(), meant.next()) {
        (Some(run), None) => Ok(run),
        (Some(_), Some(_)) => Err(format!(
            "--run: there are several, name one as NAMESPACE/NAME: {}",
            known.join(", ")
        )),
        (None, _) if known.is_empty() => {
            Err("none of these Stories is routed (pattern streaming or realtime)".to_owned())
        }
        (None, _) => Err(format!(
            "--run: no run {}; known: {}{}",
            name.unwrap_or_default(),
            known.join(", "),
            did_you_mean(name.unwrap_or_default(), runs.iter().map(|run| &*run.name))
        )),
    }
}

fn picked_step<'r>(run: &'r Run, id: &str) -> Result<(usize, &'r Step), String> {
    let steps = &run.story.steps;
    let Some((index, step)) = steps.iter().enumerate().find(|(_, step)| step.id == id) else {
        let ids: Vec<&str> = steps.iter().map(|step| &*step.id).collect();
        return Err(format!(
            "--step: no step {id:?} in Story {}/{}; known: {}{}",
            run.story.namespace,
            run.story.name,
            ids.join(", "),
            did_you_mean(id, ids.iter().copied())
        ));
    };
    if !step.is_engram() {
        return Err(format!(
            "--step: {id} is a primitive, which emits no packets; name the engram before it"
        ));
    }
    Ok((index, step))
}

fn inputs(path: &Path) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    let named = |text: String| format!("{}: {text}", path.display());
    let text = text_of(path).map_err(named)?;
    match serde_json::from_str(&text) {
        Ok(serde_json::Value::Object(inputs)) => Ok(inputs),
        Ok(_) => Err(named("must be an object".to_owned())),
        Err(error) => Err(named(format!("no JSON: {error}"))),
    }
}

/// A file's name for people.
fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        let read = io::stdin().lock().read_to_string(&mut text);
        return read.map(|_| text).map_err(|error| error.to_string());
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// The present time, from which chance begins too.
fn surroundings() -> Surroundings {
    let now_nanos = unix_nanos();
    Surroundings {
        now_nanos,
        seed: now_nanos.unsigned_abs(),
    }
}
