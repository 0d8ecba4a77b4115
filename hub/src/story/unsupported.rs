//! What Stories may ask for that the hub does not do yet: one line a feature in [`NOT_YET`], to
//! be deleted by whoever builds it.
//!
//! Owns: that table. Never does: judge whether a setting is right.

use std::fmt;

use super::document::{StoryDocument, StoryTransport};
use super::settings::{Lifecycle, PartitionMode, RecordingMode, ReplayMode, StreamingSettings};
use super::step::{Does, StepDocument};
use super::yaml::{Data, Node};
use super::{Concurrency, ConcurrencyMode, ConcurrencyScope, LoadOptions, Place, Story};

/// A setting that is read and checked, but whose behaviour is not built yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Where it is asked for.
    pub place: Place,
    /// What is not built yet.
    pub text: String,
}

impl fmt::Display for Unsupported {
    /// `FILE:LINE: PATH: text`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// A routed Story with everything that it was made from.
pub(super) struct Wants<'w, 'a> {
    pub(super) story: &'w Story,
    pub(super) document: &'w StoryDocument<'a>,
    pub(super) options: &'w LoadOptions,
}

/// What becomes of a Story that asks for a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// A hub must not run it: packets would go astray.
    Refuse,
    /// It runs without the feature.
    Ignore,
}
use Then::{Ignore, Refuse};

/// Where a Story asks for a feature.
type Finder = fn(&Wants<'_, '_>) -> Vec<Place>;

/// The features that are not built yet.
const NOT_YET: &[(&str, Then, Finder)] = &[
    ("replay that survives a crash", Refuse, durable),
    ("evaluating if", Refuse, conditions),
    ("evaluating runtime", Refuse, runtimes),
    ("evaluating templates in with", Refuse, templates),
    ("evaluating routing rules", Refuse, rules),
    ("a primitive in the graph", Refuse, primitives),
    ("joining by fanIn", Refuse, fan_in),
    (
        "joining by message id (packets are merged as they come)",
        Ignore,
        merge,
    ),
    ("partitioning", Refuse, partitioning),
    ("checking packets against schemas", Refuse, schemas),
    ("turns one after the other", Refuse, serial),
    ("turns by participant", Refuse, by_participant),
    (
        "checking inputs against inputsSchema",
        Ignore,
        inputs_schema,
    ),
    ("execution.timeout and execution.retry", Ignore, execution),
    ("lifecycle.strategy", Ignore, lifecycle),
    ("observability per transport", Ignore, observability),
    ("recording", Ignore, recording),
];

/// Finds what the Story asks for; notes all of it, and returns what a hub must refuse.
pub(super) fn find(wants: &Wants<'_, '_>) -> Vec<Unsupported> {
    let mut refused = Vec::new();
    for (what, then, finder) in NOT_YET {
        for place in finder(wants) {
            let consequence = match then {
                Refuse => "hub run refuses this Story until it is",
                Ignore => "the Story runs without it",
            };
            let view = &wants.document.view;
            view.note_at(&place, format!("{what} is not built yet; {consequence}"));
            if *then == Refuse {
                let text = format!("{what} is not built yet");
                refused.push(Unsupported { place, text });
            }
        }
    }
    refused.sort_by(|a, b| (a.place.line, &a.place.path).cmp(&(b.place.line, &b.place.path)));
    refused
}

impl<'a> Wants<'_, 'a> {
    fn steps(&self, find: impl Fn(&StepDocument<'a>) -> Option<Place>) -> Vec<Place> {
        self.document.steps.iter().filter_map(find).collect()
    }

    /// Transports of steps that packets go to: their settings rule the edge.
    fn targets(&self, setting: &str, wanted: impl Fn(&StreamingSettings) -> bool) -> Vec<Place> {
        self.transports(setting, wanted, |step| {
            let step = self.story.steps.get(step);
            step.is_some_and(|step| !step.needs.is_empty())
        })
    }

    /// Transports of steps that packets come from.
    fn sources(&self, setting: &str, wanted: impl Fn(&StreamingSettings) -> bool) -> Vec<Place> {
        self.transports(setting, wanted, |step| {
            self.story.downstream(step).next().is_some()
        })
    }

    fn transports(
        &self,
        setting: &str,
        wanted: impl Fn(&StreamingSettings) -> bool,
        used: impl Fn(usize) -> bool,
    ) -> Vec<Place> {
        let used_by_some = |transport: &&StoryTransport<'a>| {
            let mut steps = self.document.steps.iter().enumerate();
            steps.any(|(i, step)| {
                let own = self.document.transport_of(step);
                used(i) && own.is_some_and(|own| own.name == transport.name)
            })
        };
        let transports = self.document.transports.iter();
        transports
            .filter(used_by_some)
            .filter(|transport| wanted(&transport.settings))
            .filter_map(|transport| transport.levels.place_of(setting))
            .collect()
    }
}

fn durable(wants: &Wants<'_, '_>) -> Vec<Place> {
    wants.targets("delivery.replay.mode", |s| {
        s.delivery.replay.mode == ReplayMode::Durable
    })
}

/// A blank `if` is true (spec 4.1).
fn conditions(wants: &Wants<'_, '_>) -> Vec<Place> {
    wants.steps(|step| {
        let condition = step.condition.as_ref()?;
        let json = condition.json();
        let blank = json.as_str().is_some_and(|text| text.trim().is_empty());
        (!blank).then(|| condition.place.clone())
    })
}

fn runtimes(wants: &Wants<'_, '_>) -> Vec<Place> {
    wants.steps(|step| Some(step.runtime.as_ref()?.place.clone()))
}

/// A `with` without templates is constant, which is all that there is to evaluate.
fn templates(wants: &Wants<'_, '_>) -> Vec<Place> {
    wants.steps(|step| {
        let with = step.with.as_ref()?;
        let (line, path) = first_template(with.node, &with.path)?;
        Some(Place {
            line,
            path,
            ..with.place()
        })
    })
}

/// Line and path of the first string that holds a template.
fn first_template(node: &Node, path: &str) -> Option<(u32, String)> {
    match &node.data {
        Data::Scalar(scalar) => scalar
            .text
            .contains("{{")
            .then(|| (node.line, path.to_owned())),
        Data::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(i, item)| first_template(item, &format!("{path}[{i}]"))),
        Data::Map(entries) => entries.iter().find_map(|entry| {
            let path = format!("{path}.{}", entry.key);
            if entry.key == "$bubuTemplate" {
                return Some((entry.line, path));
            }
            first_template(&entry.value, &path)
        }),
    }
}

fn rules(wants: &Wants<'_, '_>) -> Vec<Place> {
    wants.sources("routing.rules", |s| !s.routing.rules.is_empty())
}

fn primitives(wants: &Wants<'_, '_>) -> Vec<Place> {
    wants.steps(|step| match &step.does {
        Does::Primitive(_, place) => Some(place.clone()),
        Does::Engram { .. } | Does::Unknown => None,
    })
}

fn partitioning(wants: &Wants<'_, '_>) -> Vec<Place> {
    let asked = |s: &StreamingSettings| s.partitioning.mode != PartitionMode::None;
    wants.targets("partitioning.mode", asked)
}

fn serial(wants: &Wants<'_, '_>) -> Vec<Place> {
    turns(wants, |c| c.mode == ConcurrencyMode::Serial)
}

fn by_participant(wants: &Wants<'_, '_>) -> Vec<Place> {
    turns(wants, |c| {
        c.mode == ConcurrencyMode::CancelPrevious && c.scope == ConcurrencyScope::Participant
    })
}

fn turns(wants: &Wants<'_, '_>, wanted: fn(&Concurrency) -> bool) -> Vec<Place> {
    let place = wants.document.concurrency_place.iter().cloned();
    place.filter(|_| wanted(&wants.story.concurrency)).collect()
}

fn inputs_schema(wants: &Wants<'_, '_>) -> Vec<Place> {
    let schema = wants.story.inputs_schema.iter();
    schema.map(|schema| schema.place.clone()).collect()
}

fn execution(wants: &Wants<'_, '_>) -> Vec<Place> {
    wants.steps(|step| step.execution.clone())
}

fn lifecycle(wants: &Wants<'_, '_>) -> Vec<Place> {
    let usual = Lifecycle::default();
    wants.targets("lifecycle", |s| {
        let asked = &s.lifecycle;
        asked.strategy != usual.strategy
    })
}

fn observability(wants: &Wants<'_, '_>) -> Vec<Place> {
    wants.sources("observability", |_| true)
}

/// Without a folder a recording is off, which a warning says.
fn recording(wants: &Wants<'_, '_>) -> Vec<Place> {
    let asked = |s: &StreamingSettings| s.recording.mode != RecordingMode::Off;
    wants.sources("recording.mode", |s| {
        wants.options.recording_dir && asked(s)
    })
}

/// Steps with several upstream ones whose transport gives `fanIn`.
fn fan_in(wants: &Wants<'_, '_>) -> Vec<Place> {
    let mut places: Vec<Place> = joining(wants)
        .filter_map(|step| wants.document.transport_of(step)?.levels.place_of("fanIn"))
        .collect();
    places.dedup();
    places
}

/// Steps with several upstream ones whose transport leaves joining to its default.
fn merge(wants: &Wants<'_, '_>) -> Vec<Place> {
    joining(wants)
        .filter(|step| {
            let transport = wants.document.transport_of(step);
            transport.is_none_or(|transport| transport.levels.place_of("fanIn").is_none())
        })
        .map(|step| step.view.place())
        .collect()
}

fn joining<'w, 'a>(wants: &'w Wants<'_, 'a>) -> impl Iterator<Item = &'w StepDocument<'a>> {
    let steps = wants.document.steps.iter().zip(&wants.story.steps);
    steps
        .filter(|(_, step)| step.needs.len() > 1)
        .map(|(written, _)| written)
}

fn schemas(wants: &Wants<'_, '_>) -> Vec<Place> {
    let mut places = Vec::new();
    for (i, step) in wants.story.steps.iter().enumerate() {
        let super::StepKind::Engram(engram) = &step.kind else {
            continue;
        };
        let fed = !step.needs.is_empty();
        let feeds = wants.story.downstream(i).next().is_some();
        let input = engram.input_schema.as_ref().filter(|_| fed);
        let output = engram.output_schema.as_ref().filter(|_| feeds);
        places.extend(input.into_iter().chain(output).map(|s| s.place.clone()));
    }
    places.dedup();
    places
}
