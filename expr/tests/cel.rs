//! The CEL dialect (spec 4.2), and templates that are CEL (spec 4.4).

mod common;

use common::{Outcome, answer, errors, value};
use expr::{Condition, Dialect, ErrorKind, Fault, Limits, Mode};

#[test]
fn an_action_alone_keeps_its_type_and_text_around_it_makes_text() {
    for (source, wanted) in [
        ("{{ packet.metadata.lang == \"en\" }}", "false"),
        ("{{ packet.n }}", "3"),
        ("{{ packet.n + 1.0 }}", "4"),
        ("{{ packet.items.map(i, i + \"!\") }}", r#"["a!","b!"]"#),
        ("{{ size(packet.items) }}", "2"),
        ("{{ packet.user }}", r#"{"name":"Ana"}"#),
        ("{{ {\"a\": {\"b\": packet.n}} }}", r#"{"a":{"b":3}}"#),
        ("{{ has(packet.nope) ? 1 : 2 }}", "2"),
        ("{{ packet.text.upperAscii() }}", "\"HELLO, WORLD\""),
        ("{{ packet.?nope.orValue(\"d\") }}", "\"d\""),
        ("{{ \"lang\" in packet.metadata }}", "true"),
        ("{{ math.greatest(packet.n, 7.0) }}", "7"),
        ("{{ packet.n > 2 && steps.asr.text == \"hi\" }}", "true"),
        ("{{ packet.user == {\"name\": \"Ana\"} }}", "true"),
        (
            "{{ true ? packet.user : packet.metadata }}",
            r#"{"name":"Ana"}"#,
        ),
        ("{{ packet.user.map(k, k) }}", r#"["name"]"#),
        ("{{ steps[\"my-step\"].x }}", "1"),
        (
            "<{{ packet.text }} {{ packet.n }} {{ packet.items }}>",
            r#""<Hello, world 3 [\"a\",\"b\"]>""#,
        ),
        ("plain", "\"plain\""),
    ] {
        let found = value(source, Dialect::Cel);
        assert_eq!(found, Outcome::Value(wanted.to_owned()), "{source}");
    }
}

#[test]
fn what_is_missing_says_where() {
    let missing = |source| value(source, Dialect::Cel);
    assert_eq!(
        missing("{{ packet.texst }}"),
        Outcome::Failed(Fault::MissingKey {
            path: "packet.texst".to_owned(),
            near: Some("text".to_owned()),
        })
    );
    assert_eq!(
        missing("{{ steps.later.text == \"x\" }}"),
        Outcome::Failed(Fault::NotReady {
            path: "steps.later.text".to_owned(),
        })
    );
}

#[test]
fn what_is_wrong_is_found_when_it_is_compiled() {
    for (source, mode, kind, column, near) in [
        (
            "{{ pakcet.text == \"\" }}",
            Mode::Runtime,
            ErrorKind::Scope,
            4,
            Some("packet"),
        ),
        (
            "{{ packet.text == \"\" }}",
            Mode::With,
            ErrorKind::Scope,
            4,
            None,
        ),
        (
            "{{ sise(packet.text) }}",
            Mode::Runtime,
            ErrorKind::Parse,
            8,
            Some("size"),
        ),
        (
            "{{ packet.text == }}",
            Mode::Runtime,
            ErrorKind::Parse,
            18,
            None,
        ),
        ("{{ packet.text", Mode::Runtime, ErrorKind::Parse, 1, None),
    ] {
        let errors = errors(source, mode, Dialect::Cel);
        let error = &errors[0];
        assert_eq!(
            (error.kind, error.near.as_deref()),
            (kind, near),
            "{source}: {error}"
        );
        assert!(error.column.abs_diff(column) <= 2, "{source}: {error}");
    }
}

#[test]
fn comprehensions_inside_comprehensions_are_refused() {
    let source = "{{ packet.items.all(a, packet.items.exists(b, a == b)) }}";
    let errors = errors(source, Mode::Runtime, Dialect::Cel);
    assert_eq!(errors[0].kind, ErrorKind::Limit);
    let twice = "{{ packet.items.filter(a, a != \"x\").map(a, a) }}";
    assert_eq!(
        value(twice, Dialect::Cel),
        Outcome::Value(r#"["a","b"]"#.to_owned())
    );
}

#[test]
fn a_template_that_is_none_but_is_cel_is_taken_as_cel() {
    let source = "{{ packet.metadata.lang == \"de\" }}";
    assert_eq!(answer(source, Dialect::TemplateOrCel), Ok(true));
    let compiled = |source| Condition::compile(source, Dialect::TemplateOrCel, Limits::default());
    assert!(compiled(source).expect("CEL").is_taken_as_cel());
    let template = compiled("{{ eq packet.metadata.lang \"de\" }}").expect("a template");
    assert!(!template.is_taken_as_cel());
    let unknown = compiled("{{ pakcet.lang == \"de\" }}").expect_err("neither");
    assert_eq!(unknown[0].kind, ErrorKind::Parse);
}
