//! The template dialect as spec 4.1 and 4.3 say it.

mod common;

use common::{Outcome, Roots, VARIABLES, answer, errors, value};
use expr::{Block, Dialect, ErrorKind, Fault, Limits, Mode, Surroundings, Value, json};

fn gives(source: &str, wanted: &str) {
    assert_eq!(
        value(source, Dialect::Template),
        Outcome::Value(wanted.to_owned()),
        "{source}"
    );
}

#[test]
fn an_action_alone_keeps_its_type_and_text_around_it_makes_text() {
    for (source, wanted) in [
        ("{{ packet.n }}", "3"),
        (" {{ packet.items }} ", r#"["a","b"]"#),
        ("{{ steps[\"my-step\"].x }}", "1"),
        ("{{ index steps \"my-step\" \"x\" }}", "1"),
        ("{{ len packet.items }}", "2"),
        ("{{ print \"42\" }}", "42"),
        ("{{ add 1 2 }}", "\"3\""),
        ("{{ toJson packet.user }}", r#""{\"name\":\"Ana\"}""#),
        ("n={{ packet.n }}", "\"n=3\""),
        ("plain", "\"plain\""),
    ] {
        gives(source, wanted);
    }
}

#[test]
fn what_is_missing_is_an_error_on_a_bare_path_and_the_zero_value_as_a_last_name_elsewhere() {
    assert_eq!(
        value("{{ packet.texst }}", Dialect::Template),
        Outcome::Failed(Fault::MissingKey {
            path: "packet.texst".to_owned(),
            near: Some("text".to_owned()),
        })
    );
    assert_eq!(
        value("{{ steps.later.text }}", Dialect::Template),
        Outcome::Failed(Fault::NotReady {
            path: "steps.later".to_owned(),
        })
    );
    gives("x{{ packet.missing }}", "\"x<no value>\"");
    gives("{{ default \"d\" packet.missing }}", "\"d\"");
    let fault = value("{{ default \"x\" packet.a.b }}", Dialect::Template);
    assert!(
        matches!(fault, Outcome::Failed(Fault::Type { column: 16, .. })),
        "{fault:?}"
    );
}

#[test]
fn a_condition_is_a_bool_or_a_word_for_one() {
    for (source, wanted) in [
        ("", true),
        ("  ", true),
        (" Yes ", true),
        ("0", false),
        ("{{ eq packet.metadata.lang \"de\" }}", true),
        ("{{ hasPrefix \"x\" packet.text }}", false),
    ] {
        assert_eq!(answer(source, Dialect::Template), Ok(wanted), "{source}");
    }
    for source in ["{{ packet.n }}", "{{ packet.none }}", "maybe"] {
        let fault = answer(source, Dialect::Template);
        assert!(
            matches!(fault, Err(Fault::Type { .. })),
            "{source}: {fault:?}"
        );
    }
}

#[test]
fn what_is_wrong_names_its_column_and_a_near_name() {
    for (source, mode, kind, column, near) in [
        (
            "{{ uper packet.text }}",
            Mode::Runtime,
            ErrorKind::Parse,
            4,
            Some("upper"),
        ),
        (
            "ä {{ pakcet.text }}",
            Mode::Runtime,
            ErrorKind::Parse,
            7,
            Some("packet"),
        ),
        (
            "{{ .pakcet.text }}",
            Mode::Runtime,
            ErrorKind::Scope,
            4,
            Some("packet"),
        ),
        (
            "{{ upper packet.text }}",
            Mode::With,
            ErrorKind::Scope,
            10,
            None,
        ),
        ("{{ now }}", Mode::With, ErrorKind::Parse, 4, None),
        (
            "{{ if packet.n }}",
            Mode::Runtime,
            ErrorKind::Parse,
            18,
            None,
        ),
        (
            "{{ steps[\"a\"].b }}{{ uper 1 }}",
            Mode::Runtime,
            ErrorKind::Parse,
            22,
            Some("upper"),
        ),
    ] {
        let errors = errors(source, mode, Dialect::Template);
        let error = &errors[0];
        let found = (error.kind, error.column, error.near.as_deref());
        assert_eq!(found, (kind, column, near), "{source}");
    }
}

#[test]
fn a_block_names_the_path_of_every_fault() {
    let source = r#"{"a": {"b": ["{{ nosuch }}"]}, "c": "{{ .foo }}"}"#;
    let source = json::parse(source.as_bytes()).expect("JSON");
    let errors = Block::compile(
        &source,
        (Mode::Runtime, Dialect::Template),
        Limits::default(),
    )
    .expect_err("two faults");
    let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["a.b[0]", "c"]);
}

#[test]
fn a_program_tells_what_it_reads() {
    for (source, wanted) in [
        ("{{ packet.metadata.lang }}", "packet.metadata.lang"),
        (
            "{{ index packet.metadata \"participant.id\" }}",
            "packet.metadata.participant.id",
        ),
        ("{{ (index steps \"a\").b | upper }}", "steps.a.b"),
        ("{{ steps[\"a-b\"].c }}", "steps.a-b.c"),
        (
            "{{ range $u := packet.users }}{{ $u.name }}{{ $.inputs.x }}{{ end }}",
            "inputs.x packet.users",
        ),
        ("{{ toJson $ }}", "inputs packet steps"),
        ("{{ upper \"x\" }}", ""),
    ] {
        let source = Value::owned(source);
        let to = (Mode::Runtime, Dialect::Template);
        let block = Block::compile(&source, to, Limits::default()).expect("a block");
        let paths: Vec<String> = block.reads().paths().map(|path| path.join(".")).collect();
        assert_eq!(paths.join(" "), wanted, "{source:?}");
    }
}

#[test]
fn a_program_over_metadata_reads_no_payload() {
    let source = Value::owned("{{ packet.metadata.lang }}{{ packet.audio.codec }}");
    let to = (Mode::Runtime, Dialect::Template);
    let block = Block::compile(&source, to, Limits::default()).expect("a block");
    assert!(!block.reads().reads_payload());
    assert!(block.reads().reads_media());
    assert_eq!(block.reads().metadata_keys(), Some(vec!["lang"]));
}

#[test]
fn equal_surroundings_give_equal_chance() {
    let source = Value::owned("{{ randAlpha 8 }} {{ uuidv4 }} {{ randInt 0 100 }} {{ now }}");
    let to = (Mode::Runtime, Dialect::Template);
    let block = Block::compile(&source, to, Limits::default()).expect("a block");
    let roots = Roots::of(VARIABLES);
    let with = |seed| {
        let surroundings = Surroundings { now_nanos: 1, seed };
        block
            .evaluate(&roots, &surroundings)
            .expect("a value")
            .into_owned()
    };
    assert_eq!(with(7), with(7));
    assert_ne!(with(7), with(8));
}

#[test]
fn an_action_that_nothing_closes_is_told_as_that_where_it_begins() {
    for (source, column) in [
        ("{{ eq packet.text \"x\" ", 1),
        ("{{ packet.a }}-{{ packet.b", 16),
        ("{{ (packet.a", 1),
    ] {
        let errors = errors(source, Mode::If, Dialect::Template);
        let [error] = errors.as_slice() else {
            panic!("{source}: {errors:?}");
        };
        assert_eq!(error.kind, ErrorKind::Parse);
        assert_eq!((error.column, &*error.message), (column, "unclosed action"));
    }
    let errors = errors("{{ (packet.a }}{{", Mode::If, Dialect::Template);
    assert_eq!(errors[0].message, "unclosed left paren");
}
