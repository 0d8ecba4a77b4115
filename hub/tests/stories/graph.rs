//! `needs` and what becomes of them.

use crate::story::{loads, problems, refused, story, streaming, warnings};

/// A streaming Story with these steps, each `name` and further fields, all engrams.
fn with_steps(steps: &[&str]) -> String {
    let line = |step: &&str| format!("    - {{ ref: {{ name: x }}, {step} }}\n");
    let steps: String = steps.iter().map(line).collect();
    streaming(&format!("  steps:\n{steps}"))
}

fn edges(yaml: &str) -> Vec<String> {
    let story = story(yaml);
    let id = |i: usize| story.steps[i].id.clone();
    let edges = story.edges.iter();
    edges
        .map(|edge| format!("{}->{}", id(edge.from), id(edge.to)))
        .collect()
}

#[test]
fn needs_name_steps_by_id_or_by_name() {
    let yaml = with_steps(&[
        "name: a, id: first, needs: []",
        "name: b, needs: [a, first]",
    ]);
    assert_eq!(edges(&yaml), ["first->b"]);
}

#[test]
fn an_id_is_meant_before_another_steps_name() {
    let yaml = with_steps(&[
        "name: x, id: y, needs: []",
        "name: y, id: z",
        "name: c, needs: [y]",
    ]);
    assert_eq!(edges(&yaml), ["y->c"]);
}

#[test]
fn where_some_step_has_needs_a_step_without_is_a_source() {
    let yaml = with_steps(&["name: a", "name: b", "name: c, needs: [a]"]);
    assert_eq!(edges(&yaml), ["a->c"]);
    assert_eq!(warnings(&loads(&yaml)), [""; 0]);
}

#[test]
fn an_empty_list_counts_as_having_needs_and_null_does_not() {
    let yaml = with_steps(&["name: a", "name: b, needs: []", "name: c"]);
    assert_eq!(edges(&yaml), [""; 0]);
    let yaml = with_steps(&["name: a, needs: null", "name: b, needs: ~"]);
    assert_eq!(edges(&yaml), ["a->b"]);
}

#[test]
fn a_chain_is_warned_of_once_with_its_edges() {
    let loaded = loads(&with_steps(&["name: a", "name: b", "name: c"]));
    let warnings = warnings(&loaded);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("a -> b, b -> c"), "{warnings:?}");
}

#[test]
fn a_single_step_needs_no_warning() {
    assert_eq!(warnings(&loads(&with_steps(&["name: a"]))), [""; 0]);
}

#[test]
fn primitives_are_nodes() {
    let yaml = streaming(
        "  steps:\n    - { name: a, ref: { name: a }, needs: [] }\n    \
         - { name: p, type: parallel, needs: [a] }\n    \
         - { name: b, ref: { name: b }, needs: [p] }\n",
    );
    assert_eq!(edges(&yaml), ["a->p", "p->b"]);
}

#[test]
fn every_earlier_step_stays_on_its_transport() {
    let yaml = streaming(
        "  transports: [{ name: t }, { name: u }]\n  steps:\n    \
         - { name: a, ref: { name: x }, transport: t }\n    \
         - { name: b, ref: { name: x }, transport: u }\n    \
         - { name: c, ref: { name: x }, transport: t }\n    \
         - { name: d, ref: { name: x }, transport: u, needs: [a] }\n    \
         - { name: e, ref: { name: x }, transport: u, needs: [] }\n",
    );
    let yaml = yaml.replace(
        "name: s }",
        "name: s, annotations: { hub/graph: every-earlier-step } }",
    );
    assert_eq!(edges(&yaml), ["a->c", "a->d"]);
    assert_eq!(warnings(&loads(&yaml)), [""; 0]);
}

#[test]
fn another_reading_of_the_graph_is_refused() {
    let yaml = with_steps(&["name: a"]);
    let yaml = yaml.replace(
        "name: s }",
        "name: s, annotations: { hub/graph: backwards } }",
    );
    refused(
        &yaml,
        "3: metadata.annotations.hub/graph",
        "every-earlier-step",
    );
}

#[test]
fn a_step_that_needs_itself_is_a_cycle() {
    refused(
        &with_steps(&["name: a, needs: [a]"]),
        "7: spec.steps",
        "cycle: a -> a;",
    );
}

#[test]
fn a_cycle_is_told_with_its_steps_only() {
    let steps = [
        "name: before, needs: []",
        "name: a, needs: [before, c]",
        "name: b, needs: [a]",
        "name: c, needs: [b]",
        "name: behind, needs: [c]",
    ];
    refused(
        &with_steps(&steps),
        "8: spec.steps",
        "cycle: a -> b -> c -> a;",
    );
}

#[test]
fn every_unknown_need_is_told_and_a_near_name_is_offered_only_if_near() {
    let steps = [
        "name: camera, needs: []",
        "name: b, needs: [camra, qqq]",
        "name: c, needs: [zzz]",
    ];
    let problems = problems(&with_steps(&steps));
    assert_eq!(
        problems,
        [
            "8: spec.steps[1].needs[0]: \"camra\" is no step of this Story; did you mean camera?",
            "8: spec.steps[1].needs[1]: \"qqq\" is no step of this Story",
            "9: spec.steps[2].needs[0]: \"zzz\" is no step of this Story",
        ]
    );
}

#[test]
fn ids_and_names_stand_for_one_step_each() {
    refused(
        &with_steps(&["name: a, needs: []", "name: a"]),
        "8: spec.steps[1].name",
        "duplicate",
    );
    let yaml = with_steps(&["name: a, needs: []", "name: b, id: c", "name: c"]);
    refused(&yaml, "9: spec.steps[2].name", "line 8");
    let yaml = with_steps(&["name: a, id: x, needs: []", "name: a, id: y"]);
    refused(&yaml, "8: spec.steps[1].name", "duplicate name");
}

#[test]
fn a_broken_step_does_not_make_others_look_unknown() {
    let yaml = streaming(
        "  steps:\n    - { ref: { name: x } }\n    - { name: b, ref: { name: x }, needs: [a] }\n",
    );
    refused(&yaml, "7: spec.steps[0].name", "is missing");
}

#[test]
fn a_thousand_steps_are_enough() {
    let steps: Vec<String> = (0..1001)
        .map(|i| format!("name: s{i}, needs: []"))
        .collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    assert_eq!(story(&with_steps(&steps[..1000])).steps.len(), 1000);
    refused(&with_steps(&steps), "7: spec.steps", "1001");
}

#[test]
fn a_step_knows_its_upstream_ones_and_a_story_its_downstream_ones() {
    let story = story(&with_steps(&[
        "name: a, needs: []",
        "name: b, needs: [a]",
        "name: c, needs: [b, a]",
    ]));
    assert_eq!(story.steps[2].needs, [0, 1]);
    assert_eq!(story.downstream(0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(story.step("c"), Some(2));
    assert_eq!(story.step("nobody"), None);
}
