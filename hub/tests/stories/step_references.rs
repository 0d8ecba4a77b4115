//! What steps refer to: engrams, templates, Stories, primitives.

use serde_json::json;

use crate::story::{A_TO_B, loads, problems, refused, story, streaming};
use hub::story::{ConcurrencyMode, PrimitiveKind, StepKind};

fn engram(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: bubustack.io/v1alpha1\nkind: Engram\nmetadata: {{ name: {name} }}\n\
         spec: {spec}\n"
    )
}

#[test]
fn an_engram_and_its_template_are_found_and_others_are_external() {
    let yaml = streaming(A_TO_B)
        + &engram(
            "a",
            "{ templateRef: { name: t }, mode: deployment, with: { m: 1 } }",
        )
        + "---\napiVersion: catalog.bubustack.io/v1alpha1\nkind: EngramTemplate\n\
           metadata: { name: t }\nspec: { inputSchema: { type: object }, image: x }\n";
    let story = story(&yaml);
    let engrams: Vec<_> = story
        .steps
        .iter()
        .map(|step| match &step.kind {
            StepKind::Engram(engram) => engram,
            StepKind::Primitive(_) => panic!("no engram"),
        })
        .collect();
    assert!(engrams[0].declared && !engrams[1].declared);
    assert_eq!(engrams[0].with.as_ref().unwrap().json(), json!({ "m": 1 }));
    assert_eq!(
        engrams[0].input_schema.as_ref().unwrap().json(),
        json!({ "type": "object" })
    );
    assert!(engrams[0].output_schema.is_none() && engrams[1].input_schema.is_none());
}

#[test]
fn an_engram_in_job_mode_is_refused_where_it_stands_and_where_it_is_used() {
    let yaml = streaming(A_TO_B) + &engram("b", "{ mode: job }");
    let problems = problems(&yaml);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("8: spec.steps[1].ref.name: engram b is in job mode"));
    assert!(problems[1].starts_with("13: spec.mode: engram b is in job mode"));
    loads(&(streaming(A_TO_B) + &engram("unused", "{ mode: job }")));
    loads(&yaml.replace("pattern: streaming", "pattern: batch"));
}

#[test]
fn execute_story_needs_a_story_that_is_there() {
    let with = |with: &str| {
        let step = format!("    - {{ name: c, type: executeStory, needs: [b], with: {with} }}\n");
        streaming(&format!("{A_TO_B}{step}"))
    };
    loads(&with("{ storyRef: { name: s }, waitForCompletion: true }"));
    loads(&with("{ storyRef: { name: '{{ inputs.story }}' } }"));
    let path = "9: spec.steps[2].with.storyRef.name";
    refused(
        &with("{ storyRef: { name: absent } }"),
        path,
        "default/absent",
    );
    refused(
        &with("{ storyRef: { name: s, namespace: x } }"),
        path,
        "x/s",
    );
    refused(&with("{ storyRef: {} }"), path, "is missing");
    refused(&with("{}"), "9: spec.steps[2].with", "storyRef");
}

#[test]
fn sleep_needs_a_duration() {
    let with = |with: &str| {
        streaming(&format!(
            "{A_TO_B}    - {{ name: c, type: sleep, needs: [b], {with} }}\n"
        ))
    };
    loads(&with("with: { duration: 250ms }"));
    loads(&with("with: { for: 1m }"));
    loads(&with("with: { duration: '{{ inputs.pause }}' }"));
    refused(
        &with("with: { duration: 3 sec }"),
        "9: spec.steps[2].with.duration",
        "3 sec",
    );
    refused(&with("with: {}"), "9: spec.steps[2].with", "duration");
    refused(&with("id: d"), "9: spec.steps[2]", "duration");
}

#[test]
fn every_primitive_is_known_and_types_of_batch_stories_are_for_those() {
    for (name, kind) in [
        ("condition", PrimitiveKind::Condition),
        ("parallel", PrimitiveKind::Parallel),
        ("stop", PrimitiveKind::Stop),
        ("transform", PrimitiveKind::Transform),
    ] {
        let story = story(&streaming(&format!(
            "  steps: [{{ name: p, type: {name}, with: {{ a: 1 }} }}]\n"
        )));
        assert!(matches!(story.steps[0].kind, StepKind::Primitive(k) if k == kind));
    }
    let gate = streaming("  steps: [{ name: p, type: gate }]\n");
    refused(&gate, "6: spec.steps[0].type", "batch Stories only");
    loads(&gate.replace("pattern: streaming", "pattern: batch"));
    let neither = streaming("  steps: [{ name: p }]\n");
    refused(&neither, "6: spec.steps[0]", "exactly one");
}

#[test]
fn literal_with_and_execution_are_kept() {
    let yaml = streaming(
        "  concurrency: { mode: cancelPrevious }\n  steps:\n    - name: a\n      \
         ref: { name: a }\n      with: { n: 3, list: [a, 1.5] }\n      \
         execution: { timeout: 5s, retry: { maxRetries: 2, delay: 1s } }\n",
    );
    let story = story(&yaml);
    assert_eq!(story.concurrency.mode, ConcurrencyMode::CancelPrevious);
    let step = &story.steps[0];
    assert_eq!(
        step.with.as_ref().unwrap().json(),
        json!({ "n": 3, "list": ["a", 1.5] })
    );
    assert_eq!(step.timeout, Some(std::time::Duration::from_secs(5)));
    assert_eq!(step.retry.as_ref().unwrap().max_retries, Some(2));
}
