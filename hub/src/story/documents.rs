//! Everything but Stories: Transports, Engrams, EngramTemplates and StoryRuns, read and found
//! by name.

use std::sync::Arc;

use super::fields::Fields;
use super::read::View;
use super::resource::{DEFAULT_NAMESPACE, Kind, Resource};
use super::settings::{Level, Levels};
use super::{LoadOptions, Located, Media, Place, names};

/// `Transport`: settings that Stories build on.
pub(super) struct Transport<'a> {
    pub(super) namespace: String,
    pub(super) name: String,
    default_settings: Option<View<'a>>,
    streaming: Option<View<'a>>,
    /// What it lists of media.
    pub(super) media: Arc<Media>,
}

/// `Engram`
pub(super) struct Engram {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) template: Option<String>,
    /// Where the mode is `job`.
    pub(super) job: Option<Place>,
    pub(super) with: Option<Located>,
}

/// `EngramTemplate`
pub(super) struct Template {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) input_schema: Option<Located>,
    pub(super) output_schema: Option<Located>,
}

/// `StoryRun`
pub(super) struct RunDocument<'a> {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) name_place: Place,
    pub(super) story_namespace: String,
    pub(super) story_name: &'a str,
    /// `spec.storyRef.name`
    pub(super) story_view: View<'a>,
    pub(super) inputs: Option<Located>,
}

/// What Stories refer to.
#[derive(Default)]
pub(super) struct Documents<'a> {
    pub(super) transports: Vec<Transport<'a>>,
    pub(super) engrams: Vec<Engram>,
    pub(super) templates: Vec<Template>,
    pub(super) runs: Vec<RunDocument<'a>>,
}

impl<'a> Documents<'a> {
    /// Reads a resource that is no Story.
    pub(super) fn take(&mut self, resource: Resource<'a>, options: &LoadOptions) {
        match resource.kind {
            Kind::Transport => self.transports.push(transport(resource, options)),
            Kind::Engram => self.engrams.push(engram(resource)),
            Kind::EngramTemplate => self.templates.push(template(resource)),
            Kind::StoryRun => self.runs.extend(run(resource)),
            Kind::Story => {}
        }
    }

    /// The Transport of that name. Transports belong to no namespace; where several carry one
    /// name all the same, that of the Story's namespace is meant.
    pub(super) fn transport(&self, namespace: &str, name: &str) -> Option<&Transport<'a>> {
        of_cluster(
            &self.transports,
            namespace,
            |t| (&t.namespace, &t.name),
            name,
        )
    }

    pub(super) fn engram(&self, namespace: &str, name: &str) -> Option<&Engram> {
        self.engrams
            .iter()
            .find(|engram| engram.namespace == namespace && engram.name == name)
    }

    /// The template of that name, found like a Transport.
    pub(super) fn template(&self, namespace: &str, name: &str) -> Option<&Template> {
        of_cluster(
            &self.templates,
            namespace,
            |t| (&t.namespace, &t.name),
            name,
        )
    }
}

fn of_cluster<'d, T>(
    documents: &'d [T],
    namespace: &str,
    names: impl Fn(&T) -> (&str, &str),
    name: &str,
) -> Option<&'d T> {
    let named = || {
        documents
            .iter()
            .filter(|document| names(document).1 == name)
    };
    let within = |namespace: &str| named().find(|document| names(document).0 == namespace);
    within(namespace)
        .or_else(|| within(DEFAULT_NAMESPACE))
        .or_else(|| named().next())
}

impl<'a> Transport<'a> {
    /// Its levels, lowest first.
    pub(super) fn levels(&self) -> Vec<Level<'a>> {
        let level = |view: &Option<View<'a>>, raw| {
            let view = view.clone()?;
            Some(Level {
                view,
                raw,
                shared: true,
            })
        };
        [
            level(&self.default_settings, true),
            level(&self.streaming, false),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn transport<'a>(resource: Resource<'a>, options: &LoadOptions) -> Transport<'a> {
    let spec = resource.spec;
    let transport = Transport {
        namespace: resource.namespace,
        name: resource.name,
        default_settings: spec.get("defaultSettings"),
        streaming: spec.get("streaming"),
        media: Arc::new(Media::read(&spec)),
    };
    // Merged here once for its own problems; Stories that build on it do not repeat them.
    Levels(transport.levels()).merge(options);
    spec.finish(&[
        "provider",
        "driver",
        "description",
        "connectorImage",
        "configSchema",
        "environment",
    ]);
    transport
}

fn engram(resource: Resource<'_>) -> Engram {
    let spec = resource.spec;
    let template = spec
        .fields("templateRef")
        .and_then(|reference| name_of(reference, &["version"]));
    let mut job = None;
    if let Some(mode) = spec.get("mode") {
        let modes = [("job", true), ("deployment", false), ("statefulset", false)];
        if mode.word(&modes) == Some(true) {
            job = Some(mode.place());
        }
    }
    let with = spec.get("with").map(|view| view.located());
    spec.finish(&[
        "version",
        "description",
        "secrets",
        "executionPolicy",
        "overrides",
        "execution",
        "transport",
        "workload",
        "resources",
        "service",
        "serviceAccountName",
    ]);
    Engram {
        namespace: resource.namespace,
        name: resource.name,
        template,
        job,
        with,
    }
}

fn template(resource: Resource<'_>) -> Template {
    let spec = resource.spec;
    let schema = |name: &'static str| {
        let view = spec.get(name)?;
        view.fields()?;
        Some(view.located())
    };
    let (input_schema, output_schema) = (schema("inputSchema"), schema("outputSchema"));
    spec.finish(&[
        "version",
        "description",
        "image",
        "supportedModes",
        "configSchema",
        "secretSchema",
        "execution",
        "icon",
        "tags",
        "homepage",
        "maintainers",
        "links",
        "compatibility",
    ]);
    Template {
        namespace: resource.namespace,
        name: resource.name,
        input_schema,
        output_schema,
    }
}

fn run(resource: Resource<'_>) -> Option<RunDocument<'_>> {
    let spec = resource.spec;
    let reference = spec.fields("storyRef");
    if spec.get("storyRef").is_none() {
        spec.missing("storyRef");
    }
    let inputs = spec.get("inputs").and_then(|view| {
        view.fields()?;
        Some(view.located())
    });
    spec.finish(&[
        "impulseRef",
        "cancelRequested",
        "redriveFromStep",
        "description",
    ]);
    let reference = reference?;
    let mut story_namespace = resource.namespace.clone();
    reference.set("namespace", &mut story_namespace, |view| {
        names::label(view, "namespace").map(str::to_owned)
    });
    let named = reference.required_text("name");
    reference.finish(&["version"]);
    let (story_name, story_view) = named?;
    Some(RunDocument {
        namespace: resource.namespace,
        name: resource.name,
        name_place: resource.name_place,
        story_namespace,
        story_name,
        story_view,
        inputs,
    })
}

/// The name of a reference.
fn name_of(reference: Fields<'_>, idle: &[&'static str]) -> Option<String> {
    let named = reference.required_text("name");
    reference.finish(idle);
    named.map(|(name, _)| name.to_owned())
}
