//! Stories that a hub does not serve: what it says instead, and where.

use crate::process::{Ended, hub, story_file};

/// `hub run` of this path ends before it serves; its complaints.
fn refused(path: &str) -> Ended {
    let ended = hub(&[
        "run",
        path,
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
    ]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    ended
}

/// A Story with these steps is refused with one line, which starts `FILE:LINE: PATH: `.
#[track_caller]
fn refused_at(transport: &str, steps: &str, line: usize, path: &str, text: &str) {
    let yaml = format!(
        "apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: {{ name: story }}
spec:
  pattern: streaming
  transports: [{{ name: t, transportRef: grpc{transport} }}]
  steps:
{steps}"
    );
    let (_folder, file) = story_file(&yaml);
    let ended = refused(&file);
    let start = format!("{file}:{line}: {path}: ");
    let said = ended.stderr.lines().find_map(|l| l.strip_prefix(&start));
    assert!(
        said.is_some_and(|said| said.contains(text)),
        "no {start:?} with {text:?} in {}",
        ended.stderr
    );
}

const PAIR: &str = "    - { name: a, ref: { name: a }, transport: t, needs: [] }
    - { name: b, ref: { name: b }, transport: t, needs: [a] }
";

#[test]
fn a_missing_file_is_named() {
    let ended = refused("/nowhere/story.yaml");
    assert!(
        ended.stderr.starts_with("/nowhere/story.yaml:"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("no such file"), "{}", ended.stderr);
}

#[test]
fn a_folder_without_stories_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let ended = refused(path);
    assert!(
        ended.stderr.starts_with(&format!("{path}:")),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("*.yaml"), "{}", ended.stderr);
}

#[test]
fn a_cycle_is_spelled_out() {
    let steps = "    - { name: a, ref: { name: a }, transport: t, needs: [b] }
    - { name: b, ref: { name: b }, transport: t, needs: [a] }
";
    refused_at("", steps, 8, "spec.steps", "a -> b -> a");
}

#[test]
fn an_unknown_need_is_met_with_the_name_that_was_meant() {
    let steps = "    - { name: speech, ref: { name: a }, transport: t, needs: [] }
    - { name: b, ref: { name: b }, transport: t, needs: [speach] }
";
    refused_at(
        "",
        steps,
        9,
        "spec.steps[1].needs[0]",
        "did you mean speech?",
    );
}

#[test]
fn a_duplicate_id_names_the_line_of_the_first() {
    let steps = "    - { name: a, ref: { name: a }, transport: t, needs: [] }
    - { name: b, id: a, ref: { name: b }, transport: t, needs: [a] }
";
    refused_at("", steps, 9, "spec.steps[1].id", "line 8");
}

#[test]
fn a_bad_duration_shows_how_durations_are_written() {
    let transport = ", streaming: { flowControl: { ackEvery: { maxDelay: 1 minute } } }";
    let path = "spec.transports[0].streaming.flowControl.ackEvery.maxDelay";
    refused_at(transport, PAIR, 6, path, "1m30s");
}

#[test]
fn a_story_that_needs_a_disk_is_told_that_replay_from_it_is_not_built_yet() {
    let transport = ", streaming: { delivery: { replay: { mode: durable } } }";
    let path = "spec.transports[0].streaming.delivery.replay.mode";
    refused_at(
        transport,
        PAIR,
        6,
        path,
        "replay that survives a crash is not built yet",
    );
}

#[test]
fn an_expression_that_does_not_compile_is_shown_with_what_was_meant() {
    let steps = "    - { name: a, ref: { name: a }, transport: t, needs: [] }
    - { name: b, ref: { name: b }, transport: t, needs: [a], if: '{{ uper packet.text }}' }
";
    refused_at("", steps, 9, "spec.steps[1].if", "did you mean upper?");
}

#[test]
fn a_run_whose_inputs_lack_what_with_reads_does_not_start() {
    let steps = "    - { name: a, ref: { name: a }, transport: t, needs: [] }
    - name: b
      ref: { name: b }
      transport: t
      needs: [a]
      with:
        room: '{{ inputs.room }}'
";
    let text = "run default/story cannot start: step b: inputs.room: no such key";
    refused_at("", steps, 14, "spec.steps[1].with.room", text);
}

#[test]
fn everything_wrong_with_a_folder_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        let text = format!("kind: Story\nmetadata: {{ name: {name} }}\n");
        std::fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    }
    let ended = refused(folder.path().to_str().unwrap());
    for name in ["one.yaml:", "two.yaml:"] {
        assert!(ended.stderr.contains(name), "{}", ended.stderr);
    }
}
