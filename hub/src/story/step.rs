//! One step of a Story, read from its mapping.
//!
//! Owns: the fields of `spec.steps[]` and what is wrong with them alone. Never does: know the
//! other steps; `needs` stay as written.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fields::Fields;
use super::read::{View, did_you_mean};
use super::{Backoff, Located, Place, PrimitiveKind, Retry, names};

/// A step as it is written.
pub(super) struct StepDocument<'a> {
    pub(super) view: View<'a>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) does: Does<'a>,
    pub(super) needs: Option<Vec<View<'a>>>,
    pub(super) transport: Option<View<'a>>,
    pub(super) condition: Option<Located>,
    pub(super) with: Option<View<'a>>,
    pub(super) runtime: Option<Located>,
    pub(super) timeout: Option<Duration>,
    pub(super) retry: Option<Retry>,
    /// Where `execution` gives a time-out or retries.
    pub(super) execution: Option<Place>,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) allow_failure: bool,
}

/// What a step does.
pub(super) enum Does<'a> {
    Engram {
        namespace: Option<&'a str>,
        name: &'a str,
        /// `ref.name`
        view: View<'a>,
    },
    Primitive(PrimitiveKind, Place),
    /// Reported as wrong.
    Unknown,
}

/// Types of steps that the hub runs itself.
const PRIMITIVES: &[(&str, PrimitiveKind)] = &[
    ("condition", PrimitiveKind::Condition),
    ("parallel", PrimitiveKind::Parallel),
    ("sleep", PrimitiveKind::Sleep),
    ("stop", PrimitiveKind::Stop),
    ("transform", PrimitiveKind::Transform),
    ("executeStory", PrimitiveKind::ExecuteStory),
];

/// Types that exist in batch Stories only.
const BATCH_TYPES: &[&str] = &[
    "wait",
    "gate",
    "loop",
    "switch",
    "filter",
    "setData",
    "mergeData",
    "throttle",
    "batch",
];

/// Reads a step; `routed` says whether its Story is. `None` if nothing can be made of it.
pub(super) fn read<'a>(view: &View<'a>, routed: bool) -> Option<StepDocument<'a>> {
    let fields = view.fields()?;
    let name = match fields.get("name") {
        Some(name) => names::label(&name, "name of a step"),
        None => {
            fields.missing("name");
            None
        }
    };
    let id = fields
        .get("id")
        .map_or(name, |id| names::label(&id, "id of a step"));
    let does = does(&fields, routed);
    let needs = fields.get("needs").and_then(|needs| needs.items());
    let (timeout, retry, execution) = execution(&fields);
    let mut step = StepDocument {
        view: view.clone(),
        id: id.unwrap_or_default().to_owned(),
        name: name.unwrap_or_default().to_owned(),
        does,
        needs,
        transport: fields.get("transport"),
        condition: fields.get("if").map(|view| view.located()),
        with: fields.get("with"),
        runtime: fields.get("runtime").map(|view| view.located()),
        timeout,
        retry,
        execution,
        secrets: secrets(&fields),
        allow_failure: false,
    };
    fields.set("allowFailure", &mut step.allow_failure, View::boolean);
    fields.get("requires");
    fields.finish(&[
        "description",
        "sideEffects",
        "idempotencyKeyTemplate",
        "compensation",
        "postExecution",
        "labels",
    ]);
    (name.is_some() && id.is_some()).then_some(step)
}

fn does<'a>(fields: &Fields<'a>, routed: bool) -> Does<'a> {
    let (reference, primitive) = (fields.get("ref"), fields.get("type"));
    match (reference, primitive) {
        (Some(_), Some(_)) => {
            let text = "must have exactly one of ref and type, has both";
            fields.view.problem(text);
            Does::Unknown
        }
        (None, None) => {
            let text = "must have exactly one of ref (an engram) and type (a primitive), has none";
            fields.view.problem(text);
            Does::Unknown
        }
        (Some(reference), None) => engram(&reference).unwrap_or(Does::Unknown),
        (None, Some(kind)) => match primitive_kind(&kind, routed) {
            Some(found) => Does::Primitive(found, kind.place()),
            None => Does::Unknown,
        },
    }
}

fn engram<'a>(reference: &View<'a>) -> Option<Does<'a>> {
    let reference = reference.fields()?;
    let named = reference.required_text("name");
    let namespace = reference
        .get("namespace")
        .and_then(|view| names::label(&view, "namespace"));
    reference.finish(&["version"]);
    let (name, view) = named?;
    Some(Does::Engram {
        namespace,
        name,
        view,
    })
}

fn primitive_kind(view: &View<'_>, routed: bool) -> Option<PrimitiveKind> {
    let text = view.text()?;
    if let Some((_, kind)) = PRIMITIVES.iter().find(|(name, _)| *name == text) {
        return Some(*kind);
    }
    let known = PRIMITIVES.iter().map(|(name, _)| *name);
    let list: Vec<&str> = known.clone().collect();
    let list = list.join(", ");
    if BATCH_TYPES.contains(&text) {
        if !routed {
            return Some(PrimitiveKind::Batch);
        }
        view.problem(format!(
            "a step of type {text} is for batch Stories only; here there are {list}"
        ));
    } else {
        let near = did_you_mean(text, known);
        view.problem(format!("{text:?} is not one of {list}{near}"));
    }
    None
}

fn execution(fields: &Fields<'_>) -> (Option<Duration>, Option<Retry>, Option<Place>) {
    let Some(view) = fields.get("execution") else {
        return (None, None, None);
    };
    let Some(execution) = view.fields() else {
        return (None, None, None);
    };
    let timeout = execution.get("timeout").and_then(|view| view.duration());
    let retry = execution.fields("retry").map(|retry| {
        let mut read = Retry::default();
        retry.set("maxRetries", &mut read.max_retries, |view| {
            let count = view.count(0..=1_000_000)?;
            u32::try_from(count).ok().map(Some)
        });
        retry.set("delay", &mut read.delay, |view| view.duration().map(Some));
        retry.set("backoff", &mut read.backoff, |view| {
            view.word(&[
                ("exponential", Backoff::Exponential),
                ("linear", Backoff::Linear),
                ("constant", Backoff::Constant),
            ])
        });
        retry.finish(&["maxDelay", "jitter"]);
        read
    });
    execution.finish(&[
        "debug",
        "security",
        "imagePullPolicy",
        "maxInlineSize",
        "serviceAccountName",
        "automountServiceAccountToken",
        "probes",
        "storage",
        "loop",
        "resources",
        "placement",
        "cache",
    ]);
    let used = timeout.is_some() || retry.is_some();
    (timeout, retry, used.then(|| view.place()))
}

fn secrets(fields: &Fields<'_>) -> BTreeMap<String, String> {
    let Some(secrets) = fields.fields("secrets") else {
        return BTreeMap::new();
    };
    let pair = |(key, view): (&str, View<'_>)| Some((key.to_owned(), view.text()?.to_owned()));
    secrets.entries().into_iter().filter_map(pair).collect()
}
