//! Kinds, names and fields of documents.

use crate::story::{A_TO_B, load, loads, problems, refused, story, streaming, warnings};

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
fn a_story_without_pattern_is_batch_and_not_routed() {
    let yaml = streaming(A_TO_B).replace("  pattern: streaming\n", "");
    let loaded = loads(&yaml);
    assert!(!loaded.snapshot.stories[0].routed);
    assert_eq!(loaded.warnings, []);
    assert!(loaded.notes[0].text.contains("does not route"));
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
