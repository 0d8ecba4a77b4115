//! Sources together: who speaks louder, what must agree, and what is printed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use hub::config::{Config, FlagOverride, Sources, Subscriber, keys};

use crate::{from_env, from_file, from_sets, pair, refused};

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
