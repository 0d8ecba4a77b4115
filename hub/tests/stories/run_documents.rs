//! Runs: those of documents, and those that Stories have by themselves.

use serde_json::json;

use crate::story::{A_TO_B, loads, problems, refused, streaming};

fn run(name: &str, rest: &str) -> String {
    format!(
        "---\napiVersion: runs.bubustack.io/v1alpha1\nkind: StoryRun\n\
         metadata: {{ name: {name} }}\nspec: {rest}\n"
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
fn defaults_of_inputs_are_found_where_those_of_packets_are() {
    let schema = "  inputsSchema:\n    $ref: '#/$defs/call'\n    $defs:\n      call: \
                  { properties: { lang: { default: en } } }\n";
    let yaml = streaming(&format!("{schema}{A_TO_B}"));
    let run = loads(&yaml).snapshot.runs[0].clone();
    assert_eq!(json!(run.inputs), json!({ "lang": "en" }));
    assert_eq!(
        json!(run.with_inputs(serde_json::Map::new()).inputs),
        json!({ "lang": "en" })
    );
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
