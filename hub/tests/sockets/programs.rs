//! What a Story asks of each packet, from its YAML to the consumer's socket.

use std::collections::BTreeMap;

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use transport_proto::v1;

use crate::client::{Connection, Process};
use crate::rig::{Hub, config, label, message};

/// A condition, a transform, rules, inputs of all kinds, a schema, a join and a stop.
const STORY: &str = r#"
apiVersion: catalog.bubustack.io/v1alpha1
kind: EngramTemplate
metadata: { name: chat }
spec:
  inputSchema:
    type: object
    properties:
      prompt: { type: string, maxLength: 20 }
      temperature: { type: number, default: 0.5 }
    required: [prompt]
---
apiVersion: bubustack.io/v1alpha1
kind: Engram
metadata: { name: chat }
spec: { templateRef: { name: chat } }
---
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: { name: story }
spec:
  pattern: streaming
  transports:
    - { name: t, transportRef: grpc }
    - name: ruled
      transportRef: grpc
      streaming:
        routing:
          rules:
            - { name: quiet, when: '{{ eq (default "" packet.metadata.lang) "xx" }}', action: deny, target: { steps: [log] } }
  steps:
    - { name: src, ref: { name: src }, transport: ruled, needs: [] }
    - { name: heard, type: condition, needs: [src], if: '{{ gt (len (trim (default "" packet.text))) 0 }}' }
    - { name: short, type: transform, needs: [heard], with: { text: '{{ trunc 5 packet.text }}' } }
    - name: llm
      ref: { name: chat }
      transport: t
      needs: [short]
      runtime: { prompt: '{{ steps.src.text }}', cut: '{{ packet.text }}' }
    - { name: log, ref: { name: log }, transport: t, needs: [src], with: { to: 'the {{ inputs.place }}' } }
    - { name: both, ref: { name: both }, transport: t, needs: [llm, log], runtime: { a: '{{ steps.llm.say }}', b: '{{ steps.log.say }}' } }
    - { name: end, type: stop, needs: [both], if: '{{ packet.done }}' }
---
apiVersion: runs.bubustack.io/v1alpha1
kind: StoryRun
metadata: { name: story }
spec: { storyRef: { name: story }, inputs: { place: ledger } }
"#;

fn text(value: &str) -> Value {
    Value {
        kind: Some(Kind::StringValue(value.to_owned())),
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Option<Struct> {
    let fields = fields.map(|(key, value)| (key.to_owned(), value));
    Some(Struct {
        fields: BTreeMap::from(fields),
    })
}

fn say(stream: &mut Process, id: &str, payload: Option<Struct>) {
    let metadata = [("n", id), ("bubu.join.key", id), ("lang", "en")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    stream.send_raw(message(v1::DataPacket {
        metadata: metadata.into(),
        payload,
        ..v1::DataPacket::default()
    }));
}

fn shown(fields: &Option<Struct>) -> String {
    let fields = fields.iter().flat_map(|fields| &fields.fields);
    let shown = fields.map(|(key, value)| match &value.kind {
        Some(Kind::StringValue(text)) => format!("{key}={text}"),
        Some(Kind::NumberValue(number)) => format!("{key}={number}"),
        other => format!("{key}={other:?}"),
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_story_decides_and_changes_what_each_engram_gets() {
    let hub = Hub::with(config(), STORY);
    let mut connection = Connection::open(hub.grpc).await;
    let mut llm = connection.process("llm").await.accepted().await;
    let mut log = connection.process("log").await.accepted().await;
    let mut both = connection.process("both").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;

    say(&mut src, "1", object([("text", text("hello there"))]));
    let got = llm.next().await.expect("a packet");
    assert_eq!(shown(&got.payload), "text=hello");
    let inputs = "cut=hello prompt=hello there temperature=0.5";
    assert_eq!(shown(&got.inputs), inputs);
    let got = log.next().await.expect("a packet");
    assert_eq!(shown(&got.payload), "text=hello there");
    assert_eq!(shown(&got.inputs), "to=the ledger");

    // Too long for the schema: it ends there, and only there. Blank: it goes no further.
    say(&mut src, "2", object([("text", text(&"x".repeat(30)))]));
    say(&mut src, "3", object([("text", text(" "))]));
    say(&mut src, "4", object([("text", text("ok"))]));
    assert_eq!(label(&llm.next().await.expect("a packet")), "4");
    for id in ["2", "3", "4"] {
        assert_eq!(label(&log.next().await.expect("a packet")), id);
    }
    let schema = ["to=\"llm\"", "reason=\"schema\""];
    hub.wait_for_metric("hub_packets_dropped_total", &schema, 1.0)
        .await;
    assert!(hub.metric("hub_evaluate_seconds_count", &["from=\"src\""]) >= 4.0);

    // The two meet by their id, whichever comes first.
    say(&mut log, "4", object([("say", text("from log"))]));
    say(&mut llm, "4", object([("say", text("from llm"))]));
    let got = both.next().await.expect("a packet");
    assert_eq!(shown(&got.inputs), "a=from llm b=from log");
    assert_eq!(label(&got), "4");
}

#[tokio::test]
async fn a_stop_ends_every_stream_with_ok_and_nobody_comes_back() {
    let hub = Hub::with(config(), STORY);
    let mut connection = Connection::open(hub.grpc).await;
    let mut src = connection.process("src").await.accepted().await;
    let mut both = connection.process("both").await.accepted().await;
    let done = Value {
        kind: Some(Kind::BoolValue(true)),
    };
    say(&mut both, "1", object([("done", done)]));
    assert_eq!(src.ended().await, (0, String::new()));
    assert_eq!(both.ended().await.0, 0);
    let (code, text) = connection.process("src").await.ended().await;
    assert_eq!(code, 9, "{text}");
    assert!(text.contains("has ended"), "{text}");
}

#[tokio::test]
async fn a_large_payload_is_decided_elsewhere_in_its_order() {
    let hub = Hub::with(config(), STORY);
    let mut connection = Connection::open(hub.grpc).await;
    let mut llm = connection.process("llm").await.accepted().await;
    let mut src = connection.process("src").await.accepted().await;
    let large = || {
        object([
            ("text", text("large")),
            ("rest", text(&"x".repeat(200_000))),
        ])
    };
    for n in 0..10 {
        let small = n % 2 == 0;
        let payload = if small {
            object([("text", text("small"))])
        } else {
            large()
        };
        say(&mut src, &n.to_string(), payload);
    }
    for n in 0..10 {
        let got = llm.next().await.expect("a packet");
        assert_eq!(label(&got), n.to_string());
        let prompt = if n % 2 == 0 { "small" } else { "large" };
        assert!(shown(&got.inputs).contains(&format!("prompt={prompt}")));
    }
}

#[tokio::test]
async fn an_assistant_is_told_when_all_are_there() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../conformance/stories/loads/lifecycle-greeting.yaml"
    );
    let story = std::fs::read_to_string(file).expect("the Story is there");
    let hub = Hub::with(config(), &story);
    let mut connection = Connection::open(hub.grpc).await;
    let mut streams = Vec::new();
    for step in ["greet", "monitor", "ingress"] {
        let changes = [("storyrun-name", "greeting"), ("current-step-id", step)];
        let stream = connection.process_with(&changes).await;
        streams.push(stream.accepted().await);
    }
    let [greet, monitor, ingress] = &mut streams[..] else {
        unreachable!("three streams");
    };
    let hook = greet.next().await.expect("a packet");
    assert_eq!(hook.metadata["type"], "storyrun.ready");
    assert_eq!(shown(&hook.inputs), "prompt=Greet the caller warmly.");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let hook = monitor.next().await.expect("a packet");
        assert_eq!(hook.metadata["type"], "steprun.ready");
        seen.push(hook.metadata["hook.step"].clone());
    }
    assert_eq!(seen, ["greet", "monitor", "ingress"]);
    // What ingress says is neither.
    say(ingress, "1", object([("type", text("speech"))]));
    hub.wait_for_metric("hub_evaluate_seconds_count", &["from=\"ingress\""], 1.0)
        .await;
    assert_eq!(hub.metric("hub_packets_accepted_total", &[]), 0.0);
}
