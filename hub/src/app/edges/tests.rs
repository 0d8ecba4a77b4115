//! What stands on the edges of a plan, and what is left out because it is decided already.

use engine::route::{EdgePlan, EdgePrograms, InputsPlan, PrimitivePlan};
use expr::Surroundings;

use super::{edges, emits};
use crate::story::{LoadOptions, Story, load_str};

/// A Story of steps in flow style, on one transport with these routing rules.
fn story(rules: &str, steps: &[&str]) -> std::sync::Arc<Story> {
    let mut yaml = format!(
        "apiVersion: bubustack.io/v1alpha1\nkind: Story\nmetadata: {{ name: s }}\nspec:\n  \
         pattern: streaming\n  transports:\n    - name: t\n      \
         streaming: {{ routing: {{ rules: [{rules}] }} }}\n  steps:\n"
    );
    for step in steps {
        yaml += &format!("    - {{ {step} }}\n");
    }
    let loaded = load_str("f.yaml", &yaml, &LoadOptions::default());
    loaded
        .unwrap_or_else(|problems| panic!("{problems}"))
        .snapshot
        .stories[0]
        .clone()
}

fn planned(story: &Story) -> Vec<EdgePlan> {
    let inputs = serde_json::json!({ "name": "Ana" });
    let inputs = story
        .run_inputs(inputs.as_object().unwrap(), &Surroundings::default())
        .unwrap();
    edges(story, &inputs)
}

fn programs(edge: &EdgePlan) -> &EdgePrograms {
    edge.programs.as_deref().expect("programs")
}

fn is_never(edge: &EdgePlan) -> bool {
    let condition = edge.programs.as_ref().and_then(|p| p.condition.as_ref());
    condition.and_then(|condition| condition.known()) == Some(false)
}

const A: &str = "name: a, ref: { name: a }, needs: []";
const B: &str = "name: b, ref: { name: b }, needs: [a]";

#[test]
fn an_edge_that_asks_for_nothing_has_no_programs() {
    let story = story(
        "",
        &[A, B, "name: c, ref: { name: c }, needs: [a], if: 'true'"],
    );
    let edges = planned(&story);
    assert_eq!(edges.len(), 2);
    assert!(edges.iter().all(|edge| edge.programs.is_none()));
}

#[test]
fn with_stands_ready_made_and_runtime_as_a_program() {
    let c = "name: c, ref: { name: c }, needs: [a], with: { who: '{{ inputs.name }}' }";
    let d = "name: d, ref: { name: d }, needs: [a], runtime: { t: '{{ packet.t }}' }";
    let story = story("", &[A, c, d]);
    let edges = planned(&story);
    let InputsPlan::Once(inputs) = &programs(&edges[0]).inputs else {
        panic!("{:?}", edges[0]);
    };
    assert_eq!(inputs.json, r#"{"who":"Ana"}"#);
    assert!(matches!(
        programs(&edges[1]).inputs,
        InputsPlan::PerPacket(_)
    ));
}

#[test]
fn programs_are_shared_by_all_runs() {
    let story = story("", &[A, &B.replace("b }", "b }, if: '{{ packet.x }}'")]);
    let (one, two) = (planned(&story), planned(&story));
    let condition = |edges: &[EdgePlan]| programs(&edges[0]).condition.clone().unwrap();
    assert!(std::sync::Arc::ptr_eq(&condition(&one), &condition(&two)));
}

#[test]
fn a_primitive_that_does_nothing_stands_on_the_edge_only_if_it_is_read() {
    let p = "name: p, type: parallel, needs: [a]";
    let plain = story("", &[A, p, &B.replace("[a]", "[p]")]);
    assert!(planned(&plain)[0].programs.is_none());
    let reads = story(
        "",
        &[
            A,
            p,
            &B.replace("[a]", "[p], runtime: { t: '{{ steps.p.t }}' }"),
        ],
    );
    assert_eq!(&*programs(&planned(&reads)[0]).via[0].id, "p");
}

#[test]
fn primitives_stand_in_the_order_of_the_way() {
    let c = "name: c, type: condition, needs: [a], if: '{{ packet.ok }}'";
    let t = "name: t, type: transform, needs: [c], with: { expr: '{{ packet.x }}' }";
    let story = story("", &[A, c, t, &B.replace("[a]", "[t]")]);
    let edges = planned(&story);
    let via = &programs(&edges[0]).via;
    assert_eq!(via.iter().map(|p| &*p.id).collect::<Vec<_>>(), ["c", "t"]);
    assert!(via[0].condition.is_some() && matches!(via[0].does, PrimitivePlan::Pass));
    assert!(matches!(via[1].does, PrimitivePlan::Transform(_)));
}

#[test]
fn what_is_always_false_leaves_an_edge_that_no_packet_takes() {
    let c = "name: c, type: condition, needs: [a], if: 'false'";
    for steps in [
        vec![A.to_owned(), c.to_owned(), B.replace("[a]", "[c]")],
        vec![
            A.to_owned(),
            B.replace("[a]", "[a], if: 'no', runtime: { t: '{{ packet.t }}' }"),
        ],
    ] {
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let edges = planned(&story("", &steps));
        assert!(is_never(&edges[0]));
        assert!(matches!(programs(&edges[0]).inputs, InputsPlan::Keep));
        assert!(programs(&edges[0]).via.is_empty());
    }
}

#[test]
fn an_allow_rule_makes_a_list_for_every_target_of_its_source() {
    let rules = "{ when: '{{ packet.x }}', action: allow, target: { steps: [b] } }";
    let c = "name: c, ref: { name: c }, needs: [a]";
    let edges = planned(&story(rules, &[A, B, c]));
    let on_b = &programs(&edges[0]).rules;
    assert_eq!((on_b.allow.len(), on_b.is_allowlist), (1, true));
    assert!(is_never(&edges[1]), "c is not on the list");
}

#[test]
fn rules_that_are_decided_are_not_asked_again() {
    let always = "{ action: allow }, { when: '{{ packet.x }}', action: allow }";
    assert!(planned(&story(always, &[A, B]))[0].programs.is_none());
    let denied = "{ action: deny, target: { steps: [b] } }";
    assert!(is_never(&planned(&story(denied, &[A, B]))[0]));
    let idle = "{ when: 'false', action: deny }";
    assert!(planned(&story(idle, &[A, B]))[0].programs.is_none());
    let nobody = "{ when: 'false', action: allow }";
    assert!(is_never(&planned(&story(nobody, &[A, B]))[0]));
}

#[test]
fn a_rule_about_a_primitive_concerns_what_lies_behind_it() {
    let rules = "{ when: '{{ packet.x }}', action: deny, target: { steps: [c] } }";
    let c = "name: c, type: condition, needs: [a], if: '{{ packet.ok }}'";
    let d = "name: d, ref: { name: d }, needs: [a]";
    let edges = planned(&story(rules, &[A, c, &B.replace("[a]", "[c]"), d]));
    assert_eq!(programs(&edges[0]).rules.deny.len(), 1);
    assert!(edges[1].programs.is_none());
}

#[test]
fn ways_to_a_stop_belong_to_the_step_that_they_start_from() {
    let c = "name: c, type: condition, needs: [a], if: '{{ packet.bye }}'";
    let p = "name: p, type: parallel, needs: [c]";
    let x = "name: x, type: stop, needs: [p], if: '{{ packet.really }}'";
    let story = story("", &[A, B, c, p, x]);
    let stops = &emits(&story, 0).unwrap().stops;
    let ids: Vec<&str> = stops[0].iter().map(|p| &*p.id).collect();
    assert_eq!((stops.len(), ids), (1, vec!["c", "x"]));
    assert!(emits(&story, 1).is_none());
}

#[test]
fn a_stop_without_condition_ends_the_run_at_once_and_one_that_is_never_reached_does_not() {
    let plain = story("", &[A, "name: x, type: stop, needs: [a]"]);
    let stops = &emits(&plain, 0).unwrap().stops;
    assert!(matches!(&stops[..], [way] if way.len() == 1 && &*way[0].id == "x"));
    let never = story("", &[A, "name: x, type: stop, needs: [a], if: 'false'"]);
    assert!(emits(&never, 0).is_none());
}

#[test]
fn edges_carry_the_branch_of_their_join() {
    let p = "name: p, type: condition, needs: [a], if: '{{ packet.x }}'";
    let c = "name: c, ref: { name: c }, needs: [b, p]";
    let edges = planned(&story("", &[A, B, p, c]));
    let branches: Vec<(u16, u16, u8)> =
        edges.iter().map(|e| (e.from.0, e.to.0, e.branch)).collect();
    assert_eq!(branches, [(0, 1, 0), (0, 3, 1), (1, 3, 0)]);
}
