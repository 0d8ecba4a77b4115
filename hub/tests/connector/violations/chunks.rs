//! Payloads in chunks: what an engram cannot put together ends its session, and so never reaches it.

use prost_types::value::Kind;
use transport_proto::v1;

use super::envelopes::{beside, said};
use super::oracle::ENVELOPE;
use super::shapes::{Packet, Shape, binary, holding, on_binary, on_envelope};
use super::world::World;
use super::{Neighbours, assert_told_apart};

/// A payload of four bytes in one chunk, `edit`ed.
fn whole(id: &str, edit: impl FnOnce(&mut v1::StreamEnvelope)) -> Packet {
    chunk(id, (0, 1), edit)
}

fn chunk(
    id: &str,
    (index, count): (u32, u32),
    edit: impl FnOnce(&mut v1::StreamEnvelope),
) -> Packet {
    let mut packet = Packet {
        frame: Some(v1::data_packet::Frame::Binary(binary(b"four", "a/b"))),
        ..Packet::default()
    };
    on_envelope(&mut packet, |envelope| {
        *envelope = v1::StreamEnvelope {
            stream_id: "s".into(),
            chunk_id: id.to_owned(),
            chunk_index: index,
            chunk_count: count,
            ..v1::StreamEnvelope::default()
        };
        edit(envelope);
    });
    packet
}

type Edit = fn(&mut v1::StreamEnvelope);

/// What makes a chunk keep a rule, and what makes it break it.
fn edits() -> Vec<(&'static str, Edit, Edit)> {
    let none: Edit = |_| {};
    vec![
        ("no id", none, |e| e.chunk_id.clear()),
        ("no stream", none, |e| e.stream_id.clear()),
        (
            "a long id",
            |e| e.chunk_id = "é".repeat(128),
            |e| e.chunk_id = "é".repeat(129),
        ),
        ("an index past the count", none, |e| e.chunk_index = 1),
        ("many chunks", none, |e| e.chunk_count = 257),
        ("another size", |e| e.chunk_bytes = 4, |e| e.chunk_bytes = 5),
        (
            "another total",
            |e| e.total_bytes = 4,
            |e| e.total_bytes = 3,
        ),
        ("more in all", none, |e| e.total_bytes = 5),
        ("a size past all", none, |e| e.chunk_bytes = (10 << 20) + 1),
        ("a total past all", none, |e| {
            e.chunk_count = 2;
            e.total_bytes = (64 << 20) + 1;
        }),
        ("an id without count", none, |e| e.chunk_count = 0),
        ("an index without count", none, |e| {
            *e = v1::StreamEnvelope {
                chunk_index: 1,
                ..v1::StreamEnvelope::default()
            };
        }),
        ("a size without count", none, |e| {
            *e = v1::StreamEnvelope {
                chunk_bytes: 4,
                ..v1::StreamEnvelope::default()
            };
        }),
        ("a total without count", none, |e| {
            *e = v1::StreamEnvelope {
                total_bytes: 4,
                ..v1::StreamEnvelope::default()
            };
        }),
    ]
}

#[tokio::test]
async fn a_chunk_that_breaks_a_rule_reaches_no_engram_and_its_neighbour_does() {
    let mut world = World::start().await;
    let mut all: Vec<_> = edits()
        .into_iter()
        .enumerate()
        .map(|(nth, (name, keeps, breaks))| Neighbours {
            name: name.to_owned(),
            keeps: vec![whole(&format!("keeps-{nth}"), keeps)],
            breaks: vec![whole(&format!("breaks-{nth}"), breaks)],
        })
        .collect();
    for shape in [Shape::Audio, Shape::Video, Shape::Raw, Shape::Bare] {
        let mut breaks = shape.packet(40);
        breaks.envelope = whole("other", |_| {}).envelope;
        all.push(Neighbours {
            name: format!("chunks of {shape:?}"),
            keeps: vec![shape.packet(40)],
            breaks: vec![breaks],
        });
    }
    let mut empty = whole("empty", |_| {});
    super::shapes::clear_media(&mut empty);
    all.push(Neighbours {
        name: "an empty chunk".to_owned(),
        keeps: vec![whole("filled", |_| {})],
        breaks: vec![empty],
    });
    assert_told_apart(&mut world, &all).await;
}

#[tokio::test]
async fn an_envelope_in_one_chunk_is_judged_as_one_that_is_in_none() {
    let mut world = World::start().await;
    let in_one = |packet: &mut Packet, nth: usize| {
        packet.envelope = whole(&format!("c{nth}"), |_| {}).envelope;
    };
    let all = beside(in_one);
    assert_told_apart(&mut world, &all).await;
    for (nth, kind) in ["error", "noop", "heartbeat", "Error"].iter().enumerate() {
        let text = format!(r#"{{"kind":"{kind}","payload":{{"a":1}}}}"#);
        let mut packet = said(text.as_bytes());
        in_one(&mut packet, 1000 + nth);
        on_envelope(&mut packet, |e| e.chunk_bytes = text.len() as u32);
        packet.payload = Some(super::shapes::object("a", "b"));
        world.say(kind, &[packet]);
    }
    world.say("mark", &[Shape::Binary.packet(1)]);
    for sink in &mut world.sinks {
        sink.until("mark").await;
    }
}

/// Says the chunks of one payload.
fn say_set(world: &mut World, label: &str, chunks: &[Packet]) {
    for chunk in chunks {
        world.say(label, std::slice::from_ref(chunk));
    }
}

#[tokio::test]
async fn pieces_that_make_no_payload_reach_nobody_who_gets_everything() {
    let mut world = World::start().await;
    let none: Edit = |_| {};
    let sets: [(&str, [Packet; 2]); 4] = [
        (
            "another count",
            [chunk("a", (0, 2), none), chunk("a", (1, 3), none)],
        ),
        (
            "another total",
            [
                chunk("b", (0, 2), |e| e.total_bytes = 9),
                chunk("b", (1, 2), none),
            ],
        ),
        (
            "a total that comes late",
            [
                chunk("c", (0, 2), none),
                chunk("c", (1, 2), |e| e.total_bytes = 9),
            ],
        ),
        (
            "a total that none can have",
            [
                chunk("d", (0, 2), |e| e.total_bytes = 4),
                chunk("d", (1, 2), |e| e.total_bytes = 4),
            ],
        ),
    ];
    for (name, chunks) in &sets {
        say_set(&mut world, name, chunks);
    }
    let large = chunk("f", (0, 256), |e| e.total_bytes = (10 << 20) + 1);
    say_set(&mut world, "too large", &[large]);
    let as_large = chunk("g", (0, 256), |e| e.total_bytes = 10 << 20);
    say_set(&mut world, "as large", &[as_large]);
    // Once it is whole, what it does not say is read of the Structs.
    let mut unsayable = chunk("h", (0, 256), none);
    on_binary(&mut unsayable, |b| b.mime_type = ENVELOPE.into());
    unsayable.payload = Some(holding("a", Some(Kind::NumberValue(f64::NAN))));
    say_set(&mut world, "unsayable", &[unsayable]);
    let good = [
        chunk("e", (1, 2), |e| e.total_bytes = 8),
        chunk("e", (0, 2), |e| e.total_bytes = 8),
    ];
    say_set(&mut world, "good", &good);
    world.say("mark", &[Shape::Binary.packet(1)]);
    for sink in &mut world.sinks {
        let got = sink.until("mark").await;
        let labels: Vec<_> = got.iter().map(crate::engram::label).collect();
        if sink.numbered {
            assert_eq!(labels, ["good", "good"], "{}", sink.step);
        } else {
            assert!(labels.ends_with(&["good", "good"]), "{labels:?}");
            assert!(!labels.contains(&sets[3].0), "{labels:?}");
            assert!(!labels.contains(&"too large"), "{labels:?}");
            assert!(!labels.contains(&"unsayable"), "{labels:?}");
            assert!(labels.contains(&"as large"), "{labels:?}");
        }
    }
    let invalid = ["to=\"pk\"", "reason=\"invalid\""];
    world
        .hub
        .wait_for_metric("hub_packets_dropped_total", &invalid, 3.0)
        .await;
}
