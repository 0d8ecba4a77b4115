//! A Story document to a [`Story`]: graph, kinds, settings.
//!
//! Owns: everything that needs more than one step, transport or document to be judged. Never
//! does: read files, or fields that `document` and `step` have read.

use std::sync::Arc;

use super::document::{Context, StoryDocument, StoryTransport};
use super::graph;
use super::read::{View, did_you_mean};
use super::settings::{FanInMode, Levels, RecordingMode, StreamingSettings};
use super::step::{Does, StepDocument};
use super::unsupported::{self, Wants};
use super::{EngramStep, PrimitiveKind, Step, StepKind, Story, Ways, programs, ways};
use crate::config::units;

/// Namespace and name of every Story document.
pub(super) type Known = [(String, String)];

/// Builds a Story; what is wrong with it is reported.
pub(super) fn assemble<'a>(
    document: &StoryDocument<'a>,
    context: &Context<'_, 'a>,
    stories: &Known,
) -> Story {
    let nodes = nodes(document);
    graph::report_duplicates(&nodes);
    let edges = graph::edges(&nodes, &document.steps_view, document.reading);
    check_rules(document, &nodes);
    let mut story = Story {
        namespace: document.namespace.clone(),
        name: document.name.clone(),
        steps: Vec::new(),
        edges,
        ways: Ways::default(),
        dialect: document.dialect,
        programs: Vec::new(),
        schemas: programs::Schemas::default(),
        routed: document.routed,
        concurrency: document.concurrency,
        inputs_schema: document.inputs_schema.clone(),
        place: document.view.place(),
        unsupported: Vec::new(),
    };
    let builtin = Arc::new(Levels::default().merge(context.options));
    let mut needs = vec![Vec::new(); document.steps.len()];
    for edge in &story.edges {
        if let Some(needs) = needs.get_mut(edge.to) {
            needs.push(edge.from);
        }
    }
    for (written, needs) in document.steps.iter().zip(needs) {
        let transport = document.transport_of(written);
        let settings = transport.map_or(&builtin, |transport| &transport.settings);
        let kind = kind(written, document, context, stories);
        story
            .steps
            .push(step(written, kind, (transport, settings), needs));
    }
    if document.routed {
        match ways::find(&story) {
            Ok(ways) => story.ways = ways,
            Err(text) => document.steps_view.problem(text),
        }
        story.programs = programs::compile(document, &story, context.options);
        story.schemas = programs::compile_schemas(document, &story);
        programs::check_steps(document, &story);
        check_joins(document, &story);
        warn_of_recordings(document, context);
        warn_of_bounds(document, &story);
        let wants = Wants {
            story: &story,
            document,
            options: context.options,
        };
        story.unsupported = unsupported::find(&wants);
    } else {
        let text = "the pattern is batch (or omitted): a hub does not route this Story";
        document.view.note(text);
    }
    story
}

fn nodes<'a>(document: &StoryDocument<'a>) -> Vec<graph::Node<'a>> {
    let node = |step: &StepDocument<'a>| graph::Node {
        id: step.id.clone(),
        name: step.name.clone(),
        needs: step.needs.clone(),
        transport: document.transport_of(step).map(|t| t.name.to_owned()),
        view: step.view.clone(),
    };
    document.steps.iter().map(node).collect()
}

fn step(
    written: &StepDocument<'_>,
    kind: StepKind,
    (transport, settings): (Option<&StoryTransport<'_>>, &Arc<StreamingSettings>),
    needs: Vec<usize>,
) -> Step {
    Step {
        id: written.id.clone(),
        name: written.name.clone(),
        kind,
        transport: transport.map(|transport| transport.name.to_owned()),
        settings: settings.clone(),
        media: transport.map(|t| t.media.clone()).unwrap_or_default(),
        condition: written.condition.clone(),
        with: written.with.as_ref().map(View::located),
        runtime: written.runtime.clone(),
        joins: written.needs.is_some() && needs.len() > 1,
        needs,
        timeout: written.timeout,
        retry: written.retry.clone(),
        secrets: written.secrets.clone(),
        allow_failure: written.allow_failure,
        place: written.view.place(),
    }
}

/// What the step is; checks what it refers to. Steps that were refused become bare engrams.
fn kind<'a>(
    step: &StepDocument<'a>,
    story: &StoryDocument<'a>,
    context: &Context<'_, 'a>,
    stories: &Known,
) -> StepKind {
    match &step.does {
        Does::Primitive(kind, _) => {
            match kind {
                PrimitiveKind::ExecuteStory => check_execute_story(step, story, stories),
                PrimitiveKind::Sleep => check_sleep(step),
                _ => {}
            }
            StepKind::Primitive(*kind)
        }
        Does::Engram {
            namespace,
            name,
            view,
        } => {
            let namespace = namespace.unwrap_or(&story.namespace);
            let engram = context.documents.engram(namespace, name);
            if let Some(place) = engram.and_then(|e| e.job.as_ref()).filter(|_| story.routed) {
                let text = "is in job mode, which needs a cluster; a hub with Stories in files \
                            serves engrams in deployment or statefulset mode";
                view.problem(format!("engram {name} {text}"));
                view.problem_at(place, format!("engram {name} {text}"));
            }
            let template = engram.and_then(|engram| engram.template.as_ref());
            let template = template.and_then(|name| context.documents.template(namespace, name));
            StepKind::Engram(Box::new(EngramStep {
                namespace: namespace.to_owned(),
                name: (*name).to_owned(),
                declared: engram.is_some(),
                with: engram.and_then(|engram| engram.with.clone()),
                input_schema: template.and_then(|template| template.input_schema.clone()),
                output_schema: template.and_then(|template| template.output_schema.clone()),
            }))
        }
        Does::Unknown => StepKind::Engram(Box::new(EngramStep {
            namespace: story.namespace.clone(),
            name: String::new(),
            declared: false,
            with: None,
            input_schema: None,
            output_schema: None,
        })),
    }
}

/// `with.storyRef` must name a Story of these files, unless a template makes the name.
fn check_execute_story(step: &StepDocument<'_>, story: &StoryDocument<'_>, stories: &Known) {
    let with = step.with.as_ref().and_then(View::fields);
    let Some(reference) = with.as_ref().and_then(|with| with.fields("storyRef")) else {
        let view = step.with.as_ref().unwrap_or(&step.view);
        view.problem("an executeStory step needs with.storyRef.name");
        return;
    };
    let Some((name, view)) = reference.required_text("name") else {
        return;
    };
    let namespace = reference.get("namespace").and_then(|view| view.text());
    let namespace = namespace.unwrap_or(&story.namespace);
    let known = |(of, called): &(String, String)| of == namespace && called == name;
    if !name.contains("{{") && !namespace.contains("{{") && !stories.iter().any(known) {
        view.problem(format!(
            "no Story {namespace}/{name} in these files, and a hub with Stories in files runs \
             no others{}",
            near_story((namespace, name), stories)
        ));
    }
}

/// The Story that was probably meant, for messages.
pub(super) fn near_story((namespace, name): (&str, &str), stories: &Known) -> String {
    let full: Vec<String> = stories
        .iter()
        .map(|(of, name)| format!("{of}/{name}"))
        .collect();
    did_you_mean(
        &format!("{namespace}/{name}"),
        full.iter().map(String::as_str),
    )
}

/// `with.duration` or `with.for`, unless a template makes it.
fn check_sleep(step: &StepDocument<'_>) {
    let with = step.with.as_ref().and_then(View::fields);
    let given = with
        .as_ref()
        .and_then(|with| with.get("duration").or_else(|| with.get("for")));
    let Some(view) = given else {
        let view = step.with.as_ref().unwrap_or(&step.view);
        view.problem("a sleep step needs with.duration, such as 250ms");
        return;
    };
    match view.text() {
        Some(text) if !text.contains("{{") => {
            if let Err(error) = units::parse_duration(text) {
                view.problem(error.to_string());
            }
        }
        _ => {}
    }
}

/// Targets of rules that the Story itself gives must be steps of it. A Transport's rules may
/// name steps of other Stories.
fn check_rules(document: &StoryDocument<'_>, nodes: &[graph::Node<'_>]) {
    for transport in &document.transports {
        for target in transport.levels.own_rule_targets() {
            let Some(text) = target.as_text() else {
                continue;
            };
            if !nodes
                .iter()
                .any(|node| node.id == text || node.name == text)
            {
                let ids = nodes.iter().map(|node| node.id.as_str());
                target.problem(format!(
                    "{text:?} is no step of this Story{}",
                    did_you_mean(text, ids)
                ));
            }
        }
    }
}

/// What a join keeps apart is bounded.
fn check_joins(document: &StoryDocument<'_>, story: &Story) {
    const MOST: usize = 64;
    for (written, step) in document.steps.iter().zip(&story.steps) {
        let joins = step.is_engram() && written.needs.is_some();
        if joins && step.needs.len() > MOST {
            let count = step.needs.len();
            let text = format!("needs {count} steps; a join has {MOST} branches at most");
            written.view.problem(text);
        }
    }
}

fn warn_of_recordings(document: &StoryDocument<'_>, context: &Context<'_, '_>) {
    for transport in &document.transports {
        let recorded = transport.settings.recording.mode != RecordingMode::Off;
        let view = transport.levels.view_of("recording.mode");
        if let (true, false, Some(view)) = (recorded, context.options.recording_dir, view) {
            // The Transport's own views report elsewhere; the warning is the Story's.
            document.view.warn_at(
                &view.place(),
                "the recording stays off: no [recording] dir is configured",
            );
        }
    }
}

/// Warns of a graph that its own settings cannot serve: a quorum that no join reaches, and more
/// downstream steps than packets go to.
fn warn_of_bounds(document: &StoryDocument<'_>, story: &Story) {
    for (i, (written, step)) in document.steps.iter().zip(&story.steps).enumerate() {
        let fan_in = &step.settings.fan_in;
        let quorum = fan_in.quorum.filter(|_| fan_in.mode == FanInMode::Quorum);
        let upstream = step.needs.len();
        if let Some(quorum) = quorum.filter(|quorum| upstream > 1 && *quorum as usize > upstream) {
            written.view.warn(format!(
                "needs {upstream} steps, so the quorum of {quorum} (fanIn.quorum) is never reached"
            ));
        }
        let ways = story.ways.edges.iter();
        let downstream = ways.filter(|way| way.from == i).count();
        let most = step.settings.routing.max_downstreams;
        if downstream as u64 > most {
            written.view.warn(format!(
                "feeds {downstream} steps, but its packets go to {most} (routing.maxDownstreams)"
            ));
        }
    }
}
