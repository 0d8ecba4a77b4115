//! A Story document: the fields of its `spec`, its transports with all their levels, its steps
//! as they are written.
//!
//! Owns: what can be said of a Story before its graph is known. Never does: read `needs`.

use std::cell::RefCell;
use std::sync::Arc;

use expr::Dialect;

use super::documents::Documents;
use super::fields::Fields;
use super::graph::Reading;
use super::read::{Report, View, did_you_mean};
use super::resource::Resource;
use super::settings::{Level, Levels, StreamingSettings};
use super::step::{Does, StepDocument};
use super::{Concurrency, ConcurrencyMode, ConcurrencyScope, LoadOptions, Located, Media, Place};
use super::{names, step};

/// Most steps of one Story.
const MAX_STEPS: usize = 1000;

/// Fields of a Story's `spec` that a hub has no use for (spec 2.1).
const IDLE: &[&str] = &[
    "description",
    "version",
    "output",
    "outputsSchema",
    "policy",
    "secrets",
    "streamingStrategy",
    "compensations",
    "finally",
    "defaults",
];

/// One of `spec.transports`.
pub(super) struct StoryTransport<'a> {
    pub(super) name: &'a str,
    pub(super) levels: Levels<'a>,
    pub(super) settings: Arc<StreamingSettings>,
    pub(super) media: Arc<Media>,
}

/// A Story as it is written.
pub(super) struct StoryDocument<'a> {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) view: View<'a>,
    pub(super) routed: bool,
    pub(super) concurrency: Concurrency,
    /// `spec.concurrency`, where it asks for more than the default.
    pub(super) concurrency_place: Option<Place>,
    pub(super) inputs_schema: Option<Located>,
    pub(super) transports: Vec<StoryTransport<'a>>,
    /// `spec.steps`
    pub(super) steps_view: View<'a>,
    pub(super) steps: Vec<StepDocument<'a>>,
    pub(super) reading: Reading,
    /// The language of its expressions.
    pub(super) dialect: Dialect,
}

impl<'a> StoryDocument<'a> {
    /// The transport of a step: the one that it names, else the Story's only one.
    pub(super) fn transport_of(&self, step: &StepDocument<'a>) -> Option<&StoryTransport<'a>> {
        match step.transport.as_ref().and_then(View::as_text) {
            Some(name) => self.transports.iter().find(|t| t.name == name),
            None => match self.transports.as_slice() {
                [only] => Some(only),
                _ => None,
            },
        }
    }
}

/// What Story documents are read with.
pub(super) struct Context<'c, 'a> {
    pub(super) documents: &'c Documents<'a>,
    pub(super) options: &'c LoadOptions,
    /// Takes what Transport documents have already been told.
    pub(super) told: &'a RefCell<Report>,
}

/// Reads a Story; what is wrong with it is reported. `None` if no graph can be made of it.
pub(super) fn read<'a>(
    resource: Resource<'a>,
    context: &Context<'_, 'a>,
) -> Option<StoryDocument<'a>> {
    let spec = &resource.spec;
    let mut routed = false;
    spec.set("pattern", &mut routed, |view| {
        view.word(&[("batch", false), ("streaming", true), ("realtime", true)])
    });
    let (concurrency, concurrency_place) = concurrency(spec);
    let inputs_schema = spec.get("inputsSchema").and_then(|view| {
        view.fields()?;
        Some(view.located())
    });
    let transports = transports(&resource, context);
    let steps_view = spec.get("steps");
    if steps_view.is_none() {
        spec.missing("steps");
    }
    let steps = steps_view.as_ref().and_then(|view| steps(view, routed));
    let reading = reading(&resource);
    let dialect = dialect(&resource);
    resource.spec.finish(IDLE);
    let document = StoryDocument {
        namespace: resource.namespace,
        name: resource.name,
        view: resource.view,
        routed,
        concurrency,
        concurrency_place,
        inputs_schema,
        transports: transports?,
        steps_view: steps_view?,
        steps: steps?,
        reading: reading?,
        dialect: dialect?,
    };
    let known = document
        .steps
        .iter()
        .filter(|step| check_transport(&document, step));
    (known.count() == document.steps.len()).then_some(document)
}

fn concurrency(spec: &Fields<'_>) -> (Concurrency, Option<Place>) {
    let mut concurrency = Concurrency::default();
    let Some(view) = spec.get("concurrency") else {
        return (concurrency, None);
    };
    if let Some(fields) = view.fields() {
        fields.set("mode", &mut concurrency.mode, |view| {
            view.word(&[
                ("parallel", ConcurrencyMode::Parallel),
                ("serial", ConcurrencyMode::Serial),
                ("cancelPrevious", ConcurrencyMode::CancelPrevious),
            ])
        });
        fields.set("scope", &mut concurrency.scope, |view| {
            view.word(&[
                ("storyrun", ConcurrencyScope::StoryRun),
                ("participant", ConcurrencyScope::Participant),
            ])
        });
        fields.finish(&[]);
    }
    let place = (concurrency.mode != ConcurrencyMode::Parallel).then(|| view.place());
    (concurrency, place)
}

/// How the annotation `hub/graph` wants `needs` to be read.
fn reading(resource: &Resource<'_>) -> Option<Reading> {
    match resource.annotation("hub/graph") {
        Some(view) => view.word(&[("every-earlier-step", Reading::EveryEarlierStep)]),
        None => Some(Reading::Declared),
    }
}

/// The dialect that the annotation `hub/expressions` names. Without it, a text that is no
/// template but CEL is taken as CEL (spec 4.4).
fn dialect(resource: &Resource<'_>) -> Option<Dialect> {
    match resource.annotation("hub/expressions") {
        Some(view) => view.word(&[("template", Dialect::Template), ("cel", Dialect::Cel)]),
        None => Some(Dialect::TemplateOrCel),
    }
}

/// `None` if a transport's name cannot be read, because steps may mean it.
fn transports<'a>(
    resource: &Resource<'a>,
    context: &Context<'_, 'a>,
) -> Option<Vec<StoryTransport<'a>>> {
    let Some(view) = resource.spec.get("transports") else {
        return Some(Vec::new());
    };
    let mut transports: Vec<StoryTransport<'a>> = Vec::new();
    let mut complete = true;
    for item in view.items()? {
        let Some(transport) = transport(&item, &resource.namespace, context) else {
            complete = false;
            continue;
        };
        if transports.iter().any(|known| known.name == transport.name) {
            let name = item.fields().and_then(|fields| fields.get("name"));
            name.unwrap_or(item)
                .problem(format!("duplicate transport {:?}", transport.name));
        }
        transports.push(transport);
    }
    complete.then_some(transports)
}

fn transport<'a>(
    item: &View<'a>,
    namespace: &str,
    context: &Context<'_, 'a>,
) -> Option<StoryTransport<'a>> {
    let fields = item.fields()?;
    let name = match fields.get("name") {
        Some(name) => names::label(&name, "name of a transport"),
        None => {
            fields.missing("name");
            None
        }
    };
    let reference = fields.get("transportRef").and_then(|view| view.text());
    let transport = reference.and_then(|name| context.documents.transport(namespace, name));
    let mut levels = Levels(transport.map(|t| t.levels()).unwrap_or_default());
    for level in &mut levels.0 {
        level.view.report = context.told;
    }
    for (field, raw) in [("settings", true), ("streaming", false)] {
        let view = fields.get(field);
        levels.0.extend(view.map(|view| Level {
            view,
            raw,
            shared: false,
        }));
    }
    let settings = Arc::new(levels.merge(context.options));
    fields.finish(&["description"]);
    Some(StoryTransport {
        name: name?,
        levels,
        settings,
        media: transport.map(|t| t.media.clone()).unwrap_or_default(),
    })
}

/// `None` if a step's name cannot be read, because others may mean it.
fn steps<'a>(view: &View<'a>, routed: bool) -> Option<Vec<StepDocument<'a>>> {
    let items = view.items()?;
    if items.is_empty() {
        view.problem("must have at least one step");
        return None;
    }
    if items.len() > MAX_STEPS {
        view.problem(format!("has {} steps; {MAX_STEPS} at most", items.len()));
        return None;
    }
    let count = items.len();
    let steps: Vec<_> = items
        .iter()
        .filter_map(|item| step::read(item, routed))
        .collect();
    (steps.len() == count).then_some(steps)
}

/// Whether the step's `transport` is text, so that the graph can be read.
fn check_transport<'a>(story: &StoryDocument<'a>, step: &StepDocument<'a>) -> bool {
    let known = || story.transports.iter().map(|transport| transport.name);
    match &step.transport {
        Some(view) => {
            let Some(name) = view.text() else {
                return false;
            };
            if story.transport_of(step).is_none() {
                let list: Vec<&str> = known().collect();
                view.problem(format!(
                    "{name:?} is no transport of this Story (spec.transports has {}){}",
                    if list.is_empty() {
                        "none".to_owned()
                    } else {
                        list.join(", ")
                    },
                    did_you_mean(name, known())
                ));
            }
        }
        None if story.transports.len() > 1 && matches!(step.does, Does::Engram { .. }) => {
            let list: Vec<&str> = known().collect();
            let mut view = step.view.clone();
            super::yaml::join(&mut view.path, "transport");
            view.problem(format!(
                "is missing: the Story has several transports, name one of {}",
                list.join(", ")
            ));
        }
        None => {}
    }
    true
}
