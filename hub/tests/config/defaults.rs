//! What holds without sources, and the committed files that say so.

use std::fs;
use std::path::Path;
use std::time::Duration;

use hub::config::{Config, LogLevel, Sources, Subscriber, UNBUILT, keys, schema};

use crate::{from_file, from_sets, root};

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
fn a_key_without_effect_says_so_wherever_it_is_described() {
    let text = fs::read_to_string(root().join("hub.toml")).unwrap();
    for name in UNBUILT {
        let key = keys::find(name).unwrap();
        assert!(key.about.ends_with("Not built yet: no effect."), "{name}");
        let (section, key) = name.split_once('.').unwrap();
        let (_, section) = text.split_once(&format!("[{section}]\n")).unwrap();
        let (before, _) = section.split_once(&format!("{key} = ")).unwrap();
        // The comment right above the key, in however many lines.
        let above = before.trim_end_matches("# ").lines().rev();
        let mut comment: Vec<_> = above.take_while(|line| line.starts_with('#')).collect();
        comment.reverse();
        let comment = comment.join(" ").replace("# ", "");
        assert!(
            comment.contains("Not built yet: no effect"),
            "{name}: {comment}"
        );
    }
}

#[test]
fn who_sets_a_key_without_effect_is_told_and_nobody_else() {
    let told = |sets: &[&str]| from_sets(sets).unwrap().without_effect();
    assert!(told(&[]).is_empty());
    assert!(told(&["runs.auto_create=false", "heartbeat.timeout=1m"]).is_empty());
    let texts = told(&["runs.auto_create=true", "data.dir=/data"]);
    assert_eq!(texts.len(), 2);
    assert!(texts[0].starts_with("data.dir has no effect"), "{texts:?}");
    assert!(texts[1].starts_with("runs.auto_create has no"), "{texts:?}");
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
