//! Blocks and conditions as spec 4.1 and 4.4 say them, beyond one text.

mod common;

use common::{Outcome, Roots, VARIABLES, answer, value_in};
use expr::{
    Block, CompileError, Condition, Dialect, ErrorKind, Fault, Limits, Mode, Surroundings, Value,
    json,
};

fn block(source: &str, mode: Mode) -> Result<Block, Vec<CompileError>> {
    let source = json::parse(source.as_bytes()).expect("JSON");
    Block::compile(&source, (mode, Dialect::Template), Limits::default())
}

fn evaluated(source: &str, mode: Mode, variables: &str) -> Result<Value<'static>, Fault> {
    block(source, mode)
        .expect("a block")
        .evaluate(&Roots::of(variables), &Surroundings::default())
        .map(Value::into_owned)
}

fn gives(source: &str, wanted: &str) {
    let wanted = json::parse(wanted.as_bytes()).expect("JSON");
    let found = evaluated(source, Mode::Runtime, VARIABLES);
    assert_eq!(found, Ok(wanted), "{source}");
}

fn reads(block: &Block) -> String {
    let paths: Vec<String> = block.reads().paths().map(|path| path.join(".")).collect();
    paths.join(" ")
}

fn condition(source: &str) -> Condition {
    Condition::compile(source, Dialect::Template, Limits::default()).expect("a condition")
}

#[test]
fn every_string_is_evaluated_and_keys_are_not() {
    gives(
        r#"{"a": ["{{ packet.n }}", 1, null], "{{ nosuch }}": {"b": "<{{ packet.text }}>"}}"#,
        r#"{"a": [3, 1, null], "{{ nosuch }}": {"b": "<Hello, world>"}}"#,
    );
}

#[test]
fn a_wrapper_sees_its_variables_and_the_roots_they_leave() {
    for (source, wanted) in [
        (
            r#"{"$bubuTemplate": "{{ $.x }}{{ packet.n }}", "$bubuTemplateVars": {"x": "{{ packet.text | upper }}"}}"#,
            r#""HELLO, WORLD3""#,
        ),
        (
            r#"{"$bubuTemplate": "{{ packet.a }}", "$bubuTemplateVars": {"packet": {"a": [1]}}}"#,
            "[1]",
        ),
        (
            r#"{"$bubuTemplate": "{{ packet.n }}", "$bubuTemplateVars": "not an object", "x": 1}"#,
            "3",
        ),
    ] {
        gives(source, wanted);
    }
}

#[test]
fn a_root_that_a_wrapper_replaces_is_not_read() {
    let source = r#"{"$bubuTemplate": "{{ steps.a.b }}{{ inputs.c }}",
        "$bubuTemplateVars": {"steps": {"a": "{{ packet.d }}"}}, "other": "{{ packet.e }}"}"#;
    let block = block(source, Mode::Runtime).expect("a block");
    assert_eq!(reads(&block), "inputs.c packet.d");
}

#[test]
fn what_a_wrapper_ignores_is_checked_all_the_same() {
    let source = r#"{"x": {"$bubuTemplate": 5, "$bubuTemplateVars": {"y": "{{ .foo }}"},
        "other": ["{{ nosuch }}"]}}"#;
    let errors = block(source, Mode::Runtime).expect_err("three faults");
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error.path.as_str(), error.kind))
        .collect();
    let wanted = [
        ("x.$bubuTemplate", ErrorKind::Type),
        ("x.$bubuTemplateVars.y", ErrorKind::Scope),
        ("x.other[0]", ErrorKind::Parse),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn with_sees_nothing_but_inputs() {
    let source = r#"{"a": "{{ toJson $ }}", "b": "{{ $.packet }}"}"#;
    let found = evaluated(source, Mode::With, r#"{"inputs": {"x": 1}, "packet": {}}"#);
    let wanted = br#"{"a": "{\"inputs\":{\"x\":1}}", "b": "<no value>"}"#;
    assert_eq!(found, Ok(json::parse(wanted).expect("JSON")));
    assert_eq!(
        reads(&block(source, Mode::With).expect("a block")),
        "inputs"
    );
}

#[test]
fn a_text_cut_inside_a_character_may_be_a_variable_but_no_field() {
    let variables = r#"{"inputs": {}, "steps": {}, "packet": {"t": "ü"}}"#;
    let cut = "{{ trunc 1 packet.t }}";
    for source in [
        format!(r#"{{"a": "{cut}"}}"#),
        format!(
            r#"{{"$bubuTemplate": "{{{{ packet }}}}", "$bubuTemplateVars": {{"packet": {{"a": "{cut}"}}}}}}"#
        ),
    ] {
        let found = evaluated(&source, Mode::Runtime, variables);
        assert!(matches!(found, Err(Fault::Type { .. })), "{found:?}");
    }
    let source = format!(
        r#"{{"$bubuTemplate": "{{{{ len $.a }}}}", "$bubuTemplateVars": {{"a": "{cut}"}}}}"#
    );
    let found = evaluated(&source, Mode::Runtime, variables);
    assert_eq!(found, Ok(Value::Float(1.0)));
}

#[test]
fn what_is_too_deep_is_told_after_what_is_wrong() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let source = format!(r#"{{"a": {deep}, "b": "{{{{ nosuch }}}}"}}"#);
    let errors = block(&source, Mode::Runtime).expect_err("two faults");
    let kinds: Vec<ErrorKind> = errors.iter().map(|error| error.kind).collect();
    assert_eq!(kinds, [ErrorKind::Parse, ErrorKind::Limit]);
}

#[test]
fn a_block_is_as_deep_as_the_limit_and_no_deeper() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(block(&nested(128), Mode::Runtime).is_ok());
    let errors = block(&nested(129), Mode::Runtime).expect_err("too deep");
    assert_eq!(errors[0].kind, ErrorKind::Limit);
}

#[test]
fn a_condition_without_variables_is_known() {
    for (source, wanted) in [
        ("", Some(true)),
        ("no", Some(false)),
        ("{{ eq 1 1 }}", Some(true)),
        ("{{ if false }}yes{{ end }}", Some(false)),
        ("maybe", None),
        ("{{ fail \"x\" }}", None),
        ("{{ ge (randInt 0 9) 0 }}", None),
        ("{{ now | empty }}", None),
        ("{{ packet.ok }}", None),
        ("{{ hasKey . \"packet\" }}", None),
    ] {
        assert_eq!(condition(source).known(), wanted, "{source}");
    }
}

#[test]
fn a_condition_counts_columns_from_the_beginning_of_its_source() {
    let source = " \n{{ nosuch }}";
    let errors = Condition::compile(source, Dialect::Template, Limits::default())
        .expect_err("an unknown function");
    assert_eq!(
        (errors[0].column, errors[0].expression.as_str()),
        (6, source)
    );
}

#[test]
fn a_condition_that_waits_for_a_step_is_not_ready() {
    let found = answer("{{ steps.later.done }}", Dialect::Template);
    assert!(matches!(found, Err(Fault::NotReady { path }) if path == "steps.later"));
}

const STORED: &str = r#"{
    "inputs": {"ref": {"$bubuStorageRef": "k"}}, "packet": {"ref": {"$bubuStorageRef": "k"}},
    "steps": {
        "a": {"output": {"$bubuStorageRef": "k"}, "plain": "p"},
        "b": {"outputs": {"$bubuStorageRef": "k", "$bubuStoragePath": "x"}},
        "c": {"list": [{"deep": {"$bubuStorageRef": "k"}}]},
        "d": {"blank": {"$bubuStorageRef": " "}, "plain": "p"}
    }
}"#;

#[test]
fn a_path_into_an_offloaded_output_is_a_reference_to_a_part() {
    for (source, wanted) in [
        ("steps.a.output", r#"{"$bubuStorageRef": "k"}"#),
        (
            "steps.a.output.y.z",
            r#"{"$bubuStorageRef": "k", "$bubuStoragePath": "y.z"}"#,
        ),
        (
            "steps.b.outputs.y",
            r#"{"$bubuStorageRef": "k", "$bubuStoragePath": "x.y"}"#,
        ),
        ("packet.ref", r#"{"$bubuStorageRef": "k"}"#),
        ("steps.a.plain", "\"p\""),
    ] {
        let source = format!("\"{{{{ {source} }}}}\"");
        let wanted = json::parse(wanted.as_bytes()).expect("JSON");
        assert_eq!(
            evaluated(&source, Mode::Runtime, STORED),
            Ok(wanted),
            "{source}"
        );
    }
}

#[test]
fn a_step_that_holds_a_reference_at_any_depth_can_only_be_passed_on() {
    for (source, is_refused) in [
        ("<{{ steps.a.plain }}>", true),
        ("{{ upper steps.a.plain }}", true),
        ("{{ with steps.c }}x{{ end }}", true),
        ("{{ index steps `c` `list` | len }}", true),
        ("<{{ $.steps.a.plain }}>", false),
        ("<{{ steps.d.plain }}>", false),
        ("<{{ packet.ref }}>", false),
        ("{{ len inputs.ref }}", true),
    ] {
        let json = format!("{source:?}");
        let found = evaluated(&json, Mode::Runtime, STORED);
        let refused = matches!(found, Err(Fault::Offloaded(_)));
        assert_eq!(refused, is_refused, "{source}: {found:?}");
    }
}

#[test]
fn lookups_inside_lookups_are_bounded_like_parentheses() {
    let run = |source: &str| value_in(source, Dialect::Template, Mode::Runtime, Limits::default());
    let chain = |parens: usize, lookups: usize| {
        let (open, close) = ("(".repeat(parens), ")".repeat(parens));
        format!("{{{{ {open}packet{close}{} }}}}", "[\"a\"]".repeat(lookups))
    };
    for (parens, lookups) in [(0, 201), (0, 10_000), (100, 101), (201, 0)] {
        let found = run(&chain(parens, lookups));
        assert!(
            matches!(&found, Outcome::Refused(errors) if errors[0].kind == ErrorKind::Parse),
            "{parens} {lookups}: {found:?}"
        );
    }
    for (parens, lookups) in [(0, 200), (100, 100), (198, 2)] {
        let found = run(&chain(parens, lookups));
        assert!(
            matches!(found, Outcome::Failed(Fault::Type { .. })),
            "{found:?}"
        );
    }
}
