//! The forms of spec 4.1 that the template language itself has not: roots without a dot,
//! lookups in brackets, bare paths, and the scope of names.

mod common;

use common::{Outcome, Roots, errors, value, value_in};
use expr::{Condition, Dialect, ErrorKind, Fault, Limits, Mode, Surroundings};

fn gives(source: &str, wanted: &str) {
    let found = value(source, Dialect::Template);
    assert_eq!(found, Outcome::Value(wanted.to_owned()), "{source}");
}

fn is_refused(source: &str, mode: Mode, wanted: ErrorKind) {
    let errors = errors(source, mode, Dialect::Template);
    assert_eq!(errors[0].kind, wanted, "{source}: {errors:?}");
}

fn is_type_fault(source: &str) {
    let found = value(source, Dialect::Template);
    let is_type = matches!(found, Outcome::Failed(Fault::Type { .. }));
    assert!(is_type, "{source}: {found:?}");
}

#[test]
fn a_root_needs_no_dot_wherever_a_value_may_stand() {
    for (source, wanted) in [
        ("{{upper packet.text}}", "\"HELLO, WORLD\""),
        ("{{ packet.text|upper }}", "\"HELLO, WORLD\""),
        ("{{\n\tupper\r\n(packet.text)}}", "\"HELLO, WORLD\""),
        ("{{ (packet).text }}!", "\"Hello, world!\""),
        ("{{ eq packet.text .packet.text $.packet.text }}", "true"),
        ("{{if packet.n}}{{inputs.model}}{{end}}", "\"small\""),
        ("a {{- packet.n -}} b {{- inputs.model }}", "\"a3bsmall\""),
        (
            "{{ len packet.packet }}{{ packet.inputs }}",
            "\"0<no value>\"",
        ),
    ] {
        gives(source, wanted);
    }
}

#[test]
fn names_like_roots_elsewhere_stay_what_they_are() {
    for (source, wanted) in [
        (
            "{{ print \"packet.text\" `inputs.x` }}",
            "\"packet.textinputs.x\"",
        ),
        ("{{ print \"}}\" 'p' packet.n }}", "\"}}112 3\""),
        ("{{/* packet[\"x\"] }} inputs */}}{{ packet.n }}!", "\"3!\""),
        (
            "packet.text {{ packet.n }} inputs[\"x\"]",
            "\"packet.text 3 inputs[\\\"x\\\"]\"",
        ),
        ("{{ $packet := inputs.model }}{{ $packet }}", "\"small\""),
        ("{{ (dict \"inputs\" 3).inputs }}", "\"3\""),
        ("{{ $d := dict \"steps\" 4 }}{{ $d.steps }}", "\"4\""),
        ("{{ define \"packet\" }}{{ end }}x", "\"x\""),
    ] {
        gives(source, wanted);
    }
    for source in [
        "{{ packet2.x }}",
        "{{ my_packet.x }}",
        "{{ Packet.x }}",
        "{{ packetä }}",
    ] {
        is_refused(source, Mode::Runtime, ErrorKind::Parse);
    }
}

#[test]
fn a_lookup_in_brackets_may_follow_names_parentheses_and_lookups() {
    for (source, wanted) in [
        ("{{ upper packet[\"text\"] }}", "\"HELLO, WORLD\""),
        ("{{ .packet[\"user\"].name | upper }}", "\"ANA\""),
        ("{{ (packet.user)[\"name\"] }}!", "\"Ana!\""),
        ("{{ packet[\"user\"][\"name\"] }}!", "\"Ana!\""),
        ("{{ ($.packet)[\"text\"]|len }}", "12"),
        ("{{ packet.metadata[\"participant.id\"] }}", "\"p-1\""),
        (
            "{{ steps[\"my-step\"].x }}/{{ packet[\"]\"] }}",
            "\"1/<no value>\"",
        ),
        ("{{ packet[\"te\\x78t\"] }}", "\"Hello, world\""),
        (
            "{{ print `packet[\"n\"]` }}",
            "\"(index packet \\\"n\\\")\"",
        ),
    ] {
        gives(source, wanted);
    }
    for source in [
        "{{ upper[\"x\"] }}",
        "{{ packet.text[\"x\"] }}",
        "{{ upper packet['n'] }}",
    ] {
        is_type_fault(source);
    }
}

#[test]
fn other_brackets_are_no_lookups() {
    for source in [
        "{{ packet[0] }}",
        "{{ packet[text] }}",
        "{{ packet['text'] }}",
        "{{ packet[] }}",
        "{{ packet [\"text\"] }}",
        "{{ packet[\"text\" }}",
        "{{ packet[\"text\"]] }}",
        "{{ packet[\"text\"](1) }}",
        "{{ [\"text\"] }}",
        "{{ \"s\"[\"text\"] }}",
        "{{ .[\"packet\"] }}",
        "{{ $x := packet.user }}{{ $x[\"name\"] }}",
        "{{ $x := packet }}{{ $x.user[\"name\"] }}",
        "{{ steps.my-step.x }}",
        "{{ packet..text }}",
        "{{ packet.text. }}",
    ] {
        is_refused(source, Mode::Runtime, ErrorKind::Parse);
    }
}

#[test]
fn a_bare_path_keeps_its_value_and_anything_more_is_rendered() {
    for (source, wanted) in [
        ("{{ packet.items }}", r#"["a","b"]"#),
        ("{{ index packet \"items\" }}", r#"["a","b"]"#),
        ("{{ packet[\"items\"] }}", r#"["a","b"]"#),
        ("\u{a0}{{\n.packet.items\t}}\n", r#"["a","b"]"#),
        ("{{ (index packet \"user\").name }}", "\"Ana\""),
        ("{{ packet.none }}", "null"),
        ("{{ (packet.items) }}", "\"[a b]\""),
        ("{{- packet.items -}}", "\"[a b]\""),
        ("{{ $.packet.items }}", "\"[a b]\""),
        ("{{ packet.items }}{{/* c */}}", "\"[a b]\""),
        (
            "{{ define \"t\" }}x{{ end }}{{ packet.items }}",
            "\"[a b]\"",
        ),
        ("{{ packet.none }}!", "\"<no value>!\""),
    ] {
        gives(source, wanted);
    }
    is_type_fault("{{ packet.text.x }}");
    is_type_fault("{{ packet.none.x }}");
}

#[test]
fn every_name_begins_with_a_root_that_may_be_read() {
    for source in [
        "{{ .foo }}",
        "{{ if false }}{{ .foo.bar }}{{ end }}",
        "{{ range packet.items }}{{ .name }}{{ end }}",
        "{{ with packet.user }}{{ index . \"name\" }}{{ end }}",
        "{{ get . \"foo\" }}",
        "{{ (.).foo }}",
        "{{ (index . \"foo\").bar }}",
        "{{ dig \"foo\" \"bar\" \"d\" . }}",
        "{{ print (upper (print .foo)) }}",
        "{{ template \"t\" }}",
        "{{ block \"t\" . }}{{ end }}",
    ] {
        is_refused(source, Mode::Runtime, ErrorKind::Scope);
    }
    for source in [
        "{{ packet.text }}",
        "{{ steps[\"a\"].b }}",
        "{{ index . \"packet\" }}",
    ] {
        is_refused(source, Mode::With, ErrorKind::Scope);
    }
}

#[test]
fn paths_from_variables_and_names_inside_literals_are_free() {
    for source in [
        "{{ $.foo }}",
        "{{ index $ \"foo\" }}",
        "{{ hasKey . \"foo\" }}",
        "{{ $u := packet.user }}{{ $u.name }}",
        "{{ define \"t\" }}{{ .foo }}{{ end }}x",
        "{{ print \".foo\" `.foo` }}",
        "{{ with packet.user }}{{ pick . \"name\" }}{{ end }}",
    ] {
        let found = value_in(source, Dialect::Template, Mode::Runtime, Limits::default());
        assert!(matches!(found, Outcome::Value(_)), "{source}: {found:?}");
    }
}

#[test]
fn every_stray_name_is_told_with_its_place() {
    let errors = errors(
        "{{ .pakcet.x }} {{ upper .inptus }}",
        Mode::Runtime,
        Dialect::Template,
    );
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error.column, error.near.as_deref()))
        .collect();
    assert_eq!(found, [(4, Some("packet")), (26, Some("inputs"))]);
}

#[test]
fn a_comparison_with_metadata_is_the_same_however_it_is_written() {
    let answer = |text: &str, lang: &str| {
        let condition = Condition::compile(text, Dialect::Template, Limits::default()).unwrap();
        let roots = Roots::of(&format!(r#"{{"packet": {{"metadata": {{{lang}}}}}}}"#));
        condition.evaluate(&roots, &Surroundings::default())
    };
    let (de, en) = (r#""lang": "de""#, r#""lang": "en""#);
    let long_way = r#"{{ $x := packet.metadata.lang }}{{ eq $x "de" }}"#;
    for (text, wanted) in [
        (r#"{{ eq packet.metadata.lang "de" }}"#, true),
        (r#"{{ eq "de" packet.metadata.lang }}"#, true),
        (r#"{{ eq .packet.metadata.lang "de" }}"#, true),
        (r#"{{ eq (packet.metadata.lang) "de" }}"#, true),
        (r#"{{ ne packet.metadata.lang "de" }}"#, false),
    ] {
        assert_eq!(answer(text, de), Ok(wanted), "{text}");
        assert_eq!(answer(text, en), Ok(!wanted), "{text}");
        let same = |lang: &str| answer(text, lang).is_ok() == answer(long_way, lang).is_ok();
        assert!(
            same("") && same(r#""lang": 1"#) && same(r#""other": "de""#),
            "{text}"
        );
    }
}
