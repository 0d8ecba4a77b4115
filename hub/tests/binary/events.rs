//! What the hub tells in its file of events (spec 10, 11).

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::engram::Engram;
use crate::process::{DEADLINE, Hub, hub, story_file};
use crate::ready::PAIR;

/// The events of a file, which has nothing but whole lines of JSON.
fn events(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a file");
    assert!(text.ends_with('\n'), "half a line: {text:?}");
    let lines = text.lines().map(|line| {
        let event: Value = serde_json::from_str(line).expect(line);
        event
    });
    lines.collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    let names = events.iter().map(|event| event["name"].as_str());
    names.map(|name| name.expect("a name")).collect()
}

/// Waits until the file of events is there.
fn wait_for(path: &Path) {
    let until = Instant::now() + DEADLINE;
    while !fs::read_to_string(path).is_ok_and(|text| text.contains("hub.started")) {
        assert!(Instant::now() < until, "{} is missing", path.display());
        std::thread::yield_now();
    }
}

/// `--set` for one jsonl at `path`.
fn subscriber(path: &Path) -> String {
    format!(
        "events.subscribers=[{{ type = \"jsonl\", path = \"{}\" }}]",
        path.display()
    )
}

#[tokio::test]
async fn the_life_of_a_hub_is_one_line_an_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("made/on/the/way.jsonl");
    let hub = Hub::serve(PAIR, &["--set", &subscriber(&path)]);
    let src = Engram::register(hub.grpc, "src").await.expect("registers");
    let a = Engram::register(hub.grpc, "a").await.expect("registers");
    hub.metrics_with("hub_events_total{type=\"run.ready\"} 1")
        .await;
    let ended = tokio::task::spawn_blocking(|| hub.terminate());
    assert_eq!(ended.await.expect("ended").code, Some(0));
    drop((src, a));

    let events = events(&path);
    let told = names(&events);
    assert_eq!(
        told[..7],
        [
            "hub.started",
            "story.loaded",
            "run.created",
            "step.connected",
            "step.connected",
            "run.ready",
            "hub.draining"
        ]
    );
    assert_eq!(told[7..], ["step.disconnected"; 2]);
    let fields = [
        "name",
        "version",
        "uuid",
        "timestamp",
        "actor",
        "artifact",
        "payload",
    ];
    for event in &events {
        let object = event.as_object().expect("an object");
        assert!(
            fields.iter().all(|field| object.contains_key(*field)),
            "{event}"
        );
        assert_eq!(object.len(), fields.len(), "{event}");
        assert_eq!(event["actor"], events[0]["actor"], "one hub");
    }
    let in_order =
        |field: &str| events.is_sorted_by_key(|event| event[field].as_str().map(str::to_owned));
    assert!(in_order("uuid") && in_order("timestamp"));
}

#[test]
fn a_story_that_is_refused_is_told_before_the_hub_exits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.jsonl");
    let not_built = PAIR.replace(
        "transportRef: grpc",
        "transportRef: grpc, streaming: { delivery: { replay: { mode: durable } } }",
    );
    for (story, reason) in [
        ("kind: Story\n", "apiVersion"),
        (&not_built, "survives a crash"),
    ] {
        let (_file, file) = story_file(story);
        let ended = hub(&["run", &file, "--set", &subscriber(&path)]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let mut events = events(&path);
        assert_eq!(names(&events), ["story.refused"]);
        let event = events.remove(0);
        assert_eq!(event["artifact"]["path"], file.as_str());
        let problem = event["payload"]["problems"][0].as_str().expect("a text");
        assert!(ended.stderr.starts_with(problem), "{problem}");
        assert!(problem.contains(reason), "{problem}");
        fs::remove_file(&path).expect("removed");
    }
}

#[test]
fn without_a_configuration_the_file_is_made_where_the_hub_was_started() {
    let hub = Hub::serve(PAIR, &[]);
    wait_for(&hub.process.folder().join("hub-events.jsonl"));
}

#[test]
fn with_a_config_file_the_default_file_is_made_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("hub.toml");
    fs::write(&config, "[log]\nlevel = \"info\"\n").expect("written");
    let hub = Hub::serve(PAIR, &["--config", config.to_str().expect("UTF-8")]);
    wait_for(&folder.path().join("hub-events.jsonl"));
    assert!(!hub.process.folder().join("hub-events.jsonl").exists());
}

#[test]
fn an_empty_list_means_nobody() {
    let hub = Hub::serve(PAIR, &["--set", "events.subscribers=[]"]);
    let folder = hub.process.folder().to_owned();
    let names = fs::read_dir(&folder).expect("a folder");
    assert_eq!(names.count(), 0);
    assert_eq!(hub.terminate().code, Some(0));
}

#[test]
fn a_file_that_cannot_be_written_is_a_line_in_the_log_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    // A folder is no file.
    let hub = Hub::serve(PAIR, &["--set", &subscriber(folder.path())]);
    assert!(hub.get("/readyz").0.starts_with("HTTP/1.1 200 "));
    let ended = hub.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let start = format!(
        "event-dispatch failure: subscriber=jsonl:{} event=hub.started error=\"",
        folder.path().display()
    );
    let said = ended.stderr.lines().any(|line| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with(&start) && message.ends_with('"')
    });
    assert!(said, "{}", ended.stderr);
}
