//! Files and folders to a [`Snapshot`].
//!
//! Owns: the order of loading, and what is told in which order. Never does: know a field.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::assemble::{self, assemble};
use super::document::{self, Context};
use super::documents::{Documents, RunDocument};
use super::files::{self, Text};
use super::read::{Report, View};
use super::resource::{self, Kind, Resource};
use super::yaml::{self, Node};
use super::{Note, Place, Problem, Problems, Run, Snapshot, Story, Warning};

/// What the process's configuration says about loading.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Whether `[recording] dir` is set; without it, a recording is a warning and stays off.
    pub recording_dir: bool,
    /// `backpressure.buffer.maxMessages` where no level says otherwise.
    pub buffer_messages: u64,
    /// `backpressure.buffer.maxBytes` where no level says otherwise, in bytes.
    pub buffer_bytes: u64,
    /// Cap of `routing.maxDownstreams`.
    pub max_downstreams: u64,
    /// Most bytes of one text that an expression makes (`limits.output_bytes`).
    pub output_bytes: usize,
}

impl LoadOptions {
    /// The options that follow from a configuration.
    pub fn from_config(config: &crate::config::Config) -> Self {
        Self {
            recording_dir: config.recording.dir.is_some(),
            buffer_messages: config.limits.buffer_messages,
            buffer_bytes: config.limits.buffer_bytes,
            max_downstreams: config.limits.max_downstreams,
            output_bytes: usize::try_from(config.limits.output_bytes).unwrap_or(usize::MAX),
        }
    }
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self::from_config(&crate::config::Config::default())
    }
}

/// What came of a load that was not refused.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Stories and runs.
    pub snapshot: Arc<Snapshot>,
    /// What loads, but not as its author may think.
    pub warnings: Vec<Warning>,
    /// What is accepted but not built yet.
    pub notes: Vec<Note>,
}

/// Loads files and folders (recursively `*.yaml`, `*.yml`, hidden ones left out).
///
/// # Errors
/// [`Problems`] lists everything that is wrong with any of the files.
pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Loaded, Problems> {
    let mut report = Report::default();
    let texts = files::read(paths, &mut report);
    load_texts(&texts, report, options)
}

/// Loads one text as if it were a file called `name`.
///
/// # Errors
/// [`Problems`] lists everything that is wrong with the text.
pub fn load_str(name: &str, yaml: &str, options: &LoadOptions) -> Result<Loaded, Problems> {
    let text = Text {
        name: name.into(),
        yaml: yaml.to_owned(),
    };
    load_texts(&[text], Report::default(), options)
}

fn load_texts(
    texts: &[Text],
    mut report: Report,
    options: &LoadOptions,
) -> Result<Loaded, Problems> {
    let mut readable = report.problems.is_empty();
    let parsed: Vec<(&Text, Vec<Node>)> = texts
        .iter()
        .map(|text| {
            let (nodes, whole) = documents_of(text, &mut report);
            readable &= whole;
            (text, nodes)
        })
        .collect();
    let report = RefCell::new(report);
    let told = RefCell::default();
    let snapshot = build(&parsed, (&report, &told), readable, options);
    let mut report = report.into_inner();
    if report.problems.is_empty() && snapshot.stories.is_empty() {
        report.problems.push(no_story(texts));
    }
    finish(report, texts, snapshot)
}

/// The documents of a text, and whether all of it could be read.
fn documents_of(text: &Text, report: &mut Report) -> (Vec<Node>, bool) {
    let parsed = yaml::parse(text.yaml.strip_prefix('\u{feff}').unwrap_or(&text.yaml));
    let place = |line, path: &str| Place {
        file: text.name.clone(),
        line,
        path: path.to_owned(),
    };
    let whole = parsed.broken.is_none();
    let broken = parsed.broken.map(|(line, text)| Problem {
        place: place(line, "(file)"),
        text,
    });
    let faults = parsed.faults.into_iter().map(|fault| Problem {
        place: place(fault.line, &fault.path),
        text: fault.text,
    });
    report.problems.extend(broken.into_iter().chain(faults));
    (parsed.documents, whole)
}

/// Builds what can be built. References between documents are judged only if every file was
/// `readable`: what is missing may stand in one that was not.
fn build<'a>(
    parsed: &'a [(&'a Text, Vec<Node>)],
    (report, told): (&'a RefCell<Report>, &'a RefCell<Report>),
    readable: bool,
    options: &LoadOptions,
) -> Snapshot {
    let views = parsed.iter().flat_map(|(text, nodes)| {
        nodes.iter().map(move |node| View {
            file: &text.name,
            report,
            node,
            path: String::new(),
        })
    });
    let resources: Vec<Resource<'a>> = views.filter_map(|view| resource::read(&view)).collect();
    resource::report_duplicates(&resources);
    let mut documents = Documents::default();
    let mut story_resources = Vec::new();
    for resource in resources {
        match resource.kind {
            Kind::Story => story_resources.push(resource),
            _ => documents.take(resource, options),
        }
    }
    let known: Vec<(String, String)> = story_resources
        .iter()
        .map(|story| (story.namespace.clone(), story.name.clone()))
        .collect();
    let context = Context {
        documents: &documents,
        options,
        told,
    };
    let story_documents: Vec<_> = story_resources
        .into_iter()
        .filter_map(|resource| document::read(resource, &context))
        .collect();
    if !readable {
        return Snapshot::default();
    }
    let stories: Vec<Arc<Story>> = story_documents
        .iter()
        .map(|document| Arc::new(assemble(document, &context, &known)))
        .collect();
    let runs = runs(&stories, &documents.runs, &known);
    warn_of_inputs(&runs, report);
    Snapshot { stories, runs }
}

/// StoryRun documents, then one implicit run of each Story that has none.
fn runs(
    stories: &[Arc<Story>],
    documents: &[RunDocument<'_>],
    known: &assemble::Known,
) -> Vec<Run> {
    let mut runs = Vec::new();
    for document in documents {
        let (namespace, name) = (&document.story_namespace, document.story_name);
        let called = |story: &&Arc<Story>| story.namespace == *namespace && story.name == name;
        match stories.iter().find(called) {
            Some(story) => runs.push(run(document, story)),
            None if known.iter().any(|(of, n)| of == namespace && n == name) => {}
            None => document.story_view.problem(format!(
                "no Story {namespace}/{name} in these files{}",
                assemble::near_story((namespace, name), known)
            )),
        }
    }
    let with_runs = runs.len();
    for story in stories {
        let has_run = |run: &Run| Arc::ptr_eq(&run.story, story);
        if runs.iter().take(with_runs).any(has_run) {
            continue;
        }
        let taken = |d: &&RunDocument<'_>| d.namespace == story.namespace && d.name == story.name;
        if let Some(document) = documents.iter().find(taken) {
            document.story_view.problem_at(
                &document.name_place,
                format!(
                    "duplicate run {0}/{1}: the Story {0}/{1} has no StoryRun, so its implicit \
                     run has this name",
                    story.namespace, story.name
                ),
            );
        }
        runs.push(Run {
            namespace: story.namespace.clone(),
            name: story.name.clone(),
            story: story.clone(),
            inputs: story.filled(serde_json::Map::new()),
        });
    }
    runs
}

/// Warns of runs that cannot start. They refuse no file: others may have the inputs that these
/// lack.
fn warn_of_inputs(runs: &[Run], report: &RefCell<Report>) {
    for run in runs.iter().filter(|run| run.story.routed) {
        let problems = run.evaluated_inputs().err().unwrap_or_default();
        let warnings = problems
            .into_iter()
            .map(|Problem { place, text }| Warning { place, text });
        report.borrow_mut().warnings.extend(warnings);
    }
}

fn run(document: &RunDocument<'_>, story: &Arc<Story>) -> Run {
    let inputs = match document.inputs.as_ref().map(|inputs| inputs.json()) {
        Some(serde_json::Value::Object(inputs)) => inputs,
        _ => serde_json::Map::new(),
    };
    Run {
        namespace: document.namespace.clone(),
        name: document.name.clone(),
        story: story.clone(),
        inputs: story.filled(inputs),
    }
}

fn no_story(texts: &[Text]) -> Problem {
    let file = texts
        .first()
        .map_or("(none)".into(), |text| text.name.clone());
    Problem {
        place: Place {
            file,
            line: 1,
            path: "(file)".to_owned(),
        },
        text: "there is no Story in what was given".to_owned(),
    }
}

/// Sorts by file as given, then line; the same place is told a thing once.
fn finish(mut report: Report, texts: &[Text], snapshot: Snapshot) -> Result<Loaded, Problems> {
    let order: HashMap<&str, usize> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| (text.name.as_ref(), i))
        .collect();
    let key = |place: &Place| (order.get(place.file.as_ref()).copied(), place.line);
    report.problems.sort_by_key(|problem| key(&problem.place));
    report.problems.dedup();
    report.warnings.sort_by_key(|warning| key(&warning.place));
    report.warnings.dedup();
    report.notes.sort_by_key(|note| key(&note.place));
    report.notes.dedup();
    if report.problems.is_empty() {
        Ok(Loaded {
            snapshot: Arc::new(snapshot),
            warnings: report.warnings,
            notes: report.notes,
        })
    } else {
        Err(Problems {
            list: report.problems,
            warnings: report.warnings,
        })
    }
}
