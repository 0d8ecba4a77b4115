//! `/api/v1/runs`: runs, their steps, the accounts of their edges.

use std::time::Instant;

use serde_json::{Value, json};

use crate::client::Connection;
use crate::rig::{DEADLINE, Hub, config};

const RUN: &str = "/api/v1/runs/default/story";

/// One consumer that is promised everything and has room for two, and one that is promised nothing.
const MIXED: &str = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports:
    - { name: t, transportRef: grpc }
    - name: kept
      transportRef: grpc
      streaming:
        delivery: { semantics: at_least_once }
        backpressure: { buffer: { maxMessages: 2 } }
    - { name: narrow, transportRef: grpc, streaming: { backpressure: { buffer: { maxMessages: 1 } } } }
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
    - { name: slow, ref: { name: slow }, transport: kept, needs: [src] }
    - { name: quick, ref: { name: quick }, transport: narrow, needs: [src] }
";

pub fn json_of(hub: &Hub, path: &str) -> Value {
    let (status, body) = hub.get(path);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

fn edge<'a>(run: &'a Value, to: &str) -> &'a Value {
    let mut edges = run["edges"].as_array().expect("edges").iter();
    edges.find(|edge| edge["to"] == to).expect("an edge")
}

/// Asks until the edge to `to` is as `wanted` says.
async fn edge_with(hub: &Hub, to: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + DEADLINE;
    loop {
        let run = json_of(hub, RUN);
        let edge = edge(&run, to);
        if wanted(edge) {
            return edge.clone();
        }
        assert!(Instant::now() < until, "{edge}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_step_tells_who_speaks_as_it_and_from_where() {
    let hub = Hub::start();
    let mut connection = Connection::open(hub.grpc).await;
    let with = [("current-step-id", "a"), ("connector-generation", "7")];
    let _a = connection.process_with(&with).await.accepted().await;
    let run = json_of(&hub, RUN);
    assert_eq!(run["namespace"], "default");
    assert_eq!(run["name"], "story");
    assert_eq!(run["story"], "story");
    let steps = run["steps"].as_array().expect("steps");
    let ids: Vec<_> = steps.iter().map(|step| &step["id"]).collect();
    assert_eq!(ids, ["src", "a", "b"]);
    assert_eq!(steps[1]["connected"], true);
    assert_eq!(steps[1]["generation"], 7);
    let peer = steps[1]["peer"].as_str().expect("a peer");
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
    let epoch = steps[1]["epoch"].as_str().expect("an epoch");
    assert!(!epoch.is_empty());
    let mut absent = steps[2].clone();
    let binding = absent["binding"].take();
    let expected = json!({ "id": "b", "connected": false, "generation": null, "epoch": epoch,
        "peer": null, "binding": null });
    assert_eq!(absent, expected);
    let binding: Value = serde_json::from_str(binding.as_str().expect("text")).expect("JSON");
    assert_eq!(
        (&binding["namespace"], &binding["name"]),
        (&json!("default"), &json!("story-b"))
    );
    assert_eq!(binding["binding"]["endpoint"], hub.grpc.to_string());
    let all = json_of(&hub, "/api/v1/runs");
    assert_eq!(all["runs"], json!([run]));
}

#[tokio::test]
async fn an_edge_gives_its_account() {
    let hub = Hub::with(config(), MIXED);
    let mut connection = Connection::open(hub.grpc).await;
    let mut slow = connection.process("slow").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    src.send_packet("1", 10);
    src.send_packet("2", 10);
    slow.label().await;
    slow.label().await;
    slow.send_ack(1);
    let kept = edge_with(&hub, "slow", |edge| edge["delivered"] == 1).await;
    let expected = json!({ "from": "src", "to": "slow", "policy": "at_least_once",
        "accepted": 2, "delivered": 1, "dropped": {}, "queued": 0, "queuedBytes": 0,
        "inFlight": 1, "paused": false, "culprit": null });
    assert_eq!(kept, expected);
    let quick = edge_with(&hub, "quick", |_| true).await;
    assert_eq!(quick["policy"], "best_effort");
    assert_eq!(quick["dropped"], json!({ "lane_full": 1 }));
    assert_eq!(quick["queued"], 1);
    assert!(quick["queuedBytes"].as_u64() > Some(10), "{quick}");
}

#[tokio::test]
async fn a_producer_that_waits_is_shown_on_all_its_edges_with_the_culprit() {
    let hub = Hub::with(config(), MIXED);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    for _ in 0..5 {
        src.send_packet("x", 10);
    }
    let slow = edge_with(&hub, "slow", |edge| edge["paused"] == true).await;
    assert_eq!(
        (&slow["culprit"], &slow["queued"]),
        (&json!("slow"), &json!(2))
    );
    let quick = edge_with(&hub, "quick", |_| true).await;
    assert_eq!(
        (&quick["paused"], &quick["culprit"]),
        (&json!(true), &json!("slow")),
        "its packets wait likewise"
    );
    let mut consumer = connection.process("slow").await.accepted().await;
    for number in 1..=5 {
        consumer.label().await;
        consumer.send_ack(number);
    }
    let free = edge_with(&hub, "slow", |edge| edge["delivered"] == 5).await;
    assert_eq!(
        (&free["paused"], &free["culprit"]),
        (&json!(false), &Value::Null)
    );
}

#[test]
fn a_step_whose_binding_names_another_step_too_has_none() {
    let story = |name: &str, step: &str| {
        format!(
            "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: {{ name: {name} }}
spec:
  pattern: streaming
  transports: [{{ name: t, transportRef: grpc }}]
  steps:
    - {{ name: {step}, ref: {{ name: e }}, transport: t, needs: [] }}
    - {{ name: sink, ref: {{ name: e }}, transport: t, needs: [{step}] }}
"
        )
    };
    let stories = format!("{}\n---\n{}", story("a-b", "c"), story("a", "b-c"));
    let hub = Hub::with(config(), &stories);
    let all = json_of(&hub, "/api/v1/runs");
    for run in all["runs"].as_array().expect("runs") {
        assert_eq!(run["steps"][0]["binding"], Value::Null);
        assert!(run["steps"][1]["binding"].is_string(), "{run}");
    }
}

#[test]
fn a_run_that_is_not_there_is_a_problem_that_names_those_that_are() {
    let hub = Hub::start();
    let (status, body) = hub.get("/api/v1/runs/default/call");
    assert_eq!(status, 404);
    let problem: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(problem["status"], 404);
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("default/call"), "{detail}");
    assert!(detail.contains("known: default/story"), "{detail}");
}

#[test]
fn what_is_not_built_yet_is_refused_as_a_problem() {
    let hub = Hub::start();
    for (method, path) in [("POST", "/api/v1/runs"), ("DELETE", RUN)] {
        let (status, body) = hub.request(method, path);
        assert_eq!(status, 405, "{method}: {body}");
        let problem: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(problem["status"], 405);
    }
}

#[tokio::test]
async fn ways_through_primitives_are_one_edge_from_engram_to_engram() {
    let story = "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  steps:
    - { name: src, ref: { name: src }, needs: [] }
    - { name: yes, type: condition, needs: [src], if: '{{ packet.yes }}' }
    - { name: no, type: condition, needs: [src], if: '{{ packet.no }}' }
    - { name: both, type: parallel, needs: [yes, no] }
    - { name: sink, ref: { name: sink }, needs: [both] }
    - { name: log, ref: { name: log }, needs: [src] }
";
    let hub = Hub::with(config(), story);
    let run = json_of(&hub, RUN);
    let edges = run["edges"].as_array().expect("edges").iter();
    let ends: Vec<_> = edges.map(|edge| (&edge["from"], &edge["to"])).collect();
    assert_eq!(
        ends,
        [
            (&json!("src"), &json!("sink")),
            (&json!("src"), &json!("log"))
        ]
    );
}
