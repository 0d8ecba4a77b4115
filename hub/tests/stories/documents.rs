//! Kinds, names and references of documents.

use serde_json::json;

use crate::story::{A_TO_B, load, loads, problems, refused, story, streaming, warnings};
use hub::story::{ConcurrencyMode, PrimitiveKind, StepKind};

fn run(name: &str, rest: &str) -> String {
    format!(
        "---\napiVersion: runs.bubustack.io/v1alpha1\nkind: StoryRun\n\
         metadata: {{ name: {name} }}\nspec: {rest}\n"
    )
}

fn engram(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: bubustack.io/v1alpha1\nkind: Engram\nmetadata: {{ name: {name} }}\n\
         spec: {spec}\n"
    )
}

/// Namespace, name and Story of every run.
fn runs(yaml: &str) -> Vec<String> {
    let loaded = loads(yaml);
    let runs = loaded.snapshot.runs.iter();
    runs.map(|r| {
        format!(
            "{}/{} of {}/{}",
            r.namespace, r.name, r.story.namespace, r.story.name
        )
    })
    .collect()
}

#[test]
fn a_story_without_a_run_gets_one_named_after_it_in_its_namespace() {
    assert_eq!(runs(&streaming(A_TO_B)), ["default/s of default/s"]);
    let other = streaming(A_TO_B).replace("name: s }", "name: s, namespace: calls }");
    assert_eq!(runs(&other), ["calls/s of calls/s"]);
}

#[test]
fn a_story_with_a_run_gets_no_other() {
    let two = run("r1", "{ storyRef: { name: s } }") + &run("r2", "{ storyRef: { name: s } }");
    assert_eq!(
        runs(&(streaming(A_TO_B) + &two)),
        ["default/r1 of default/s", "default/r2 of default/s"]
    );
}

#[test]
fn a_run_finds_its_story_in_its_own_namespace_unless_it_names_another() {
    let away =
        run("r", "{ storyRef: { name: s } }").replace("name: r }", "name: r, namespace: x }");
    let problems = problems(&(streaming(A_TO_B) + &away));
    assert!(
        problems[0].starts_with("13: spec.storyRef.name: no Story x/s"),
        "{problems:?}"
    );
    let away = away.replace("name: s }", "name: s, namespace: default }");
    assert_eq!(runs(&(streaming(A_TO_B) + &away)), ["x/r of default/s"]);
}

#[test]
fn a_run_may_not_take_the_name_of_another_storys_implicit_run() {
    let other = streaming(A_TO_B).replace("name: s }", "name: t }");
    let yaml = streaming(A_TO_B) + "---\n" + &other + &run("s", "{ storyRef: { name: t } }");
    refused(&yaml, "21: metadata.name", "duplicate run default/s");
}

#[test]
fn inputs_are_the_schemas_defaults_under_those_of_the_run() {
    let schema = "  inputsSchema:\n    properties:\n      lang: { default: en }\n      \
                  voice: { default: { rate: 1 } }\n      who: { type: string }\n";
    let yaml = streaming(&format!("{schema}{A_TO_B}"));
    let inputs = |yaml: &str| loads(yaml).snapshot.runs[0].inputs.clone();
    assert_eq!(
        json!(inputs(&yaml)),
        json!({ "lang": "en", "voice": { "rate": 1 } })
    );
    let with = yaml + &run("r", "{ storyRef: { name: s }, inputs: { lang: de, n: 3 } }");
    let expected = json!({ "lang": "de", "voice": { "rate": 1 }, "n": 3 });
    assert_eq!(json!(inputs(&with)), expected);
}

#[test]
fn a_run_is_refused_without_a_story_and_with_inputs_that_are_no_mapping() {
    let base = streaming(A_TO_B);
    for (spec, start) in [
        ("{}", "13: spec.storyRef"),
        ("{ storyRef: {} }", "13: spec.storyRef.name"),
        ("{ storyRef: s }", "13: spec.storyRef"),
        ("{ storyRef: { name: s }, inputs: [1] }", "13: spec.inputs"),
        ("{ storyRef: { name: t } }", "13: spec.storyRef.name"),
    ] {
        refused(&(base.clone() + &run("r", spec)), start, "");
    }
}

#[test]
fn the_same_kind_namespace_and_name_twice_is_refused() {
    let twice = streaming(A_TO_B) + "---\n" + &streaming(A_TO_B);
    refused(
        &twice,
        "12: metadata.name",
        "Story default/s stands already in f.yaml:3",
    );
    let spec = "{ storyRef: { name: s } }";
    let twice = streaming(A_TO_B) + &run("r", spec) + &run("r", spec);
    refused(&twice, "17: metadata.name", "StoryRun default/r");
    let elsewhere = streaming(A_TO_B).replace("name: s }", "name: s, namespace: b }");
    loads(&(streaming(A_TO_B) + "---\n" + &elsewhere + &engram("s", "{}")));
}

#[test]
fn the_kind_decides_the_version() {
    let yaml = streaming(A_TO_B).replace("bubustack.io/v1alpha1", "bubustack.io/v2");
    refused(
        &yaml,
        "1: apiVersion",
        "a Story is of bubustack.io/v1alpha1",
    );
    let yaml = streaming(A_TO_B).replace("kind: Story", "kind: Storry");
    refused(&yaml, "2: kind", "did you mean Story?");
    for (cut, path) in [
        ("apiVersion: bubustack.io/v1alpha1\n", "apiVersion"),
        ("kind: Story\n", "kind"),
        ("metadata: { name: s }\n", "metadata"),
    ] {
        let yaml = streaming(A_TO_B).replace(cut, "");
        assert!(
            problems(&yaml)[0].contains(&format!(": {path}: is missing")),
            "{path}"
        );
    }
}

#[test]
fn documents_of_others_are_ignored_with_a_warning() {
    for (version, kind) in [
        ("v1", "Secret"),
        ("apps/v1", "Deployment"),
        ("bubustack.io/v1alpha1", "Impulse"),
        ("runs.bubustack.io/v1alpha1", "StepRun"),
    ] {
        let other = format!("---\napiVersion: {version}\nkind: {kind}\ndata: {{ a: b }}\n");
        let warnings = warnings(&loads(&(streaming(A_TO_B) + &other)));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with("kind: ") && warnings[0].contains(kind));
    }
}

#[test]
fn a_document_that_is_no_resource_is_refused() {
    refused("just text\n", "1: (file)", "must be a mapping");
    refused("- a\n- b\n", "1: (file)", "must be a mapping, is a list");
    for text in ["", "# nothing\n", "---\n---\n", "null\n"] {
        refused(text, "1: (file)", "no Story");
    }
    refused(
        engram("e", "{}").trim_start_matches("---\n"),
        "1: (file)",
        "no Story",
    );
}

#[test]
fn names_follow_the_rules_of_resources() {
    let named = |name: &str| streaming(A_TO_B).replace("name: s }", &format!("name: {name} }}"));
    for good in ["a", "a.b-c.0", "'9'"] {
        loads(&named(good));
    }
    for bad in [
        "A", "a_b", "-a", "a..b", "''", "9", "null", "größe", "[a]", "'a b'",
    ] {
        let yaml = named(bad);
        assert!(
            problems(&yaml)[0].starts_with("3: metadata.name: "),
            "{bad}"
        );
    }
    let yaml = streaming(A_TO_B).replace("name: s }", "name: s, namespace: A }");
    refused(&yaml, "3: metadata.namespace", "\"A\"");
}

#[test]
fn names_of_steps_are_labels_of_at_most_63() {
    let named = |name: &str| {
        let step = format!("  steps:\n    - {{ name: {name}, ref: {{ name: a }}, needs: [] }}\n");
        streaming(&step)
    };
    loads(&named(&"a".repeat(63)));
    for bad in ["a.b", "größe", "a_b", "'a\\b'", "日本", &"a".repeat(64)] {
        refused(&named(bad), "7: spec.steps[0].name", "lower-case letters");
    }
}

#[test]
fn fields_that_a_hub_has_no_use_for_are_accepted_silently() {
    let yaml = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata:
  { name: s, labels: { a: b }, uid: x, generation: 3, annotations: { a: b } }
status: { stepsTotal: 1 }
spec:
  pattern: realtime
  description: text
  output: { a: 1 }
  outputsSchema: { type: object }
  policy: { timeouts: { step: 30s }, anything: [1] }
  transports: [{ name: t, transportRef: g, description: text }]
  steps:
    - name: a
      ref: { name: e, version: v1 }
      needs: []
      description: text
      requires: [x.y]
      allowFailure: true
      secrets: { key: name }
      execution: { debug: true, probes: {}, retry: { jitter: 10 } }
";
    assert_eq!(warnings(&loads(yaml)), [""; 0]);
    let story = story(yaml);
    assert!(story.routed && story.steps[0].allow_failure);
    assert_eq!(story.steps[0].secrets["key"], "name");
}

#[test]
fn unknown_fields_warn_with_their_path_and_line() {
    let yaml = streaming(
        "  colour: blue\n  transports: [{ name: t, ref: g }]\n  steps:\n    \
         - { name: a, ref: { name: a, tag: x }, need: [], needs: [] }\n",
    );
    let loaded = loads(&(yaml + "extra: 1\n"));
    let shown: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "f.yaml:6: spec.colour: unknown field, ignored",
            "f.yaml:7: spec.transports[0].ref: unknown field, ignored",
            "f.yaml:9: spec.steps[0].ref.tag: unknown field, ignored",
            "f.yaml:9: spec.steps[0].need: unknown field, ignored; did you mean needs?",
            "f.yaml:10: extra: unknown field, ignored",
        ]
    );
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
fn a_story_without_pattern_is_batch_and_not_routed() {
    let yaml = streaming(A_TO_B).replace("  pattern: streaming\n", "");
    let loaded = loads(&yaml);
    assert!(!loaded.snapshot.stories[0].routed);
    assert_eq!(loaded.warnings, []);
    assert!(loaded.notes[0].text.contains("does not route"));
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

#[test]
fn a_duplicate_key_does_not_hide_other_problems() {
    let yaml = streaming("  steps:\n    - name: a\n      ref: { name: a }\n      name: B\n");
    let yaml = yaml.replace("kind: Story", "kind: Story\nkind: Story");
    assert_eq!(
        problems(&yaml),
        [
            "3: kind: the key \"kind\" stands here twice",
            "10: spec.steps[0].name: the key \"name\" stands here twice",
        ]
    );
}

#[test]
fn a_file_that_stops_being_yaml_tells_that_and_what_stood_before() {
    let bad = streaming(A_TO_B).replace("pattern: streaming", "pattern: x");
    let problems = problems(&format!("{bad}---\n]\n"));
    assert!(problems[0].starts_with("5: spec.pattern: "), "{problems:?}");
    assert!(
        problems[1].starts_with("10: (file): line 10, "),
        "{problems:?}"
    );
    // What is missing may stand in what could not be read.
    let yaml = run("r", "{ storyRef: { name: later } }") + "---\n]\n";
    assert_eq!(load(&yaml).unwrap_err().list.len(), 1);
}
