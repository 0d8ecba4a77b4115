//! What Stories ask of each packet: whether it takes an edge, and what is changed in it.

mod changes;
mod clock;
mod elsewhere;
mod hooks;
mod joins;
mod parts;
mod parts_dropped;
mod sets;
mod stopping;
mod taking;

use std::sync::Arc;

use expr::{Block, Condition, Dialect as Language, Limits as Bounds, Mode, Value, json, structs};

use super::*;
use crate::route::{EdgePrograms, Guarantee, Inputs, InputsPlan, Primitive, PrimitivePlan, Rules};

fn condition(text: &str) -> Arc<Condition> {
    Arc::new(Condition::compile(text, Language::Template, Bounds::default()).unwrap())
}

fn block(text: &str) -> Arc<Block> {
    let value = json::parse(text.as_bytes()).unwrap();
    let to = (Mode::Runtime, Language::Template);
    Arc::new(Block::compile(&value, to, Bounds::default()).unwrap())
}

fn only_if(text: &str) -> EdgePrograms {
    EdgePrograms {
        condition: Some(condition(text)),
        ..EdgePrograms::default()
    }
}

fn given(text: &str) -> EdgePrograms {
    EdgePrograms {
        inputs: InputsPlan::PerPacket(block(text)),
        ..EdgePrograms::default()
    }
}

fn transform(id: &str, text: &str) -> Primitive {
    Primitive {
        id: id.into(),
        condition: None,
        does: PrimitivePlan::Transform(block(text)),
    }
}

/// A source `src` and a sink for each of `programs`, with settings of their own.
fn rig_of(programs: Vec<(StepPlan, EdgePrograms)>) -> Rig {
    let mut steps = vec![step("src")];
    let mut edges = Vec::new();
    for (at, (sink, programs)) in (1..).zip(programs) {
        steps.push(sink);
        edges.push(EdgePlan {
            programs: Some(Arc::new(programs)),
            ..EdgePlan::plain(StepIndex(0), StepIndex(at))
        });
    }
    let mut made = plan(steps, &[]);
    made.edges = edges;
    made.inputs = body(r#"{"who": "Ada"}"#);
    Rig {
        // The first packet is one in pieces.
        offers: 1,
        ..Rig::new(Limits::default(), made)
    }
}

/// The sinks are called `a`, `b`, ...
fn rig(programs: Vec<EdgePrograms>) -> Rig {
    let sinks = ["a", "b", "c", "d"].into_iter().map(step);
    rig_of(sinks.zip(programs).collect())
}

/// The contents of the Struct that a JSON object is.
fn body(text: &str) -> Bytes {
    let mut out = BytesMut::new();
    structs::encode(&json::parse(text.as_bytes()).unwrap(), &mut out).unwrap();
    out.freeze()
}

/// A packet with a payload and metadata `n` that says `label`.
fn saying(label: &str, payload: &str) -> Bytes {
    let mut out = BytesMut::new();
    put_metadata(&mut out, Dialect::Packet, "n", label);
    put_payload(&mut out, Dialect::Packet, &body(payload));
    out.freeze()
}

/// A packet whose binary frame is `text` of a media type.
fn framed(media_type: &str, text: &str) -> Bytes {
    let mut frame = BytesMut::new();
    put_len_field(&mut frame, 0x0a, text.as_bytes());
    put_len_field(&mut frame, 0x12, media_type.as_bytes());
    let mut out = BytesMut::new();
    put_metadata(&mut out, Dialect::Packet, "n", "framed");
    put_len_field(&mut out, 0x3a, &frame);
    out.freeze()
}

fn read(body: &[u8]) -> String {
    let style = json::Style {
        indented: false,
        html_safe: false,
    };
    let mut text = Vec::new();
    json::write(&Value::Map(structs::decode(body)), style, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn inputs(packet: &Bytes) -> String {
    let view = PacketView::parse(packet, Dialect::Packet).unwrap();
    let ranges: Vec<_> = view.inputs_ranges().collect();
    assert_eq!(ranges.len(), 1, "inputs are there once");
    read(&packet[ranges[0].clone()])
}

fn payload(packet: &Bytes) -> String {
    let view = PacketView::parse(packet, Dialect::Packet).unwrap();
    let ranges: Vec<_> = view.payload_ranges().collect();
    assert_eq!(ranges.len(), 1, "a payload is there once");
    read(&packet[ranges[0].clone()])
}

fn frame_text(packet: &Bytes) -> String {
    let view = PacketView::parse(packet, Dialect::Packet).unwrap();
    let media = view.frame_view().unwrap().media();
    String::from_utf8(packet[media].to_vec()).unwrap()
}
