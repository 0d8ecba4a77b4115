//! Payloads in several chunks on their way to engrams.

use super::*;
use crate::route::{Guarantee, Semantics};

/// A source, and behind it an engram on the connector contract.
fn towards_an_engram() -> (Rig, ConnId, ConnId) {
    let steps = vec![step("src"), step("sink")];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 1)]));
    let (src, sink) = (rig.connect("src"), rig.connect_engram("sink"));
    (rig, src, sink)
}

#[test]
fn a_large_chunk_of_an_envelope_is_no_envelope() {
    let (mut rig, src, sink) = towards_an_engram();
    let mut frame = BytesMut::new();
    put_len_field(&mut frame, 0x0a, &vec![b'x'; 50_000]);
    put_len_field(&mut frame, 0x12, b"application/vnd.bubu.packet+json");
    let mut chunk = BytesMut::new();
    put_len_field(&mut chunk, 0x3a, &frame);
    // stream_id "s", chunk_id "c", chunk_count 2
    put_len_field(&mut chunk, 0x42, b"\x0a\x01s\x22\x01c\x30\x02");
    rig.send_packet(src, &chunk.freeze(), at(0));
    assert_eq!(rig.responses(sink, at(0)).len(), 1);
    assert_eq!(rig.edge("sink").counts.dropped(DropReason::Invalid), 0);
}

/// A chunk of four bytes of payload `c`: its index and how many there are.
fn chunk(index: u8, count: u8) -> Bytes {
    let mut packet = BytesMut::new();
    put_len_field(&mut packet, 0x3a, b"\x0a\x04data");
    let envelope = [&b"\x0a\x01s\x22\x01c"[..], &[0x28, index, 0x30, count]].concat();
    put_len_field(&mut packet, 0x42, &envelope);
    packet.freeze()
}

#[test]
fn chunks_that_contradict_those_before_them_reach_no_engram() {
    let (mut rig, src, sink) = towards_an_engram();
    for (index, count) in [(0, 3), (1, 2), (1, 3)] {
        rig.send_packet(src, &chunk(index, count), at(0));
    }
    assert_eq!(rig.responses(sink, at(0)).len(), 2);
    assert_eq!(rig.edge("sink").counts.dropped(DropReason::Invalid), 1);
    // An engram that comes anew has nothing of the set.
    rig.disconnect(sink);
    let sink = rig.connect_engram("sink");
    rig.send_packet(src, &chunk(0, 2), at(0));
    assert_eq!(rig.responses(sink, at(0)).len(), 1);
    // Who speaks Process gets what was sent.
    rig.disconnect(sink);
    let sink = rig.connect("sink");
    for (index, count) in [(0, 3), (1, 2)] {
        rig.send_packet(src, &chunk(index, count), at(0));
    }
    assert_eq!(rig.take(sink, at(0)).len(), 2);
}

/// The chunk, said to be of a kind.
fn of_kind(kind: &str, chunk: &Bytes) -> Bytes {
    let mut packet = BytesMut::from(&chunk[..]);
    put_metadata(&mut packet, Dialect::Packet, "bubu.envelope.kind", kind);
    packet.freeze()
}

#[test]
fn a_chunk_that_an_engram_does_not_get_completes_no_set() {
    // An error is no payload in chunks, and of what says nothing the frame is left out.
    for (kind, got) in [("error", 1), ("noop", 2)] {
        let (mut rig, src, sink) = towards_an_engram();
        rig.send_packet(src, &of_kind(kind, &chunk(0, 2)), at(0));
        rig.send_packet(src, &chunk(1, 2), at(0));
        assert_eq!(rig.responses(sink, at(0)).len(), got, "{kind}");
        // It still waits for the other one of two.
        rig.send_packet(src, &chunk(0, 3), at(0));
        assert!(rig.responses(sink, at(0)).is_empty(), "{kind}");
        rig.send_packet(src, &chunk(0, 2), at(0));
        rig.send_packet(src, &chunk(0, 3), at(0));
        assert_eq!(rig.responses(sink, at(0)).len(), 2, "{kind}");
    }
}

#[test]
fn chunks_of_two_upstreams_are_not_put_together() {
    let steps = vec![step("a"), step("b"), step("sink")];
    let mut rig = Rig::new(Limits::default(), plan(steps, &[(0, 2), (1, 2)]));
    let (a, b) = (rig.connect("a"), rig.connect("b"));
    let sink = rig.connect_engram("sink");
    rig.send_packet(a, &chunk(0, 2), at(0));
    rig.send_packet(b, &chunk(1, 2), at(0));
    rig.send_packet(a, &chunk(1, 2), at(0));
    assert_eq!(rig.responses(sink, at(0)).len(), 2);
    let dropped = rig.engine.snapshot().edges.into_iter();
    let dropped = dropped.map(|edge| edge.counts.dropped(DropReason::Invalid));
    assert_eq!(dropped.collect::<Vec<_>>(), [0, 1]);
    for index in [0, 1] {
        rig.send_packet(b, &chunk(index, 2), at(0));
    }
    assert_eq!(rig.responses(sink, at(0)).len(), 2, "its turn");
}

#[test]
fn of_a_set_that_ended_nothing_more_is_sent() {
    let sink = StepPlan {
        semantics: Semantics::AtLeastOnce(Guarantee::default()),
        ..step("sink")
    };
    let mut rig = Rig::new(Limits::default(), plan(vec![step("src"), sink], &[(0, 1)]));
    let (src, sink) = (rig.connect("src"), rig.connect_engram("sink"));
    rig.send_packet(src, &of_kind("error", &chunk(0, 3)), at(0));
    rig.send_packet(src, &chunk(1, 3), at(0));
    rig.send_packet(src, &chunk(2, 3), at(0));
    rig.send(src, "after", 10, at(0));
    assert_eq!(rig.responses(sink, at(0)).len(), 1);
    let edge = rig.edge("sink");
    assert_eq!(edge.counts.dropped(DropReason::Invalid), 1);
    assert_eq!((edge.counts.accepted, edge.in_flight), (2, 1));
}
