//! `hub binding`: what engrams are given to connect with.
#![allow(missing_docs, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use hub::binding::{BindingArgs, run};
use serde_json::{Value, json};

const STORY: &str = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: voice }
spec:
  pattern: streaming
  transports: [{ name: t, transportRef: grpc }]
  steps:
    - { name: mic, ref: { name: mic }, transport: t, needs: [] }
    - { name: asr, ref: { name: asr }, transport: t, needs: [mic] }
---
apiVersion: runs.bubustack.io/v1alpha1
kind: StoryRun
metadata: { name: call-1, namespace: calls }
spec: { storyRef: { name: voice, namespace: default } }
";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: BindingArgs,
}

/// Exit status, output and what is said on the side.
fn printed(story: &str, args: &[&str]) -> (u8, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("story.yaml");
    std::fs::write(&path, story).expect("written");
    let path = path.to_str().expect("a path in UTF-8");
    let line = ["binding", path].into_iter().chain(args.iter().copied());
    let args = Cli::try_parse_from(line)
        .unwrap_or_else(|e| panic!("{e}"))
        .args;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = run(&args, &mut out, &mut err).expect("a buffer takes all");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status, text(out), text(err))
}

#[test]
fn the_value_of_one_step_is_what_the_sdk_reads() {
    let (status, out, err) = printed(STORY, &["--step", "asr", "--format", "value"]);
    assert_eq!((status, &*err), (0, ""));
    let value: Value = serde_json::from_str(out.trim_end()).unwrap();
    assert_eq!(value["name"], "call-1-asr");
    assert_eq!(value["namespace"], "calls");
    let info = &value["binding"];
    assert_eq!(info["endpoint"], "127.0.0.1:9000");
    assert_eq!(info["protocolVersion"], "1.0.0");
    let payload = STANDARD.decode(info["payload"].as_str().unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let expected = json!({ "env": {
        "BUBU_GRPC_RECONNECT_MAX_RETRIES": "-1",
        "BUBU_GRPC_DIAL_TIMEOUT": "10m",
        "BUBU_GRPC_MESSAGE_TIMEOUT": "10m",
        "BUBU_GRPC_RECONNECT_MAX_BACKOFF": "1s",
        "BUBU_GRPC_CHANNEL_BUFFER_SIZE": "128",
    }});
    assert_eq!(payload, expected);
    // The SDK refuses fields that it does not know.
    let known = [
        "driver",
        "endpoint",
        "payload",
        "protocolVersion",
        "transportRef",
    ];
    let keys: Vec<_> = info.as_object().unwrap().keys().collect();
    assert_eq!(keys, known);
}

#[test]
fn what_a_transport_lists_of_media_stands_in_the_bindings_of_its_steps() {
    let transport = "
apiVersion: transport.bubustack.io/v1alpha1
kind: Transport
metadata: { name: grpc }
spec:
  provider: hub
  driver: hub
  supportedAudio: [{ name: pcm16 }, { name: opus, sampleRateHz: 48000, channels: 2 }]
  supportedBinary: [application/json]
---
";
    let args = ["--step", "asr", "--format", "value"];
    let (status, out, err) = printed(&format!("{transport}{STORY}"), &args);
    assert_eq!((status, &*err), (0, ""));
    let value: Value = serde_json::from_str(out.trim_end()).unwrap();
    let info = &value["binding"];
    assert_eq!(info["audioCodecs"], json!(["pcm16", "opus"]));
    assert_eq!(info["binaryTypes"], json!(["application/json"]));
    assert_eq!(info.get("videoCodecs"), None, "none is listed");
}

#[test]
fn there_is_one_for_each_step_in_each_format() {
    let (_, out, _) = printed(STORY, &["--format", "value"]);
    assert_eq!(out.lines().count(), 2);
    let (_, out, _) = printed(STORY, &[]);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[0], "# run calls/call-1, step mic");
    assert!(lines[1].starts_with("BUBU_TRANSPORT_BINDING='{") && lines[1].ends_with("}'"));
    let (_, out, _) = printed(STORY, &["--format", "k8s", "--step", "mic"]);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[1], "- name: BUBU_TRANSPORT_BINDING");
    assert!(lines[2].starts_with("  value: '{"));
    let (_, out, _) = printed(STORY, &["--format", "json"]);
    let all: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(all[1]["step"], "asr");
    assert_eq!(all[1]["run"], "call-1");
    let value = all[1]["env"]["BUBU_TRANSPORT_BINDING"].as_str().unwrap();
    assert!(serde_json::from_str::<Value>(value).is_ok());
}

#[test]
fn an_endpoint_is_bare_and_one_that_needs_tls_is_said_to() {
    let args = ["--endpoint", "hub.example:9443", "--format", "value"];
    let (status, out, err) = printed(STORY, &args);
    assert_eq!(status, 0);
    assert!(
        out.contains("hub.example:9443") && err.contains("TLS"),
        "{err}"
    );
    for bad in ["http://h:1", "h", "h:0", ":1", "h:port"] {
        let line = ["binding", "story.yaml", "--endpoint", bad];
        assert!(Cli::try_parse_from(line).is_err(), "{bad}");
    }
}

#[test]
fn a_step_that_is_not_there_fails_and_names_those_that_are() {
    let (status, out, err) = printed(STORY, &["--step", "tts"]);
    assert_eq!((status, &*out), (1, ""));
    assert!(
        err.contains("call-1 mic") && err.contains("call-1 asr"),
        "{err}"
    );
    assert!(err.starts_with("no step tts: "), "{err}");
    let (status, _, err) = printed(STORY, &["--step", "asr", "--run", "call-2"]);
    assert_eq!(status, 1);
    assert!(err.starts_with("no step asr in a run call-2: "), "{err}");
}

#[test]
fn a_name_that_two_steps_share_is_not_printed() {
    let story = |name: &str, step: &str| {
        STORY
            .split("---")
            .next()
            .unwrap()
            .replace("name: voice", &format!("name: {name}"))
            .replace("asr", step)
    };
    let both = format!("{}---{}", story("a-b", "c"), story("a", "b-c"));
    let (status, out, err) = printed(&both, &["--format", "value"]);
    assert_eq!(status, 1);
    assert!(err.contains("default/a-b-c is ambiguous"), "{err}");
    assert_eq!(out.lines().count(), 2, "those of mic are clear: {out}");
}
