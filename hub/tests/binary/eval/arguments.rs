//! What is wrong with arguments, files and configuration, and what the configuration bounds.

use std::fs;

use super::{A, Case, story_file};
use crate::process::hub;

#[test]
fn a_step_or_run_that_is_not_there_is_usage_and_names_the_known() {
    let story = story_file("voice-assistant.yaml");
    let eval = |more: &[&str]| {
        let mut args = vec!["eval", &story, "--packet", "none.json"];
        args.extend(more);
        hub(&args)
    };
    for (more, says) in [
        (&["--step", "sstt"][..], "did you mean stt?"),
        (&["--step", "route"], "is a primitive"),
        (
            &["--step", "stt", "--run", "nobody"],
            "calls/voice-assistant-1",
        ),
        (&[], "--step"),
    ] {
        let ended = eval(more);
        assert_eq!(ended.code, Some(2), "{more:?}");
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    let run = ["--step", "stt", "--run", "calls/voice-assistant-1"];
    let ended = eval(&run);
    assert_eq!(ended.code, Some(1), "the sample is missing");
    assert!(ended.stderr.starts_with("none.json: "), "{}", ended.stderr);
}

#[test]
fn several_runs_must_be_told_apart() {
    let (one, two) = (
        story_file("routing-rules.yaml"),
        story_file("two-transports.yaml"),
    );
    let args = ["eval", &one, &two, "--step", "src", "--packet", "none.json"];
    let ended = hub(&args);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("default/rules, default/two"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_story_or_sample_that_is_wrong_is_told_with_its_place() {
    let case = Case::new("", &[A, "name: b, ref: { name: b }, needs: [c]"]);
    let ended = case.eval("{}", &[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains(":8: spec.steps[1].needs[0]: "),
        "{}",
        ended.stderr
    );
    let case = Case::new("", &[A]);
    let ended = case.eval(r#"{"metadata": {"n": 1}}"#, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .contains("sample.json: metadata.n: must be text"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_sample_that_is_no_json_is_said_to_be_none() {
    let case = Case::new("", &[A]);
    let ended = case.eval("text: hello", &[]);
    assert_eq!(ended.code, Some(1));
    let says = "sample.json: no JSON: ";
    assert!(ended.stderr.contains(says), "{}", ended.stderr);
}

#[test]
fn the_help_shows_a_sample() {
    let ended = hub(&["eval", "--help"]);
    assert_eq!(ended.code, Some(0));
    for says in [
        "hub eval story.yaml --step stt --packet sample.json",
        "\"metadata\"",
        "Exit status",
    ] {
        assert!(ended.stdout.contains(says), "{}", ended.stdout);
    }
}

/// A step whose inputs are a text of 2,000 bytes, and the packet that it comes from.
fn two_thousand_bytes() -> (Case, String) {
    let step = "name: b, ref: { name: b }, needs: [a], runtime: { t: '{{ upper packet.text }}' }";
    let sample = format!(r#"{{"payload": {{"text": "{}"}}}}"#, "x".repeat(2000));
    (Case::new("", &[A, step]), sample)
}

#[test]
fn limits_are_those_of_the_configuration_that_is_named() {
    let (case, sample) = two_thousand_bytes();
    let by_default = case.eval(&sample, &[]);
    assert_eq!(by_default.code, Some(0), "64 KiB: {}", by_default.stdout);
    let set = ["--set", "limits.output_bytes=1024"];
    let file = case.path("hub.toml");
    fs::write(&file, "[limits]\noutput_bytes = 1024\n").expect("a configuration");
    for more in [&set[..], &["--config", &file]] {
        let ended = case.eval(&sample, more);
        assert_eq!(ended.code, Some(1), "{more:?}: {}", ended.stdout);
        assert!(ended.stdout.contains("  fails: "), "{}", ended.stdout);
    }
}

#[test]
fn the_targets_of_a_packet_are_those_that_the_configuration_allows() {
    let target = |name: &str| format!("name: {name}, ref: {{ name: {name} }}, needs: [a]");
    let case = Case::new("", &[A, &target("b"), &target("c")]);
    let dropped = |more: &[&str]| {
        let ended = case.eval("{}", more);
        ended.stdout.matches("dropped as max_downstreams").count()
    };
    assert_eq!(dropped(&[]), 0);
    assert_eq!(dropped(&["--set", "limits.max_downstreams=1"]), 1);
}

#[test]
fn a_configuration_that_is_wrong_ends_with_64() {
    let ended = two_thousand_bytes()
        .0
        .eval("{}", &["--set", "limits.output=1"]);
    assert_eq!((ended.code, &*ended.stdout), (Some(64), ""));
    assert!(ended.stderr.contains("limits.output"), "{}", ended.stderr);
}
