//! The file: what a mistake in it is told.

use std::path::PathBuf;

use hub::config::{Config, Sources};

use crate::{from_file, refused};

#[test]
fn an_unknown_key_names_file_line_and_the_key_that_was_meant() {
    let error = from_file(b"# comment\n[heartbeat]\nintervall = \"1s\"\n").unwrap_err();
    assert_eq!(
        error,
        "hub.toml:3: heartbeat.intervall: no such key; did you mean heartbeat.interval?"
    );
}

#[test]
fn an_unknown_section_lists_the_sections() {
    let error = from_file(b"[frobnication]\nx = 1\n").unwrap_err();
    assert!(error.starts_with("hub.toml:2: frobnication.x: no such section; there are listen,"));
    let error = from_file(b"toplevel = 1\n").unwrap_err();
    assert!(
        error.starts_with("hub.toml:1: toplevel: no such section"),
        "{error}"
    );
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let error = from_file(
        b"[limits]\nmax_streams = -1\nmax_downstreams = 0\n[log]\nlevel = \"loud\"\n\
          [listen]\ngrpc = \"localhost\"\n",
    )
    .unwrap_err();
    assert_eq!(error.lines().count(), 4, "{error}");
    assert!(error.contains("hub.toml:2: limits.max_streams: -1 is no whole number"));
    assert!(error.contains("hub.toml:3: limits.max_downstreams: 0 is out of range: 1 to 1024"));
    assert!(error.contains("hub.toml:5: log.level: \"loud\" is not one of off, error"));
    assert!(error.contains("hub.toml:7: listen.grpc: \"localhost\" is no address"));
}

#[test]
fn a_value_of_another_type_is_refused() {
    for (text, says) in [
        ("[heartbeat]\ninterval = 10", "10 is no duration"),
        ("[heartbeat]\ninterval = \"250 msec\"", "250 msec"),
        ("[heartbeat]\ninterval = \"0s\"", "out of range"),
        ("[heartbeat]\ninterval = \"-1s\"", "negative"),
        (
            "[limits]\nmax_streams = 1.5",
            "a fraction is no whole number",
        ),
        (
            "[limits]\nmax_streams = 99999999999999999999",
            "number too large",
        ),
        ("[limits]\nmax_message_bytes = \"10MB\"", "10MB"),
        ("[limits]\nmax_message_bytes = 1", "out of range"),
        ("[runs]\nauto_create = \"yes\"", "neither true nor false"),
        ("[data]\ndir = 3", "is no path"),
        ("[data]\ndir = { a = 1 }", "a table is no path"),
        ("[events]\nsubscribers = 3", "no list"),
        ("[events]\nsubscribers = [3]", "[0]: 3 is no table"),
        ("[[events.subscribers]]\npath = \"x\"", "has no type"),
        (
            "[[events.subscribers]]\ntype = \"webhook\"",
            "not built yet",
        ),
        ("[[events.subscribers]]\ntype = \"mail\"", "not one of"),
        (
            "[[events.subscribers]]\ntype = \"noop\"\nfile = \"x\"",
            "file: no such key",
        ),
        ("[[listeners]]\naddr = \"0.0.0.0:1\"", "not built yet"),
    ] {
        let error = from_file(text.as_bytes()).unwrap_err();
        assert!(error.contains(says), "{text:?}: {error}");
    }
}

#[test]
fn a_broken_file_names_its_line_and_never_panics() {
    for (bytes, starts) in [
        (&b"[a]\nb = = 1\n"[..], "hub.toml:2: "),
        (b"\xff\xfe\x00", "hub.toml: is not UTF-8"),
        (
            b"[limits]\nmax_streams = 1\nmax_streams = 2\n",
            "hub.toml:3: ",
        ),
        (b"[limits\n", "hub.toml:1: "),
        (b"\0\0\0", "hub.toml:1: "),
    ] {
        let error = from_file(bytes).unwrap_err();
        assert!(error.starts_with(starts), "{bytes:?}: {error}");
        assert!(
            error.lines().all(|line| line.starts_with("hub.toml")),
            "{error}"
        );
    }
    let deep = "a = ".to_owned() + &"[".repeat(100_000);
    assert!(from_file(deep.as_bytes()).is_err());
}

#[test]
fn a_missing_file_is_refused() {
    let error = Config::load(&Sources {
        file: Some(PathBuf::from("no/such/hub.toml")),
        ..Sources::default()
    });
    refused(error, &["no/such/hub.toml", "cannot be read"]);
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    let config = from_file(b"\xef\xbb\xbf[limits]\r\nmax_streams = 7\r\n").unwrap();
    assert_eq!(config.limits.max_streams, 7);
}
