//! Documents to resources: which kind a document is, and its name.
//!
//! Owns: `apiVersion`, `kind` and `metadata`, and what is said of other kinds. Never does: look
//! into a `spec`.

use super::fields::Fields;
use super::names;
use super::read::{View, did_you_mean};
use super::{Place, Problem};

/// Namespace of resources that name none.
pub(super) const DEFAULT_NAMESPACE: &str = "default";

/// The kinds that a hub reads (spec 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Story,
    Transport,
    Engram,
    EngramTemplate,
    StoryRun,
}

const KINDS: &[(&str, Kind, &str)] = &[
    ("Story", Kind::Story, "bubustack.io/v1alpha1"),
    ("Engram", Kind::Engram, "bubustack.io/v1alpha1"),
    (
        "Transport",
        Kind::Transport,
        "transport.bubustack.io/v1alpha1",
    ),
    (
        "EngramTemplate",
        Kind::EngramTemplate,
        "catalog.bubustack.io/v1alpha1",
    ),
    ("StoryRun", Kind::StoryRun, "runs.bubustack.io/v1alpha1"),
];

/// Kinds of the same groups that a hub has no use for.
const OTHER_KINDS: &[&str] = &[
    "Impulse",
    "ImpulseTemplate",
    "StepRun",
    "StoryTrigger",
    "EffectClaim",
    "TransportBinding",
    "ReferenceGrant",
];

/// A document whose kind and name are known.
pub(super) struct Resource<'a> {
    pub(super) kind: Kind,
    pub(super) namespace: String,
    pub(super) name: String,
    /// Of `metadata.name`.
    pub(super) name_place: Place,
    /// Of the document.
    pub(super) view: View<'a>,
    pub(super) annotations: Vec<(&'a str, View<'a>)>,
    pub(super) spec: Fields<'a>,
}

impl<'a> Resource<'a> {
    /// The value of an annotation.
    pub(super) fn annotation(&self, key: &str) -> Option<&View<'a>> {
        let found = self.annotations.iter().find(|(known, _)| *known == key);
        found.map(|(_, view)| view)
    }

    /// `namespace/name`
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// Reads a document's head; `None` if it is not for a hub, or reported as wrong.
pub(super) fn read<'a>(view: &View<'a>) -> Option<Resource<'a>> {
    let fields = view.fields()?;
    let kind = kind(&fields)?;
    let spec = match fields.get("spec") {
        Some(spec) => spec.fields(),
        None => {
            fields.missing("spec");
            None
        }
    };
    let Some(metadata) = fields.get("metadata") else {
        fields.missing("metadata");
        return None;
    };
    fields.finish(&["status"]);
    let metadata = metadata.fields()?;
    let named = metadata.required_text("name");
    let mut namespace = DEFAULT_NAMESPACE.to_owned();
    metadata.set("namespace", &mut namespace, |view| {
        names::label(view, "namespace").map(str::to_owned)
    });
    let annotations = metadata
        .fields("annotations")
        .map(|annotations| annotations.entries())
        .unwrap_or_default();
    let (name, name_view) = named?;
    if !names::is_subdomain(name) {
        name_view.problem(format!(
            "{name:?} is no name of a resource: {}",
            names::RULE
        ));
    }
    Some(Resource {
        kind,
        namespace,
        name: name.to_owned(),
        name_place: name_view.place(),
        view: view.clone(),
        annotations,
        spec: spec?,
    })
}

fn kind(fields: &Fields<'_>) -> Option<Kind> {
    let version = fields.required_text("apiVersion");
    let name = fields.required_text("kind");
    let ((version, version_view), (name, name_view)) = (version?, name?);
    let group = version.split('/').next().unwrap_or_default();
    let of_family = group == "bubustack.io" || group.ends_with(".bubustack.io");
    if let Some((_, kind, expected)) = KINDS.iter().find(|(known, ..)| *known == name) {
        if version == *expected {
            return Some(*kind);
        }
        version_view.problem(format!("a {name} is of {expected}, is {version:?}"));
    } else if !of_family || OTHER_KINDS.contains(&name) {
        name_view.warn(format!(
            "a hub has no use for a {name}; the document is ignored"
        ));
    } else {
        let known = KINDS.iter().map(|(known, ..)| *known);
        let near = did_you_mean(name, known.clone());
        let known: Vec<&str> = known.collect();
        name_view.problem(format!("{name:?} is not one of {}{near}", known.join(", ")));
    }
    None
}

/// Reports every resource whose kind, namespace and name stood before.
pub(super) fn report_duplicates(resources: &[Resource<'_>]) {
    let mut first = std::collections::HashMap::new();
    for resource in resources {
        let key = (resource.kind, &resource.namespace, &resource.name);
        if let Some(place) = first.get(&key) {
            let Place { file, line, .. } = place;
            resource.view.report.borrow_mut().problems.push(Problem {
                place: resource.name_place.clone(),
                text: format!(
                    "duplicate: {:?} {} stands already in {file}:{line}",
                    resource.kind,
                    resource.full_name()
                ),
            });
        } else {
            first.insert(key, resource.name_place.clone());
        }
    }
}
