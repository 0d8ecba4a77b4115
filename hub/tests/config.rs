//! The configuration as its users meet it: sources, precedence, and what a mistake is told.

#![allow(clippy::unwrap_used)] // helpers of tests unwrap like tests

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hub::config::{
    Config, ConfigError, FlagOverride, LogFormat, LogLevel, Sources, Subscriber, keys, schema,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn from_env(env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&Sources {
        env: env.iter().map(|(name, value)| pair(name, value)).collect(),
        ..Sources::default()
    })
}

fn from_sets(sets: &[&str]) -> Result<Config, ConfigError> {
    Config::load(&Sources {
        sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        ..Sources::default()
    })
}

/// Loads a config file with this text; paths in messages are the bare file name.
fn from_file(text: &[u8]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.toml");
    fs::write(&path, text).unwrap();
    Config::load(&Sources {
        file: Some(path),
        ..Sources::default()
    })
    .map_err(|error| {
        let prefix = format!("{}/", folder.path().display());
        error.to_string().replace(&prefix, "")
    })
}

#[track_caller]
fn refused(result: Result<Config, ConfigError>, texts: &[&str]) {
    let error = result.expect_err("was accepted");
    assert_eq!(error.exit_code(), 64);
    let shown = error.to_string();
    for text in texts {
        assert!(shown.contains(text), "{text:?} is not in {shown:?}");
    }
}

#[test]
fn without_sources_the_documented_defaults_hold() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.listen.grpc.to_string(), "127.0.0.1:9000");
    assert_eq!(config.listen.admin.to_string(), "127.0.0.1:9090");
    assert_eq!(config.data.dir, None);
    assert_eq!(config.heartbeat.interval, Duration::from_secs(10));
    assert_eq!(config.heartbeat.timeout, Duration::from_secs(30));
    assert_eq!(config.state.ttl, Duration::from_secs(600));
    assert_eq!(config.drain.deadline, Duration::from_secs(30));
    assert_eq!(config.refusal.delay_max, Duration::from_secs(2));
    assert!(!config.runs.auto_create);
    assert_eq!(config.runs.default_ttl, Duration::ZERO);
    assert_eq!(config.limits.max_message_bytes, 10 << 20);
    assert_eq!(config.limits.max_streams, 2000);
    assert_eq!(config.limits.max_downstreams, 64);
    assert_eq!(config.limits.queue_budget(4 << 30), 1 << 30);
    assert_eq!(config.limits.output_bytes, 64 << 10);
    assert_eq!(config.log.format, None);
    assert_eq!(config.log.level, LogLevel::Info);
}

#[test]
fn the_committed_hub_toml_equals_the_defaults() {
    let path = root().join("hub.toml");
    let config = Config::load(&Sources {
        file: Some(path),
        ..Sources::default()
    })
    .unwrap();
    let mut expected = Config::default();
    expected.events.subscribers = vec![Subscriber::Jsonl {
        path: root().join("hub-events.jsonl"),
    }];
    assert_eq!(config, expected);
}

#[test]
fn the_committed_hub_toml_shows_every_key_once_in_its_section_with_its_default() {
    let text = fs::read_to_string(root().join("hub.toml")).unwrap();
    let mut section = "";
    let mut shown = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
        }
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some((key, value)) = bare.split_once(" = ") {
            let default = (!line.starts_with('#')).then(|| value.to_owned());
            shown.push((format!("{section}.{key}"), default));
        }
    }
    let known: Vec<_> = keys::KEYS
        .iter()
        .map(|key| (key.name.to_owned(), key.default.map(str::to_owned)))
        .collect();
    assert_eq!(shown, known);
}

#[test]
fn every_default_of_the_table_is_what_the_types_say() {
    for key in keys::KEYS {
        let Some(default) = key.default else { continue };
        let (section, name) = key.name.split_once('.').unwrap();
        let text = format!("[{section}]\n{name} = {default}\n");
        let mut config = from_file(text.as_bytes()).unwrap();
        config.events = Config::default().events;
        assert_eq!(config, Config::default(), "{}", key.name);
    }
}

#[test]
fn the_committed_schema_is_the_one_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/hub.schema.json");
    let made = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(
        committed == made,
        "out of date: UPDATE_SCHEMA=1 cargo test -p hub --test config"
    );
}

#[test]
fn file_then_environment_then_sets_then_flags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.toml");
    fs::write(
        &path,
        "[heartbeat]\ninterval = \"1s\"\n[limits]\nmax_streams = 1\nmax_queues = 1\n\
         [listen]\ngrpc = \"127.0.0.1:1\"\n",
    )
    .unwrap();
    let config = Config::load(&Sources {
        file: Some(path),
        env: vec![
            pair("HUB__LIMITS__MAX_STREAMS", "2"),
            pair("HUB__LIMITS__MAX_QUEUES", "2"),
            pair("HUB__LISTEN__GRPC", "127.0.0.1:2"),
        ],
        sets: vec![
            "limits.max_queues=3".to_owned(),
            "listen.grpc=127.0.0.1:3".to_owned(),
        ],
        flags: vec![FlagOverride {
            flag: "--listen",
            key: "listen.grpc",
            value: "127.0.0.1:4".to_owned(),
        }],
    })
    .unwrap();
    assert_eq!(config.heartbeat.interval, Duration::from_secs(1));
    assert_eq!(config.limits.max_streams, 2);
    assert_eq!(config.limits.max_queues, 3);
    assert_eq!(config.listen.grpc.port(), 4);
}

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

#[test]
fn the_environment_speaks_in_upper_case_with_double_underscores() {
    let config = from_env(&[
        ("HUB__LIMITS__QUEUE_BUDGET_BYTES", "64MiB"),
        ("HUB__LOG__FORMAT", "json"),
        ("HUB__DATA__DIR", "/data"),
        ("HUB__EVENTS__SUBSCRIBERS", "[]"),
        ("HUB_SECRET_LIVEKIT_KEY", "not ours"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(config.limits.queue_budget_bytes, Some(64 << 20));
    assert_eq!(config.log.format, Some(LogFormat::Json));
    assert_eq!(config.data.dir, Some(PathBuf::from("/data")));
    assert_eq!(config.events.subscribers, []);
}

#[test]
fn an_empty_variable_takes_an_optional_value_away() {
    let config = from_env(&[
        ("HUB__DATA__DIR", ""),
        ("HUB__LOG__FORMAT", ""),
        ("HUB__LIMITS__QUEUE_BUDGET_BYTES", ""),
    ]);
    assert_eq!(config.unwrap(), Config::default());
    refused(
        from_env(&[("HUB__LIMITS__MAX_STREAMS", "")]),
        &["limits.max_streams"],
    );
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    refused(
        from_env(&[("HUB__HEARTBEAT__TIMEOUTS", "1s")]),
        &[
            "HUB__HEARTBEAT__TIMEOUTS",
            "did you mean heartbeat.timeout?",
        ],
    );
    refused(
        from_env(&[("HUB__STATE__TTL", "10 minutes")]),
        &["HUB__STATE__TTL: state.ttl:", "10 minutes"],
    );
}

#[test]
fn a_set_without_a_value_or_with_an_unknown_key_is_refused() {
    refused(from_sets(&["limits.max_streams"]), &["--set", "has no '='"]);
    refused(
        from_sets(&["limits.max_stream=1"]),
        &["did you mean limits.max_streams?"],
    );
    refused(from_sets(&["=1"]), &["--set"]);
    assert_eq!(
        from_sets(&["state.ttl = 5m"]).unwrap().state.ttl,
        Duration::from_secs(300)
    );
    let config = from_sets(&["events.subscribers=[{type = \"noop\"}]"]).unwrap();
    assert_eq!(config.events.subscribers, [Subscriber::Noop]);
}

#[test]
fn the_names_of_the_incumbent_are_aliases_below_our_own() {
    let config = from_env(&[
        ("BUBU_HUB_BUFFER_MAX_MESSAGES", "500"),
        ("BUBU_HUB_BUFFER_MAX_BYTES", "1048576"),
        ("BUBU_HUB_MAX_ACTIVE_STREAMS", "10"),
        ("BUBU_HUB_MAX_BUFFERS", "20"),
        ("BUBU_HUB_MAX_DOWNSTREAMS", "8"),
        ("BUBU_GRPC_HEARTBEAT_INTERVAL", "5s"),
        ("HUB__LIMITS__MAX_QUEUES", "30"),
    ])
    .unwrap();
    assert_eq!(config.limits.buffer_messages, 500);
    assert_eq!(config.limits.buffer_bytes, 1 << 20);
    assert_eq!(config.limits.max_streams, 10);
    assert_eq!(config.limits.max_queues, 30);
    assert_eq!(config.limits.max_downstreams, 8);
    assert_eq!(config.heartbeat.interval, Duration::from_secs(5));
    refused(
        from_env(&[("BUBU_HUB_MAX_BUFFERS", "many")]),
        &["BUBU_HUB_MAX_BUFFERS"],
    );
}

#[test]
fn of_the_two_message_sizes_of_the_incumbent_the_smaller_one_holds() {
    for (receive, send) in [("2097152", "4194304"), ("4194304", "2097152")] {
        let config = from_env(&[
            ("BUBU_GRPC_MAX_RECV_BYTES", receive),
            ("BUBU_GRPC_MAX_SEND_BYTES", send),
        ]);
        assert_eq!(config.unwrap().limits.max_message_bytes, 2 << 20);
    }
    let config = from_env(&[("BUBU_GRPC_MAX_RECV_BYTES", "4194304")]);
    assert_eq!(config.unwrap().limits.max_message_bytes, 4 << 20);
}

#[test]
fn the_tls_files_of_the_incumbent_are_refused_rather_than_ignored() {
    refused(
        from_env(&[("BUBU_HUB_TLS_CERT_FILE", "/tls.crt")]),
        &["BUBU_HUB_TLS_CERT_FILE", "not built yet"],
    );
    assert!(from_env(&[("BUBU_HUB_TLS_CERT_FILE", "")]).is_ok());
}

#[test]
fn a_timeout_that_is_not_longer_than_the_interval_is_refused() {
    refused(
        from_sets(&["heartbeat.timeout=10s"]),
        &["--set", "heartbeat.timeout", "must be longer"],
    );
    refused(
        from_env(&[("HUB__HEARTBEAT__INTERVAL", "1m")]),
        &["HUB__HEARTBEAT__INTERVAL: heartbeat.interval:"],
    );
}

#[test]
fn an_address_of_other_machines_needs_insecure() {
    for address in ["0.0.0.0:9000", "[::]:0", "192.168.1.1:9000"] {
        let set = format!("listen.grpc={address}");
        let config = from_sets(&[&set]).unwrap();
        refused(
            config.check_exposure().map(|()| config),
            &["listen.grpc", "--insecure"],
        );
        let config = from_sets(&[&set, "listen.insecure=true"]).unwrap();
        assert_eq!(config.check_exposure(), Ok(()));
    }
    let config = from_sets(&["listen.grpc=127.9.9.9:0", "listen.admin=[::1]:0"]).unwrap();
    assert_eq!(config.check_exposure(), Ok(()));
}

#[test]
fn what_is_printed_loads_to_the_same_configuration_and_names_every_key() {
    let mut changed = from_sets(&[
        "heartbeat.interval=1500ms",
        "log.format=json",
        "data.dir=/var/lib/hub",
        "limits.queue_budget_bytes=5MiB",
        "limits.max_connections_per_peer=7",
        "limits.max_streams_per_peer=8",
        "recording.dir=/rec",
        "secrets.dir=/sec",
        "dead_letter.path=/dead.jsonl",
    ])
    .unwrap();
    // Relative paths in a file count from its folder.
    changed.events.subscribers = vec![Subscriber::Jsonl {
        path: "/events.jsonl".into(),
    }];
    let printed = changed.to_toml();
    for key in keys::KEYS {
        let (_, name) = key.name.split_once('.').unwrap();
        assert!(
            printed.contains(&format!("{name} = ")),
            "{} is missing in\n{printed}",
            key.name
        );
    }
    assert_eq!(from_file(printed.as_bytes()), Ok(changed));
}

#[test]
fn files_of_events_are_relative_to_the_config_file_whoever_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.toml");
    let path = |config: Config| match config.events.subscribers.as_slice() {
        [Subscriber::Jsonl { path }] => path.clone(),
        other => panic!("{other:?}"),
    };
    let load = |text: &str, env: &[(&str, &str)], sets: &[&str]| {
        fs::write(&file, text).unwrap();
        let sources = Sources {
            file: Some(file.clone()),
            env: env.iter().map(|(name, value)| pair(name, value)).collect(),
            sets: sets.iter().map(|set| (*set).to_owned()).collect(),
            ..Sources::default()
        };
        path(Config::load(&sources).unwrap())
    };
    let in_folder = |name: &str| folder.path().join(name);
    assert_eq!(load("", &[], &[]), in_folder("hub-events.jsonl"));
    let own = "events.subscribers = [{ type = \"jsonl\", path = \"own.jsonl\" }]";
    assert_eq!(load(own, &[], &[]), in_folder("own.jsonl"));
    let entry = "[{ type = \"jsonl\", path = \"a/b.jsonl\" }]";
    let env = [("HUB__EVENTS__SUBSCRIBERS", entry)];
    assert_eq!(load("", &env, &[]), in_folder("a/b.jsonl"));
    let set = format!("events.subscribers={entry}");
    assert_eq!(load("", &[], &[&set]), in_folder("a/b.jsonl"));
    let absolute = "events.subscribers=[{ type = \"jsonl\", path = \"/var/e.jsonl\" }]";
    assert_eq!(load("", &[], &[absolute]), PathBuf::from("/var/e.jsonl"));
    let nowhere = path(Config::load(&Sources::default()).unwrap());
    assert_eq!(nowhere, PathBuf::from("hub-events.jsonl"));
}
