//! `hub check`: lines, JSON, exit status.

use std::path::{Path, PathBuf};

use clap::Parser;
use hub::check::{CheckArgs, run};

/// The command line around `check`.
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    check: CheckArgs,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Exit status and what was printed, for paths below the repository's root.
fn check(arguments: &[&str]) -> (u8, String) {
    let paths = arguments
        .iter()
        .map(|argument| match argument.strip_prefix("--") {
            Some(_) => (*argument).to_owned(),
            None => root().join(argument).display().to_string(),
        });
    let line = Line::try_parse_from(std::iter::once("check".to_owned()).chain(paths)).unwrap();
    let mut out = Vec::new();
    let status = run(&line.check, &mut out).unwrap();
    let shown = String::from_utf8(out).unwrap();
    (status, shown.replace(&format!("{}/", root().display()), ""))
}

#[test]
fn edges_stand_alone_on_their_lines_and_warnings_behind_them() {
    let (status, shown) = check(&["conformance/stories/loads/unknown-field.yaml"]);
    assert_eq!(status, 0);
    assert_eq!(
        shown,
        "a -> b\nwarning: conformance/stories/loads/unknown-field.yaml:8: spec.colour: unknown \
         field, ignored\n"
    );
}

#[test]
fn what_is_not_built_yet_is_a_note_and_no_finding() {
    let (status, shown) = check(&["conformance/stories/loads/fan-out-fan-in.yaml"]);
    assert_eq!(status, 0);
    let notes = shown.lines().filter(|line| line.starts_with("note: "));
    assert_eq!(notes.count(), 1, "{shown}");
}

#[test]
fn what_each_expression_reads_stands_behind_the_edges() {
    let (status, shown) = check(&["conformance/stories/loads/voice-assistant.yaml"]);
    assert_eq!(status, 0);
    let lines: Vec<&str> = shown.lines().collect();
    let (edges, rest) = lines.split_at(7);
    assert!(edges.iter().all(|line| line.contains(" -> ")), "{shown}");
    assert!(edges.contains(&"route -> llm"), "{shown}");
    let reads = rest.iter().take_while(|line| line.starts_with("reads: "));
    assert_eq!(
        reads.copied().collect::<Vec<_>>(),
        [
            "reads: step vad if: packet.metadata.type",
            "reads: step stt with.language: inputs.language",
            "reads: step route if: packet.text",
            "reads: step llm runtime.prompt: packet.text",
            "reads: step llm runtime.system: inputs.systemPrompt",
            "reads: step llm runtime.who: packet.metadata[\"participant.id\"]",
            "reads: step tts runtime.text: steps.llm.text",
            "reads: step tts runtime.ssml: packet.text",
        ]
    );
    let (_, shown) = check(&["conformance/stories/loads/routing-rules.yaml"]);
    assert!(
        shown.contains("\nreads: rule english when: packet.metadata.lang\n"),
        "{shown}"
    );
}

#[test]
fn findings_are_lines_with_file_line_and_path() {
    let (status, shown) = check(&["conformance/stories/refused/unknown-need.yaml"]);
    assert_eq!(status, 1);
    assert_eq!(
        shown,
        "conformance/stories/refused/unknown-need.yaml:12: spec.steps[1].needs[0]: \
         \"transcirbe\" is no step of this Story; did you mean transcribe?\n"
    );
}

#[test]
fn several_stories_have_headings() {
    let (status, shown) = check(&[
        "conformance/stories/loads/two-transports.yaml",
        "conformance/stories/loads/voice-assistant.yaml",
    ]);
    assert_eq!(status, 0);
    let headings: Vec<&str> = shown.lines().filter(|l| l.starts_with("story ")).collect();
    assert_eq!(
        headings,
        [
            "story default/two (run default/two)",
            "story default/voice-assistant (run calls/voice-assistant-1)",
        ]
    );
}

#[test]
fn json_says_the_same() {
    let (status, shown) = check(&[
        "conformance/stories/loads/two-transports.yaml",
        "--output=json",
    ]);
    assert_eq!(status, 0);
    let document: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(document["ok"], true);
    let story = &document["stories"][0];
    assert_eq!(
        story["edges"][1],
        serde_json::json!({ "from": "stt", "to": "notes" })
    );
    assert_eq!(story["runs"], serde_json::json!(["default/two"]));
    assert_eq!(story["runnable"], true);
    assert_eq!(document["notes"], serde_json::json!([]));

    let rules = "conformance/stories/loads/routing-rules.yaml";
    let (status, shown) = check(&[rules, "--output=json"]);
    assert_eq!(status, 0);
    let document: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(document["stories"][0]["runnable"], true);
    let rule = &document["stories"][0]["expressions"][0];
    assert_eq!(rule["of"], "rule english");
    assert_eq!(rule["line"], 16);
    assert_eq!(rule["reads"], serde_json::json!(["packet.metadata.lang"]));

    let joins = "conformance/stories/loads/fan-out-fan-in.yaml";
    let (status, shown) = check(&[joins, "--output=json"]);
    assert_eq!(status, 0);
    let document: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(document["stories"][0]["runnable"], true);
    assert_eq!(document["notes"][0]["line"], 16);

    let (status, shown) = check(&["conformance/stories/refused/cycle.yaml", "--output=json"]);
    assert_eq!(status, 1);
    let document: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(document["ok"], false);
    assert_eq!(document["problems"][0]["path"], "spec.steps");
    assert_eq!(document["problems"][0]["line"], 10);
}

#[test]
fn a_missing_path_is_a_finding_and_no_path_is_usage() {
    let (status, shown) = check(&["no/such.yaml"]);
    assert_eq!(status, 1);
    assert!(shown.starts_with("no/such.yaml:1: (file): "), "{shown}");
    let usage = Line::try_parse_from(["check"]).err().unwrap();
    assert_eq!(usage.exit_code(), 2);
}

#[test]
fn the_help_shows_examples() {
    let help = Line::try_parse_from(["check", "--help"]).err().unwrap();
    assert!(help.to_string().contains("hub check story.yaml"));
}

#[test]
fn every_example_story_can_be_run_and_passes_without_warning() {
    let folder = root().join("deploy/stories");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name());
    let mut files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    files.sort();
    let expected = [
        "echo-pair.yaml",
        "fan-out.yaml",
        "translation.yaml",
        "video-analytics.yaml",
        "voice-assistant.yaml",
    ];
    assert_eq!(files, expected);
    for file in files {
        let (status, shown) = check(&[&format!("deploy/stories/{file}")]);
        assert_eq!(status, 0, "{shown}");
        let warned = shown.lines().any(|line| line.starts_with("warning: "));
        assert!(!warned, "{shown}");
        assert!(!shown.contains("hub run refuses"), "{shown}");
        assert!(shown.lines().any(|line| line.contains(" -> ")), "{shown}");
    }
    let (status, shown) = check(&["deploy/stories"]);
    assert_eq!(status, 0, "{shown}");
}
