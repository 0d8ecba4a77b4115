//! What a text must give.

use super::*;
use serde_json::json;

fn only(text: &str) -> Node {
    let parsed = parse(text);
    assert_eq!(parsed.broken, None, "{text:?}");
    assert_eq!(parsed.faults, [], "{text:?}");
    assert_eq!(parsed.documents.len(), 1, "{text:?}");
    parsed.documents.into_iter().next().unwrap()
}

fn faults(text: &str) -> Vec<(u32, String)> {
    let faults = parse(text).faults.into_iter();
    faults.map(|fault| (fault.line, fault.path)).collect()
}

#[test]
fn values_become_json() {
    let node = only("a: [1, -2, 3.5, true, ~, 'x', 18446744073709551615]\nb: { c: yes }\n");
    let expected = json!({
        "a": [1, -2, 3.5, true, null, "x", 18_446_744_073_709_551_615_u64],
        "b": { "c": "yes" },
    });
    assert_eq!(node.json(), expected);
}

#[test]
fn quoted_and_block_scalars_are_text() {
    let node = only("a: '1'\nb: \"true\"\nc: |\n  2\nd: >-\n  3\n");
    let expected = json!({ "a": "1", "b": "true", "c": "2\n", "d": "3" });
    assert_eq!(node.json(), expected);
}

#[test]
fn tags_of_the_core_schema_hold_and_others_are_faults() {
    let node = only("a: !!str 1\nb: !!int '2'\nc: !!float 3\nd: !!bool true\n");
    let expected = json!({ "a": "1", "b": 2, "c": 3.0, "d": true });
    assert_eq!(node.json(), expected);
    assert_eq!(faults("a:\n  - !!int x\n"), [(2, "a[0]".to_owned())]);
    assert_eq!(faults("a: !secret x\n"), [(1, "a".to_owned())]);
    assert_eq!(faults("a: !secret [x]\n"), [(1, "a".to_owned())]);
}

#[test]
fn lines_are_those_of_the_text() {
    let node = only("# one\n\na: 1\nb:\n  - x\n  -\n    y: 2\n");
    assert_eq!(node.get("a").unwrap().line, 3);
    let Data::List(items) = &node.get("b").unwrap().data else {
        panic!("no list");
    };
    assert_eq!(items.iter().map(|i| i.line).collect::<Vec<_>>(), [5, 7]);
}

#[test]
fn documents_are_parted_and_empty_ones_skipped() {
    let parsed = parse("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n");
    let lines: Vec<_> = parsed.documents.iter().map(|d| d.line).collect();
    assert_eq!(lines, [2, 7]);
    for empty in ["", "\n\n", "# comment\n", "---\n", "---\n...\n", "~\n"] {
        assert_eq!(parse(empty).documents, [], "{empty:?}");
    }
}

#[test]
fn a_key_that_stands_twice_is_a_fault_with_its_path_and_line() {
    let text = "a:\n  - b: 1\n    c: 2\n    b: 3\n";
    assert_eq!(faults(text), [(4, "a[0].b".to_owned())]);
    assert_eq!(faults("a: 1\nb: 2\na: 3\na: 4\n").len(), 2);
}

#[test]
fn keys_are_text_whatever_they_look_like() {
    assert_eq!(
        only("1: a\ntrue: b\n~: c\n").json(),
        json!({ "1": "a", "true": "b", "~": "c" })
    );
    assert_eq!(faults("? [a, b]\n: c\n").len(), 1);
}

#[test]
fn numbers_that_json_cannot_say_are_faults() {
    assert_eq!(faults("a: .inf\nb: [.nan]\nc: 1e999\n").len(), 3);
}

#[test]
fn aliases_repeat_their_anchor_and_merge_keys_fill_in() {
    let node =
        only("a: &x { p: 1, q: 2 }\nb: *x\nc: { <<: *x, q: 3 }\nd: { <<: [*x, { r: 4 }] }\n");
    let expected = json!({
        "a": { "p": 1, "q": 2 }, "b": { "p": 1, "q": 2 },
        "c": { "p": 1, "q": 3 }, "d": { "p": 1, "q": 2, "r": 4 },
    });
    assert_eq!(node.json(), expected);
}

#[test]
fn anchors_end_with_their_document_and_do_not_hold_themselves() {
    for text in ["a: &x 1\n---\nb: *x\n", "a: &x [*x]\n", "a: *nothing\n"] {
        assert!(parse(text).broken.is_some(), "{text:?}");
    }
}

#[test]
fn a_billion_laughs_are_refused_at_once() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..30 {
        let last = format!("*a{}, ", i - 1).repeat(10);
        text.push_str(&format!("a{i}: &a{i} [{last}]\n"));
    }
    let (_, why) = parse(&text).broken.unwrap();
    assert!(why.contains("too large"), "{why}");
    let long = "x".repeat(1 << 20);
    let text = format!("a: &a {long}\nb: [{}]\n", "*a, ".repeat(1000));
    assert!(parse(&text).broken.is_some());
}

#[test]
fn deep_nesting_is_refused_in_every_notation() {
    for text in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        (0..1000).map(|i| " ".repeat(i) + "a:\n").collect(),
    ] {
        assert!(parse(&text).broken.is_some(), "{:?}", text.get(..20));
    }
}

#[test]
fn what_is_no_yaml_names_its_line() {
    for (text, line) in [
        ("a: [1\nb: 2\n", 2),
        ("a: 1\n\tb: 2\n", 2),
        ("a: 'x\n", 1),
        ("a: b: c\n", 1),
        ("a: 1\n- b\n", 2),
        ("%YAML 3.0\n", 1),
        ("a: @x\n", 1),
    ] {
        let (at, why) = parse(text).broken.unwrap_or_default();
        assert_eq!(at, line, "{text:?}: {why}");
        assert!(why.starts_with(&format!("line {line}, ")), "{why}");
    }
}
