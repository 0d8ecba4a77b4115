//! Packets in order when they came that break a rule only by what the hub does to them: they end at
//! the door of the engram that could not take them, and nobody else's.

use prost_types::value::Kind;
use transport_proto::v1::{self, data_packet::Frame};

use super::oracle::{ENVELOPE, deadly};
use super::rules::fill;
use super::shapes::{Packet, Shape, binary, holding};
use crate::client::{Connection, Process};
use crate::engram::{Engram, label};
use crate::rig::{self, Hub, config};

/// `plain` gets what comes, the others what a Story makes of it.
const STORY: &str = r#"
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata:
  name: story
  annotations: { hub/expressions: cel }
spec:
  pattern: streaming
  transports: [{ name: t, transportRef: grpc }]
  steps:
    - { name: src, ref: { name: src }, transport: t, needs: [] }
    - { name: plain, ref: { name: e }, transport: t, needs: [src] }
    - { name: told, ref: { name: e }, transport: t, needs: [src], runtime: { x: '{{ packet.x }}' } }
    - { name: endless, ref: { name: e }, transport: t, needs: [src], runtime: { x: '{{ 1.0 / packet.zero }}' } }
    - { name: made, type: transform, needs: [src], with: { x: '{{ 1.0 / packet.zero }}' } }
    - { name: changed, ref: { name: e }, transport: t, needs: [made] }
    - { name: long, ref: { name: e }, transport: t, needs: [src], runtime: { x: '{{ packet.text }}' } }
"#;

const STEPS: [&str; 5] = ["plain", "told", "endless", "changed", "long"];

struct Rig {
    hub: Hub,
    src: Process,
    sinks: Vec<(&'static str, Engram)>,
    _connection: Connection,
}

impl Rig {
    async fn start() -> Self {
        let hub = Hub::with(config(), STORY);
        let mut sinks = Vec::new();
        for step in STEPS {
            sinks.push((step, Engram::connect(&hub, step).await));
        }
        let mut connection = Connection::open(hub.grpc).await;
        let src = connection.process("src").await.accepted().await;
        Self {
            hub,
            src,
            sinks,
            _connection: connection,
        }
    }

    /// The steps that get `packet`. All get the one after it.
    async fn reaches(&mut self, mut packet: Packet) -> Vec<&'static str> {
        packet.metadata.insert("n".into(), "said".into());
        self.src.send_raw(rig::message(packet));
        let mut mark = numbers(1.0, 1.0);
        mark.metadata.insert("n".into(), "mark".into());
        self.src.send_raw(rig::message(mark));
        let mut reached = Vec::new();
        for (step, engram) in &mut self.sinks {
            loop {
                let message = engram.data.next().await.expect("a packet");
                assert_eq!(deadly(&message), None, "{step}");
                match label(&message) {
                    "mark" => break,
                    _ => reached.push(*step),
                }
            }
        }
        reached
    }
}

/// A packet with a frame that is not JSON: nobody but the hub reads its payload.
fn numbers(x: f64, zero: f64) -> Packet {
    let mut payload = holding("x", Some(Kind::NumberValue(x)));
    let zero = holding("zero", Some(Kind::NumberValue(zero)));
    payload.fields.extend(zero.fields);
    let text = holding("text", Some(Kind::StringValue("t".into())));
    payload.fields.extend(text.fields);
    Packet {
        payload: Some(payload),
        frame: Some(Frame::Binary(binary(b"bytes", "a/b"))),
        ..Packet::default()
    }
}

fn structured(text: &str) -> Packet {
    Packet {
        frame: Some(Frame::Binary(binary(text.as_bytes(), ENVELOPE))),
        ..Packet::default()
    }
}

#[tokio::test]
async fn what_only_an_expression_makes_unsayable_ends_on_its_edge() {
    let mut rig = Rig::start().await;
    assert_eq!(rig.reaches(numbers(1.0, 1.0)).await, STEPS);
    let reached = rig.reaches(numbers(f64::NAN, 1.0)).await;
    assert!(!reached.contains(&"told"), "{reached:?}");
    assert!(reached.contains(&"plain"), "{reached:?}");
    // Where the frame is not JSON nobody reads the payload.
    let reached = rig.reaches(numbers(1.0, 0.0)).await;
    assert_eq!(reached, ["plain", "told", "changed", "long"]);
    let text = r#"{"kind":"data","payload":{"x":1,"zero":0.0,"text":"t"}}"#;
    let reached = rig.reaches(structured(text)).await;
    assert_eq!(reached, ["plain", "told", "long"]);
    let edge = ["to=\"told\""];
    assert_eq!(rig.hub.metric("hub_packets_dropped_total", &edge), 1.0);
}

#[tokio::test]
async fn what_inputs_make_larger_than_10_mib_ends_on_its_edge() {
    let mut rig = Rig::start().await;
    let large = |text: usize, size: usize| {
        let mut packet = numbers(1.0, 1.0);
        let text = holding("text", Some(Kind::StringValue("t".repeat(text))));
        packet
            .payload
            .get_or_insert_default()
            .fields
            .extend(text.fields);
        packet.frame = Some(Frame::Binary(binary(&vec![b'x'; size], "a/b")));
        packet
    };
    // Inputs hold up to 64 KiB of text.
    let (text, most) = (60_000, 10 << 20);
    assert_eq!(rig.reaches(large(text, most - 3 * text)).await, STEPS);
    let reached = rig.reaches(large(text, most - text - 1000)).await;
    assert!(!reached.contains(&"long"), "{reached:?}");
    assert!(reached.contains(&"plain"), "{reached:?}");
    let edge = ["to=\"long\"", "reason=\"oversize\""];
    assert_eq!(rig.hub.metric("hub_packets_dropped_total", &edge), 1.0);
}

#[tokio::test]
async fn the_hubs_own_keys_never_make_more_than_100_pairs() {
    let mut rig = Rig::start().await;
    let with = |pairs: usize, id: bool| {
        let mut packet = Shape::Audio.packet(40);
        packet.payload = numbers(1.0, 1.0).payload;
        if id {
            let key = "bubu.envelope.message_id".to_owned();
            packet.metadata.insert(key, "m".into());
        }
        // One pair more tells the packet from others.
        fill(&mut packet, pairs - 1);
        packet
    };
    for id in [false, true] {
        assert_eq!(rig.reaches(with(97, id)).await, STEPS);
        let none: [&str; 0] = [];
        for pairs in 98..=100 {
            assert_eq!(rig.reaches(with(pairs, id)).await, none, "{pairs}");
        }
    }
    let edge = ["from=\"src\""];
    let dropped = rig.hub.metric("hub_packets_dropped_total", &edge);
    assert_eq!(dropped, (2 * 3 * STEPS.len()) as f64);
}

#[tokio::test]
async fn a_long_name_never_makes_a_stream_id_that_is_too_long() {
    // As long as names may be.
    let name = "n".repeat(63);
    let sink = "s".repeat(63);
    let story = format!(
        "
apiVersion: bubustack.io/v1alpha1
kind: Story
metadata: {{ name: {name} }}
spec:
  pattern: streaming
  transports: [{{ name: t, transportRef: grpc, streaming: {{ delivery: {{ semantics: at_least_once }} }} }}]
  steps:
    - {{ name: src, ref: {{ name: e }}, transport: t, needs: [] }}
    - {{ name: {sink}, ref: {{ name: e }}, transport: t, needs: [src] }}
"
    );
    let hub = Hub::with(config(), &story);
    let mut sink = Engram::connect_as(&hub, &format!("default/{name}-{sink}"), &[]).await;
    let src = Engram::connect_as(&hub, &format!("default/{name}-src"), &[]).await;
    src.data.say(crate::engram::message("x", 1)).await;
    let got: v1::DataResponse = sink.data.next().await.expect("a packet");
    assert_eq!(deadly(&got), None);
    let id = &crate::engram::envelope(&got).stream_id;
    assert!(id.len() <= 128 && id.contains('@'), "{id}");
}
