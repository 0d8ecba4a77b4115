//! What a script sees of a hub that starts.

use crate::engram::Engram;
use crate::process::{Hub, Process, story_file};

pub const PAIR: &str = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports: [{ name: t, transportRef: grpc }]
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
    - { name: a, ref: { name: a }, transport: t, needs: [src] }
";

#[test]
fn the_ready_line_is_all_that_standard_output_gets() {
    let hub = Hub::serve(PAIR, &[]);
    let expected = format!("ready grpc={} admin={}", hub.grpc, hub.admin);
    assert_eq!(hub.ready, expected);
    assert!(hub.grpc.port() != 0 && hub.admin.port() != 0 && hub.grpc != hub.admin);
    assert_eq!(hub.terminate().stdout, "");
}

#[tokio::test]
async fn what_the_ready_line_names_serves_already() {
    let hub = Hub::serve(PAIR, &[]);
    let mut a = Engram::register(hub.grpc, "a").await.expect("registers");
    let src = Engram::register(hub.grpc, "src").await.expect("registers");
    src.send(100).await;
    let packet = a.receive().await.expect("no status").expect("no end");
    assert!(packet.packet.is_some());
    assert!(hub.get("/readyz").0.starts_with("HTTP/1.1 200 "));
}

#[test]
fn logs_go_to_standard_error_as_json_where_nobody_watches() {
    let ended = Hub::serve(PAIR, &[]).terminate();
    assert!(ended.stderr.lines().count() >= 2, "{}", ended.stderr);
    for line in ended.stderr.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(
            event["level"].is_string() && event["message"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn the_environment_speaks_as_loudly_as_the_file_and_flags_speak_louder() {
    let (_folder, path) = story_file(PAIR);
    let wrong = [("HUB__LISTEN__GRPC", "nowhere")];
    let ended = Process::start_with_env(&["run", path.as_str()], &wrong).end();
    assert_eq!(ended.code, Some(64));
    assert!(
        ended.stderr.contains("HUB__LISTEN__GRPC"),
        "{}",
        ended.stderr
    );

    let free = [
        ("HUB__LISTEN__GRPC", "127.0.0.1:1"),
        ("HUB__LISTEN__ADMIN", "127.0.0.1:0"),
    ];
    let args = ["run", path.as_str(), "--listen", "127.0.0.1:0"];
    let process = Process::start_with_env(&args, &free);
    let ready = process.line().expect("a ready line");
    assert!(!ready.contains("127.0.0.1:1 "), "{ready}");
}
