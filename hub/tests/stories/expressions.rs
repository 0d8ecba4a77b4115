//! Expressions of a Story: dialects, places of errors, steps that they name.

use expr::Surroundings;
use hub::story::RunInputs;

use crate::story::{A_TO_B, loads, problems, refused, story, streaming, warnings, with_settings};

/// `a -> b`, where `b` has this field; the steps stand in lines 8 and 9.
fn b_with(field: &str) -> String {
    streaming(A_TO_B).replace("needs: [a]", &format!("needs: [a], {field}"))
}

fn in_dialect(yaml: &str, dialect: &str) -> String {
    yaml.replace(
        "metadata: { name: s }",
        &format!("metadata: {{ name: s, annotations: {{ hub/expressions: {dialect} }} }}"),
    )
}

#[test]
fn every_expression_is_compiled_where_it_stands() {
    let story = story(&b_with(
        "if: '{{ packet.a }}', runtime: { t: '{{ packet.b }}' }, with: { n: '{{ inputs.n }}' }",
    ));
    let b = &story.programs[1];
    assert!(b.condition.is_some() && b.runtime.is_some());
    assert!(b.with.is_none(), "runtime goes before with");
    let story = crate::story::story(&b_with("with: { n: 1 }"));
    assert!(story.programs[1].with.is_some());
}

#[test]
fn an_error_names_step_story_column_and_expression_at_its_own_path_and_line() {
    let yaml = streaming(A_TO_B)
        + "      runtime:\n        list:\n          - plain\n          - \
           deep: 'x {{ uper packet.text }}'\n";
    let yaml = yaml.replace(
        "    - { name: b, ref: { name: b }, needs: [a] }\n",
        "    - name: b\n      ref: { name: b }\n      needs: [a]\n",
    );
    let problems = problems(&yaml);
    assert_eq!(
        problems,
        [
            "14: spec.steps[1].runtime.list[1].deep: function \"uper\" not defined; did you mean \
          upper? (column 6 of \"x {{ uper packet.text }}\", step b of Story default/s)"
        ]
    );
}

#[test]
fn everything_wrong_with_a_block_is_told_at_once() {
    let yaml = b_with("if: '{{ nope }}', runtime: { a: '{{ nope }}', b: '{{ .x }}' }");
    let paths: Vec<String> = problems(&yaml)
        .iter()
        .map(|problem| problem.split(": ").nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(
        paths,
        [
            "spec.steps[1].if",
            "spec.steps[1].runtime.a",
            "spec.steps[1].runtime.b"
        ]
    );
}

#[test]
fn a_rule_is_named_with_its_place() {
    let rules = "{ routing: { rules: [{ name: r, when: '{{ eq packet.x 1 ) }}' }] } }";
    let path = "spec.transports[0].streaming.routing.rules[0].when";
    refused(
        &with_settings(rules),
        &format!("8: {path}"),
        "rule r of Story",
    );
}

#[test]
fn a_condition_is_text_or_a_truth_value() {
    for (written, known) in [("true", None), ("'yes'", None), ("false", Some(false))] {
        let story = story(&b_with(&format!("if: {written}")));
        let condition = story.programs[1].condition.as_ref();
        assert_eq!(condition.and_then(|c| c.known()), known, "{written}");
        assert_eq!(condition.is_some(), known.is_some(), "{written}");
    }
    for written in ["0", "[a]", "{ a: b }"] {
        let yaml = b_with(&format!("if: {written}"));
        refused(&yaml, "8: spec.steps[1].if", "must be text");
    }
}

#[test]
fn a_condition_that_is_always_false_is_warned_of() {
    let loaded = loads(&b_with("if: 'no'"));
    let [warning] = &*warnings(&loaded) else {
        panic!("{:?}", loaded.warnings);
    };
    assert!(
        warning.starts_with("spec.steps[1].if: is always false"),
        "{warning}"
    );
}

#[test]
fn inputs_must_come_to_an_object() {
    for field in ["runtime: text", "runtime: [a]", "with: 3"] {
        let path = field.split(':').next().unwrap();
        let at = format!("8: spec.steps[1].{path}");
        refused(&b_with(field), &at, "must be a mapping");
    }
    loads(&b_with("runtime: '{{ packet.inputs }}'"));
}

#[test]
fn a_constant_runtime_is_made_once_for_a_run() {
    let story = story(&b_with("runtime: { a: 1, b: text }"));
    let b = &story.programs[1];
    assert!(b.runtime.is_none() && b.with.is_some());
    let inputs = story
        .run_inputs(&serde_json::Map::new(), &Surroundings::default())
        .unwrap();
    assert_eq!(
        inputs.with[1].as_ref().unwrap().json,
        r#"{"a":1,"b":"text"}"#
    );
}

#[test]
fn the_annotation_names_the_dialect() {
    let cel = r#"if: '{{ packet.metadata.lang == "en" }}'"#;
    let template = r#"if: '{{ eq packet.metadata.lang "en" }}'"#;
    assert_eq!(warnings(&loads(&in_dialect(&b_with(cel), "cel"))), [""; 0]);
    assert_eq!(
        warnings(&loads(&in_dialect(&b_with(template), "template"))),
        [""; 0]
    );
    assert_eq!(problems(&in_dialect(&b_with(template), "cel")).len(), 1);
    assert_eq!(problems(&in_dialect(&b_with(cel), "template")).len(), 1);
    refused(
        &in_dialect(&b_with(cel), "jinja"),
        "3: metadata.annotations.hub/expressions",
        "not one of template, cel",
    );
}

#[test]
fn what_is_no_template_but_cel_is_taken_as_cel_with_a_warning() {
    let field = r#"runtime: { a: '{{ packet.x == "y" }}' }"#;
    let loaded = loads(&b_with(field));
    let [warning] = &*warnings(&loaded) else {
        panic!("{:?}", loaded.warnings);
    };
    assert!(
        warning.starts_with("spec.steps[1].runtime.a: "),
        "{warning}"
    );
    assert!(warning.contains("hub/expressions: cel"), "{warning}");
}

#[test]
fn a_step_that_is_not_there_is_refused_with_a_near_one_and_its_column() {
    let yaml = b_with("if: 'x', runtime: { t: '{{ steps.aa.text }}' }");
    let yaml = yaml.replace("if: 'x', ", "");
    let [problem] = &*problems(&yaml) else {
        panic!("{:?}", problems(&yaml));
    };
    let start = "8: spec.steps[1].runtime.t: steps.aa: \"aa\" is no step of this Story";
    assert!(problem.starts_with(start), "{problem}");
    assert!(problem.contains("(column 10 of "), "{problem}");
}

#[test]
fn steps_go_by_their_id() {
    let yaml = b_with("if: '{{ steps.a.x }}'").replace("name: a, ref", "name: a, id: first, ref");
    let yaml = yaml.replace("needs: [a]", "needs: [first]");
    refused(&yaml, "8: spec.steps[1].if", "whose id is \"first\"");
}

#[test]
fn variables_of_ones_own_may_be_called_steps() {
    let field = "runtime: { t: { $bubuTemplate: '{{ steps.own }}', \
                 $bubuTemplateVars: { steps: { own: 1 } } } }";
    loads(&b_with(field));
    let other = field.replace("$bubuTemplateVars: { steps:", "$bubuTemplateVars: { other:");
    let at = "8: spec.steps[1].runtime.t.$bubuTemplate";
    refused(&b_with(&other), at, "is no step");
}

#[test]
fn a_step_that_no_packet_brings_along_is_warned_of() {
    let c = "    - { name: c, ref: { name: c }, needs: [b], runtime: { t: '{{ steps.a.x }}' } }\n";
    let loaded = loads(&(streaming(A_TO_B) + c));
    let [warning] = &*warnings(&loaded) else {
        panic!("{:?}", loaded.warnings);
    };
    let start = "spec.steps[2].runtime.t: steps.a is never there";
    assert!(warning.starts_with(start), "{warning}");
    assert!(warning.contains("only b is known"), "{warning}");
    for there in ["steps.b.x", "index steps (print \"a\") \"x\""] {
        let c = c.replace("steps.a.x", there);
        assert_eq!(
            warnings(&loads(&(streaming(A_TO_B) + &c))),
            [""; 0],
            "{there}"
        );
    }
}

#[test]
fn primitives_on_the_way_and_joined_branches_are_there() {
    let steps = "    - { name: p, type: condition, needs: [b], if: '{{ steps.b.ok }}' }\n    \
                 - { name: c, ref: { name: c }, needs: [p, a], \
                 runtime: { t: '{{ steps.p.x }}{{ steps.a.x }}{{ steps.b.x }}' } }\n";
    let loaded = loads(&(streaming(A_TO_B) + steps));
    assert_eq!(warnings(&loaded), [""; 0]);
    let own = steps.replace("steps.b.ok", "steps.p.ok");
    let loaded = loads(&(streaming(A_TO_B) + &own));
    assert_eq!(
        warnings(&loaded).len(),
        1,
        "a primitive is not behind itself"
    );
}

#[test]
fn with_is_evaluated_over_the_inputs_of_a_run_and_both_forms_agree() {
    let story = story(&b_with(
        "with: { who: '{{ inputs.name }}', n: '{{ inputs.n }}', k: { z: 1, a: [true, null] } }",
    ));
    let inputs = serde_json::json!({ "name": "Ana", "n": 2.5 });
    let inputs = story
        .run_inputs(inputs.as_object().unwrap(), &Surroundings::default())
        .unwrap();
    let with = inputs.with[1].as_ref().unwrap();
    assert_eq!(
        with.json,
        r#"{"k":{"a":[true,null],"z":1},"n":2.5,"who":"Ana"}"#
    );
    assert!(inputs.with[0].is_none());
    assert!(!inputs.body.is_empty() && !with.body.is_empty());
}

#[test]
fn a_date_in_with_is_that_of_the_start_of_the_run() {
    // A number in JSON is no number of seconds: it stands for the current time.
    let yaml = b_with("with: { year: '{{ date \"2006\" inputs.n }}y' }").replace(
        "  pattern",
        "  inputsSchema: { properties: { n: { default: 1.5 } } }\n  pattern",
    );
    let story = story(&yaml);
    let in_2023 = Surroundings {
        now_nanos: 1_700_000_000_000_000_000,
        ..Surroundings::default()
    };
    let inputs = story.run_inputs(&serde_json::Map::new(), &in_2023).unwrap();
    let json = |inputs: &RunInputs| inputs.with[1].as_ref().unwrap().json.clone();
    assert_eq!(json(&inputs), r#"{"year":"2023y"}"#);
    let now = loads(&yaml).snapshot.runs[0].evaluated_inputs().unwrap();
    assert_ne!(json(&now), r#"{"year":"1970y"}"#, "a run begins now");
}

#[test]
fn a_run_that_lacks_what_with_reads_is_warned_of_and_does_not_start() {
    let yaml = b_with("with: { ok: '{{ inputs.size }}', who: '{{ inputs.name }}' }").replace(
        "  pattern",
        "  inputsSchema: { properties: { size: { default: 1 }, nane: { default: 2 } } }\n  pattern",
    );
    let loaded = loads(&yaml);
    let [warning] = &*warnings(&loaded) else {
        panic!("{:?}", loaded.warnings);
    };
    assert_eq!(
        warning,
        "spec.steps[1].with.who: run default/s cannot start: step b: inputs.name: no such key; \
         did you mean nane?"
    );
    assert!(loaded.snapshot.runs[0].evaluated_inputs().is_err());
}

#[test]
fn a_story_that_is_not_routed_is_not_compiled() {
    let yaml = b_with("if: '{{ nope }}'").replace("pattern: streaming", "pattern: batch");
    assert_eq!(story(&yaml).programs.len(), 0);
}

#[test]
fn a_transport_has_a_bounded_number_of_rules() {
    let rules = |count: usize| {
        let rules = vec!["{ when: '{{ packet.x }}' }"; count].join(", ");
        with_settings(&format!("{{ routing: {{ rules: [{rules}] }} }}"))
    };
    loads(&rules(1000));
    let path = "spec.transports[0].streaming.routing.rules";
    refused(&rules(1001), &format!("8: {path}"), "1000 at most");
}

#[test]
fn rules_of_a_transport_are_for_other_stories_too() {
    let yaml = streaming(A_TO_B).replace(
        "  steps:",
        "  transports: [{ name: t, transportRef: shared }]\n  steps:",
    ) + "---\napiVersion: transport.bubustack.io/v1alpha1\nkind: Transport\n\
         metadata: { name: shared }\nspec:\n  streaming:\n    routing:\n      \
         rules: [{ when: '{{ steps.elsewhere.x }}', target: { steps: [elsewhere] } }]\n";
    let loaded = loads(&yaml);
    let [warning] = &*warnings(&loaded) else {
        panic!("{:?}", loaded.warnings);
    };
    assert!(
        warning.starts_with("spec.streaming.routing.rules[0].when: "),
        "{warning}"
    );
    assert!(warning.contains("is no step of this Story"), "{warning}");
}

#[test]
fn thousands_of_errors_in_one_block_are_told_soon() {
    let items = vec!["'{{ nope }}'"; 3000].join(", ");
    let problems = problems(&b_with(&format!("runtime: {{ list: [{items}] }}")));
    assert_eq!(problems.len(), 3000);
    assert!(problems[2999].starts_with("8: spec.steps[1].runtime.list[2999]: "));
}
