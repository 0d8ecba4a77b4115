//! Ways from engram to engram through primitives.

use hub::story::{Story, Way};

use crate::story::{loads, refused, story, streaming, warnings};

/// `a -p-> b`, and `#` with the branch where it is not the first.
fn shown(story: &Story, way: &Way) -> String {
    let id = |at: usize| story.steps[at].id.as_str();
    let via: String = way.via.iter().map(|at| format!("{}-", id(*at))).collect();
    let branch = match way.branch {
        0 => String::new(),
        branch => format!("#{branch}"),
    };
    format!("{} -{via}> {}{branch}", id(way.from), id(way.to))
}

fn edges(story: &Story) -> Vec<String> {
    let ways = story.ways.edges.iter();
    ways.map(|way| shown(story, way)).collect()
}

fn stops(story: &Story) -> Vec<String> {
    let ways = story.ways.stops.iter();
    ways.map(|way| shown(story, way)).collect()
}

/// A Story of these steps, each `NAME TYPE NEEDS...`; type `-` is an engram.
fn graph(steps: &[&str]) -> String {
    let mut yaml = streaming("  steps:\n");
    for step in steps {
        let mut words = step.split_whitespace();
        let name = words.next().unwrap();
        let kind = match words.next().unwrap() {
            "-" => format!("ref: {{ name: {name} }}"),
            "transform" => "type: transform, with: { a: 1 }".to_owned(),
            kind => format!("type: {kind}"),
        };
        let needs: Vec<&str> = words.collect();
        let needs = needs.join(", ");
        yaml += &format!("    - {{ name: {name}, {kind}, needs: [{needs}] }}\n");
    }
    yaml
}

#[test]
fn an_edge_through_primitives_leads_from_engram_to_engram() {
    let story = story(&graph(&[
        "a -",
        "c condition a",
        "t transform c",
        "b - t",
        "d - a",
    ]));
    assert_eq!(edges(&story), ["a -c-t-> b", "a -> d"]);
    assert_eq!(story.edges.len(), 4);
}

#[test]
fn several_ways_to_one_engram_are_branches_by_its_needs() {
    let story = story(&graph(&[
        "a -",
        "b - a",
        "p condition a",
        "q condition a",
        "x - p q b",
    ]));
    assert_eq!(
        edges(&story),
        ["a -> b", "a -p-> x#1", "a -q-> x#2", "b -> x"]
    );
}

#[test]
fn ways_that_meet_at_a_primitive_are_one_branch() {
    let story = story(&graph(&[
        "a -",
        "b -",
        "p parallel a b",
        "q condition p",
        "r condition p",
        "s condition q r",
        "x - s",
    ]));
    assert_eq!(
        edges(&story),
        [
            "a -p-q-s-> x",
            "a -p-r-s-> x",
            "b -p-q-s-> x",
            "b -p-r-s-> x"
        ]
    );
}

#[test]
fn a_stop_ends_the_way_that_it_stands_on() {
    let story = story(&graph(&[
        "a -",
        "c condition a",
        "x stop c",
        "b - x a",
        "y stop x",
        "z stop b",
    ]));
    assert_eq!(edges(&story), ["a -> b"]);
    assert_eq!(stops(&story), ["a -c-> x", "b -> z"]);
}

#[test]
fn primitives_that_lead_nowhere_make_no_way_however_many_they_are() {
    let mut steps = vec!["a -".to_owned(), "p0 condition a".to_owned()];
    for i in 0..40 {
        steps.push(format!("q{i} condition p{i}"));
        steps.push(format!("r{i} condition p{i}"));
        steps.push(format!("p{} condition q{i} r{i}", i + 1));
    }
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let story = story(&graph(&steps));
    assert_eq!(edges(&story), [""; 0]);
}

#[test]
fn a_lattice_of_primitives_is_refused_before_it_explodes() {
    let lattice = |layers: usize| {
        let mut steps = vec!["a -".to_owned(), "p0 condition a".to_owned()];
        for i in 0..layers {
            steps.push(format!("q{i} condition p{i}"));
            steps.push(format!("r{i} condition p{i}"));
            steps.push(format!("p{} condition q{i} r{i}", i + 1));
        }
        steps.push(format!("x - p{layers}"));
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        graph(&steps)
    };
    assert_eq!(story(&lattice(10)).ways.edges.len(), 1024);
    refused(&lattice(60), "7: spec.steps", "more than 4096 ways");
}

#[test]
fn a_cycle_of_primitives_is_a_cycle_and_nothing_else() {
    let cycle = graph(&["a -", "p condition a q", "q condition p", "b - q"]);
    refused(&cycle, "8: spec.steps", "p -> q -> p");
}

#[test]
fn a_join_has_a_bounded_number_of_branches() {
    let needs = |count: usize| {
        let mut steps: Vec<String> = (0..count).map(|i| format!("a{i} -")).collect();
        let names: Vec<String> = (0..count).map(|i| format!("a{i}")).collect();
        steps.push(format!("x - {}", names.join(" ")));
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        graph(&steps)
    };
    assert_eq!(story(&needs(64)).ways.edges[63].branch, 63);
    refused(&needs(65), "72: spec.steps[65]", "64 branches at most");
}

#[test]
fn a_transform_says_what_it_makes() {
    let with =
        |with: &str| graph(&["a -", "t transform a", "b - t"]).replace("with: { a: 1 }", with);
    for right in [
        "with: { expr: '{{ packet.a }}' }",
        "with: { expr: { text: '{{ packet.a }}' } }",
        "with: { text: '{{ packet.a }}', more: [1] }",
    ] {
        let loaded = loads(&with(right));
        assert_eq!(warnings(&loaded), [""; 0], "{right}");
        assert!(loaded.snapshot.stories[0].programs[1].transform.is_some());
    }
    refused(&with("if: 'true'"), "8: spec.steps[1]", "with.expr");
    refused(&with("with: text"), "8: spec.steps[1].with", "with.expr");
    refused(
        &with("with: { expr: '{{ packet.a }}', more: 1 }"),
        "8: spec.steps[1].with",
        "both",
    );
    refused(
        &with("with: { expr: plain }"),
        "8: spec.steps[1].with.expr",
        "gives an object",
    );
}
