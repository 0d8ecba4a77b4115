//! Whatever a text says: it compiles or not, and its evaluation ends, the same each time.

mod common;

use common::{Outcome, Roots, VARIABLES, value_in};
use expr::{Block, Bound, Dialect, ErrorKind, Fault, Limits, Mode, Surroundings, Value, json};
use proptest::prelude::*;

fn small() -> Limits {
    Limits {
        fuel: 2_000,
        memory_bytes: 1 << 20,
        ..Limits::default()
    }
}

#[test]
fn running_out_is_an_error_of_its_own() {
    for (source, bound) in [
        ("{{ range 1000000000 }}{{ end }}", Bound::Fuel),
        ("{{ range 7000 }}0123456789{{ end }}", Bound::Output),
        (
            "{{ $x := printf \"%1000000d\" 1 }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}",
            Bound::Memory,
        ),
        (
            "{{ $x := list 1 }}{{ range 100000 }}{{ $x = list $x }}{{ end }}{{ $x }}",
            Bound::Depth,
        ),
        (
            "{{ $x := list 1 2 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ toJson $x }}",
            Bound::Fuel,
        ),
        (
            "{{ $x := list 1 2 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}",
            Bound::Fuel,
        ),
        (
            "{{ $x := list 1 2 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ quote $x }}",
            Bound::Fuel,
        ),
        (
            "{{ $x := list 1 2 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ has $x (list $x) }}",
            Bound::Fuel,
        ),
    ] {
        let found = value_in(source, Dialect::Template, Mode::Runtime, Limits::default());
        assert_eq!(found, Outcome::Failed(Fault::Limit(bound)), "{source}");
    }
}

#[test]
fn what_a_function_makes_or_looks_at_is_paid_for_before() {
    let big = "$big := printf \"%900000d\" 1";
    for source in [
        "{{ indent 9223372036854775807 \"a\\nb\" }}",
        "{{ nindent 9223372036854775807 \"\" }}",
        "{{ randAlpha 9223372036854775807 }}",
        "{{ randAscii 60000000 }}",
        "{{ replace \"\" $big $big }}",
        "{{ replace \" \" $big $big }}",
        "{{ join $big (splitList \"\" $big) }}",
        "{{ wrapWith 1 $big (printf \"%0900000d\" 1) }}",
        "{{ $l := list $big }}{{ range 15 }}{{ $l = concat $l $l }}{{ end }}{{ len (sortAlpha $l) }}",
        "{{ $l := list $big }}{{ range 15 }}{{ $l = concat $l $l }}{{ end }}{{ join \"\" $l }}",
        "{{ range 1000000 }}{{ if hasPrefix $big $big }}{{ end }}{{ end }}",
        "{{ range 1000000 }}{{ if contains $big $big }}{{ end }}{{ end }}",
        "{{ range 1000000 }}{{ if eq $big $big }}{{ end }}{{ end }}",
        "{{ range 1000000 }}{{ if lt $big $big }}{{ end }}{{ end }}",
        "{{ range 1000000 }}{{ if add $big $big }}{{ end }}{{ end }}",
        "{{ range 1000000 }}{{ if hash_of $big }}{{ end }}{{ end }}",
        "{{ range 1000000 }}{{ if upper $big }}{{ end }}{{ end }}",
        "{{ range 1000000 }}{{ if fromJson $big }}{{ end }}{{ end }}",
        "{{ range 1000000 }}{{ if base $big }}{{ end }}{{ end }}",
        "{{ range 1000000 }}{{ if camelcase $big }}{{ end }}{{ end }}",
        "{{ $l := list }}{{ range $i := 20000 }}{{ $l = append $l $i }}{{ end }}",
        "{{ $l := splitList \"\" $big }}{{ len (uniq $l) }}",
    ] {
        let source = format!("{{{{ {big} }}}}{source}");
        let found = value_in(&source, Dialect::Template, Mode::Runtime, Limits::default());
        assert!(
            matches!(found, Outcome::Failed(Fault::Limit(_))),
            "{source}: {found:?}"
        );
    }
}

#[test]
fn long_products_of_decimals_run_out() {
    let source = format!("{{{{ mulf {} }}}}", "1.2345678901234567 ".repeat(3400));
    let found = value_in(&source, Dialect::Template, Mode::Runtime, Limits::default());
    assert!(
        matches!(found, Outcome::Failed(Fault::Limit(_))),
        "{found:?}"
    );
}

#[test]
fn long_and_deep_sources_are_refused() {
    let long = "x".repeat(65 << 10);
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    let nested = "{{ if 1 }}".repeat(5000);
    for (source, kind) in [
        (long, ErrorKind::Limit),
        (deep, ErrorKind::Parse),
        (nested, ErrorKind::Parse),
    ] {
        let found = value_in(&source, Dialect::Template, Mode::Runtime, Limits::default());
        assert!(matches!(found, Outcome::Refused(errors) if errors[0].kind == kind));
    }
}

#[test]
fn a_walk_over_a_long_list_in_cel_runs_out() {
    let list = format!("[{}]", vec!["0"; 4000].join(","));
    let variables = format!(r#"{{"inputs": {{}}, "steps": {{}}, "packet": {{"l": {list}}}}}"#);
    let source = Value::owned("{{ packet.l.all(x, packet.l.size() > 1) }}");
    let to = (Mode::Runtime, Dialect::Cel);
    let block = Block::compile(&source, to, Limits::default()).expect("a block");
    let found = block
        .evaluate(&Roots::of(&variables), &Surroundings::default())
        .err();
    assert_eq!(found, Some(Fault::Limit(Bound::Fuel)));
}

/// Texts that look like templates more often than not.
fn template() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "packet",
        ".text",
        "packet.items",
        "$x",
        ":=",
        "=",
        "|",
        "(",
        ")",
        "\"a\"",
        "'a'",
        "`r`",
        "1",
        "2.5",
        "-3",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "break",
        "upper",
        "printf",
        "\"%5d%v%q\"",
        "index",
        "eq",
        "list",
        "dict",
        "nil",
        "true",
        ".",
        ",",
        "[\"k\"]",
        "steps",
        "toJson",
        "/*",
        "*/",
        "semverCompare",
        "\"^1 ||\"",
        "toDate",
        "\"2006 Jan _2\"",
        "round",
        "wrap",
        "trunc",
        "abbrev",
        "substr",
        "splitn",
        "b64dec",
        "b32dec",
        "dig",
        "slice",
        "ü",
        "🎉",
        "\\",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_the_compiler_panic(text in any::<String>()) {
        for dialect in [Dialect::Template, Dialect::TemplateOrCel] {
            let _ = value_in(&text, dialect, Mode::Runtime, small());
            let _ = value_in(&format!("{{{{ {text} }}}}"), dialect, Mode::With, small());
        }
    }

    #[test]
    fn an_evaluation_ends_and_gives_the_same_again(text in template()) {
        let again = |text: &str| value_in(text, Dialect::Template, Mode::Runtime, small());
        prop_assert_eq!(again(&text), again(&text));
        let action = format!("{{{{ {text} }}}}");
        prop_assert_eq!(again(&action), again(&action));
    }

    #[test]
    fn no_bytes_make_the_json_reader_panic(bytes in any::<Vec<u8>>()) {
        let _ = json::parse(&bytes);
    }

    #[test]
    fn no_bytes_make_the_struct_reader_panic(bytes in any::<Vec<u8>>()) {
        let map = expr::structs::decode(&bytes);
        let _ = map.tree();
        let _ = map.get(b"k");
    }
}

#[test]
fn the_variables_of_these_tests_are_json() {
    assert!(Roots::of(VARIABLES).0.get("packet").is_some());
}
