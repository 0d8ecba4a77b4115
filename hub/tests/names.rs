//! Names that scripts, dashboards and checks rely on (spec 11): flags, keys, metrics, pages, exit
//! statuses, the forms of lines. The built binary is held to them; a name may be added, never
//! changed.
#![allow(missing_docs, unreachable_pub, reason = "tests")]

#[path = "binary/engram.rs"]
mod engram;
#[path = "binary/process.rs"]
#[allow(dead_code, reason = "shared with the tests of the binary")]
mod process;
#[path = "names/tables.rs"]
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use crate::engram::Engram;
use process::{Hub, Process, hub, story_file};
use tables::{EDGE, EVENTS, KEYS, METRICS, STEP, STORY};

/// A path below the repository's root.
fn repository(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn hub_toml_has_every_key_with_its_default() {
    let text = std::fs::read_to_string(repository("hub.toml")).unwrap();
    let file: toml::Table = text.parse().unwrap();
    for (name, default, _) in KEYS {
        let (section, key) = name.split_once('.').unwrap();
        let value = file.get(section).and_then(|section| section.get(key));
        // Words stand in quotes in the file; numbers, booleans and lists do not.
        let same = |value: &toml::Value, default: &str| match value {
            toml::Value::String(text) => text == default,
            other => format!("v = {default}")
                .parse::<toml::Table>()
                .is_ok_and(|table| table.get("v") == Some(other)),
        };
        match (value, default) {
            (Some(value), Some(default)) => assert!(same(value, default), "{name} = {value}"),
            (value, default) => assert_eq!(
                value.map(ToString::to_string),
                default.map(str::to_owned),
                "{name}"
            ),
        }
        if default.is_none() {
            let commented = format!("\n# {key} = ");
            assert!(text.contains(&commented), "{name} is not shown");
        }
    }
}

#[test]
fn every_key_is_taken_from_set_and_from_the_environment() {
    for (name, _, value) in KEYS {
        let set = format!("{name}={value}");
        let ended = hub(&["config", "check", "--set", &set]);
        assert_eq!(ended.code, Some(0), "--set {set}: {}", ended.stderr);

        let variable = format!("HUB__{}", name.to_ascii_uppercase().replace('.', "__"));
        let env = [(variable.as_str(), *value)];
        let ended = Process::start_with_env(&["config", "check"], &env).end();
        assert_eq!(ended.code, Some(0), "{variable}={value}: {}", ended.stderr);
    }
}

#[test]
fn the_subcommands_and_flags_have_their_names() {
    let help = |line: &str| {
        let args: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let ended = hub(&[args.as_slice(), &["--help"]].concat());
        assert_eq!(ended.code, Some(0), "{line}");
        ended.stdout
    };
    for (command, words) in [
        ("", "run demo check config completions version"),
        (
            "run",
            "<STORY>... --listen --admin --data-dir --config --set --insecure",
        ),
        ("demo", "--fast --output"),
        ("check", "<STORY>... --output"),
        ("config", "print check schema"),
        ("config check", "--config --set"),
        ("completions", "<SHELL>"),
    ] {
        let page = help(command);
        let known: BTreeSet<&str> = page.split_whitespace().collect();
        for word in words.split(' ') {
            assert!(
                known.contains(word),
                "{word} is not in hub {command} --help:\n{page}"
            );
        }
    }
}

#[test]
fn each_flag_of_run_stands_for_its_key() {
    let (_folder, path) = story_file(STORY);
    for (flag, key) in [("--listen", "listen.grpc"), ("--admin", "listen.admin")] {
        let ended = hub(&["run", &path, flag, "nowhere"]);
        assert_eq!(ended.code, Some(64));
        let text = format!("{flag}: {key}: ");
        assert!(ended.stderr.starts_with(&text), "{}", ended.stderr);
    }
}

#[test]
fn the_exit_statuses_mean_what_they_say() {
    let (_folder, good) = story_file(STORY);
    let (_folder, bad) = story_file("kind: Story\n");
    for (code, args) in [
        (0, vec!["version"]),
        (0, vec!["--version"]),
        (0, vec!["check", &good]),
        (1, vec!["check", &bad]),
        (1, vec!["run", &bad]),
        (2, vec![]),
        (2, vec!["run"]),
        (2, vec!["run", &good, "--nonsense"]),
        (2, vec!["nonsense"]),
        (64, vec!["run", &good, "--set", "no.such=key"]),
        (64, vec!["run", &good, "--config", "/nowhere/hub.toml"]),
        (64, vec!["config", "check", "--set", "drain.deadline=soon"]),
    ] {
        let ended = hub(&args);
        assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn the_ready_line_has_its_form() {
    let hub = Hub::serve(STORY, &[]);
    let words: Vec<&str> = hub.ready.split(' ').collect();
    let [ready, grpc, admin] = words.as_slice() else {
        panic!("not three words: {:?}", hub.ready);
    };
    assert_eq!(*ready, "ready");
    assert!(grpc.starts_with("grpc=127.0.0.1:"), "{grpc}");
    assert!(admin.starts_with("admin=127.0.0.1:"), "{admin}");
}

#[test]
fn the_admin_pages_have_their_paths() {
    let hub = Hub::serve(STORY, &[]);
    let run = "/api/v1/runs/default/story";
    for path in ["/healthz", "/readyz", "/metrics", "/api/v1/runs", run] {
        let (head, _) = hub.get(path);
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
    }
    let (head, body) = hub.get("/api/v1/nothing");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert!(
        head.contains("content-type: application/problem+json"),
        "{head}"
    );
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["status"], 404);
}

#[test]
fn a_run_has_its_fields() {
    let hub = Hub::serve(STORY, &[]);
    let (head, body) = hub.get("/api/v1/runs/default/story");
    assert!(head.contains("content-type: application/json"), "{head}");
    let run: serde_json::Value = serde_json::from_str(&body).unwrap();
    let keys = |value: &serde_json::Value| {
        let keys = value.as_object().unwrap().keys().cloned();
        keys.collect::<BTreeSet<_>>()
    };
    let same = |value: &serde_json::Value, names: &str| {
        let names = names.split_whitespace().map(str::to_owned);
        assert_eq!(keys(value), names.collect());
    };
    same(&run, "namespace name story steps edges");
    same(&run["steps"][0], STEP);
    same(&run["edges"][0], EDGE);
    let (_, body) = hub.get("/api/v1/runs");
    let all: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(all["runs"][0], run);
}

#[test]
fn the_events_have_their_types() {
    let hub = Hub::serve(STORY, &[]);
    let (_, page) = hub.get("/metrics");
    for name in EVENTS {
        let series = format!("hub_events_total{{type=\"{name}\"}} ");
        assert!(page.lines().any(|l| l.starts_with(&series)), "{name}");
    }
}

#[test]
fn check_prints_edges_warnings_notes_and_errors_in_their_forms() {
    let chain = repository("conformance/stories/loads/chain-without-needs.yaml");
    let ended = hub(&["check", &chain]);
    assert!(
        ended
            .stdout
            .starts_with("mic -> vad\nvad -> stt\nstt -> sink\n"),
        "{}",
        ended.stdout
    );
    let warning = format!("\nwarning: {chain}:13: spec.steps: ");
    assert!(ended.stdout.contains(&warning), "{}", ended.stdout);

    let settings = repository("conformance/stories/loads/fan-out-fan-in.yaml");
    let ended = hub(&["check", &settings]);
    let note =
        format!("\nnote: {settings}:16: spec.transports[0].streaming.observability.tracing: ");
    assert!(ended.stdout.contains(&note), "{}", ended.stdout);

    let rules = repository("conformance/stories/loads/routing-rules.yaml");
    let ended = hub(&["check", &rules]);
    let reads = "\nreads: rule english when: packet.metadata.lang\n";
    assert!(ended.stdout.contains(reads), "{}", ended.stdout);

    let need = repository("conformance/stories/refused/unknown-need.yaml");
    let ended = hub(&["check", &need]);
    let error = format!("{need}:12: spec.steps[1].needs[0]: ");
    assert!(ended.stdout.starts_with(&error), "{}", ended.stdout);
}

/// Type and labels of every metric of a page, `le` aside.
fn metrics(page: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut found: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            found.entry(name.to_owned()).or_default().0 = kind.to_owned();
        }
    }
    for line in page
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let (series, _) = line.rsplit_once(' ').expect("a series");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let parts = ["_bucket", "_sum", "_count"];
        let base = parts.iter().find_map(|part| name.strip_suffix(part));
        let name = base
            .filter(|base| found.contains_key(*base))
            .unwrap_or(name);
        let (_, known) = found
            .get_mut(name)
            .unwrap_or_else(|| panic!("no type: {line}"));
        let labels = labels.trim_end_matches('}').split("\",");
        let keys = labels
            .filter_map(|label| label.split_once("=\""))
            .map(|(key, _)| key);
        known.extend(keys.filter(|key| *key != "le").map(str::to_owned));
    }
    found
}

#[tokio::test]
async fn the_metrics_have_their_names_types_and_labels() {
    let hub = Hub::serve(STORY, &[]);
    let mut a = Engram::register(hub.grpc, "a").await.expect("registers");
    let src = Engram::register(hub.grpc, "src").await.expect("registers");
    // Nobody is there to take what goes to b: the second packet finds its queue full.
    for _ in 0..2 {
        src.send(100).await;
        assert!(a.receive().await.expect("no status").is_some());
    }
    let dropped =
        "hub_packets_dropped_total{story=\"story\",from=\"src\",to=\"b\",reason=\"lane_full\"} 1";
    let found = metrics(&hub.metrics_with(dropped).await);
    for (name, kind, labels) in METRICS {
        let name = format!("hub_{name}");
        let (is, has) = found
            .get(&name)
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(is, kind, "{name}");
        assert_eq!(
            has.iter().map(String::as_str).collect::<Vec<_>>(),
            *labels,
            "{name}"
        );
    }
    let bounded = [
        "story",
        "from",
        "to",
        "lane",
        "reason",
        "policy",
        "code",
        "direction",
        "result",
        "type",
        "mode",
    ];
    for (name, (_, labels)) in &found {
        assert!(name.starts_with("hub_"), "{name}");
        let unbounded = labels
            .iter()
            .find(|label| !bounded.contains(&label.as_str()));
        assert_eq!(
            unbounded, None,
            "{name} has a label that nobody knows to be bounded"
        );
    }
}
