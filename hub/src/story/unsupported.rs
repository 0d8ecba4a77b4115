//! What Stories may ask for that the hub does not do yet: one line a feature in [`NOT_YET`], to
//! be deleted by whoever builds it.
//!
//! Owns: that table. Never does: judge whether a setting is right.

use std::fmt;

use super::document::{StoryDocument, StoryTransport};
use super::settings::{Lifecycle, RecordingMode, ReplayMode, StreamingSettings};
use super::step::{Does, StepDocument};
use super::{
    Concurrency, ConcurrencyMode, ConcurrencyScope, LoadOptions, Place, PrimitiveKind, Step, Story,
};

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
    ("sleep", Refuse, sleeps),
    ("executeStory", Refuse, nested_stories),
    ("turns one after the other", Refuse, serial),
    ("turns by participant", Refuse, by_participant),
    ("execution.timeout and execution.retry", Ignore, execution),
    ("tracing and metrics per transport", Ignore, observability),
    ("lifecycle.strategy", Ignore, lifecycle),
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
            step.is_some_and(|step| step.is_engram() && !step.needs.is_empty())
        })
    }

    /// Transports of steps that packets come from.
    fn sources(&self, setting: &str, wanted: impl Fn(&StreamingSettings) -> bool) -> Vec<Place> {
        self.transports(setting, wanted, |step| {
            let is_engram = self.story.steps.get(step).is_some_and(Step::is_engram);
            is_engram && self.story.downstream(step).next().is_some()
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

fn sleeps(wants: &Wants<'_, '_>) -> Vec<Place> {
    primitives(wants, PrimitiveKind::Sleep)
}

fn nested_stories(wants: &Wants<'_, '_>) -> Vec<Place> {
    primitives(wants, PrimitiveKind::ExecuteStory)
}

fn primitives(wants: &Wants<'_, '_>, wanted: PrimitiveKind) -> Vec<Place> {
    wants.steps(|step| match &step.does {
        Does::Primitive(kind, place) if *kind == wanted => Some(place.clone()),
        _ => None,
    })
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
    let mut places = wants.sources("observability.tracing", |_| true);
    places.extend(wants.sources("observability.metrics", |_| true));
    places
}

/// Without a folder a recording is off, which a warning says.
fn recording(wants: &Wants<'_, '_>) -> Vec<Place> {
    let asked = |s: &StreamingSettings| s.recording.mode != RecordingMode::Off;
    wants.sources("recording.mode", |s| {
        wants.options.recording_dir && asked(s)
    })
}
