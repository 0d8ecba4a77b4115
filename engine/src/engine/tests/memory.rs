//! What keeps memory, and for how long (spec 2.4 rule 4, spec 6).

use super::guarantee::{ack, guaranteed, identity, sequences};
use super::*;

/// More than is copied: a slice of the buffer that it came in is kept.
const LARGE: usize = 8 * 1024;

#[test]
fn one_missing_receipt_keeps_little_in_memory() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    let mut read = Vec::new();
    for n in 1..=1000u64 {
        let packet = packet(&n.to_string(), LARGE);
        rig.send_packet(p, &packet, at(n));
        read.push(packet);
        let sent = rig.take(c, at(n));
        if n > 1 {
            rig.receipt(c, &identity(&sent[0]).0, n, at(n));
        }
    }
    let kept = read.iter().filter(|buffer| !buffer.is_unique()).count();
    assert!(kept <= 260, "{kept} of 1000 buffers are kept");
    let edge = rig.edge("c");
    assert_eq!((edge.in_flight, edge.counts.delivered), (1, 999));
    rig.disconnect(c);
    let c = rig.connect("c");
    assert_eq!(sequences(&mut rig, c, at(6000)), [1]);
}

#[test]
fn what_is_kept_without_its_receipted_neighbours_is_replayed_as_it_was() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    let mut sent = Vec::new();
    for n in 1..=400u64 {
        let size = if n % 3 == 0 { LARGE } else { 10 };
        rig.send(p, &n.to_string(), size, at(n));
        sent.extend(rig.take(c, at(n)));
    }
    for n in (1..=400).filter(|n| n % 10 != 0) {
        rig.receipt(c, "ns/r/c@e1", n, at(500));
    }
    sent.retain(|packet| identity(packet).1.is_multiple_of(10));
    rig.disconnect(c);
    let c = rig.connect("c");
    assert_eq!(rig.take(c, at(501)), sent);
    rig.flow(c, &ack(400), at(502));
    assert_eq!(rig.edge("c").counts.delivered, 400);
}

#[test]
fn a_kept_packet_does_not_pin_a_much_larger_read_buffer() {
    let mut rig = guaranteed();
    let p = rig.connect("p");
    let one = packet("1", LARGE);
    let read = Bytes::from([&one[..], &vec![0; 16 * LARGE]].concat());
    let taken = rig.offer_from(p, (&read, one.len()), at(1));
    assert_eq!(taken, Taken::Yes);
    assert_eq!(rig.edge("c").queued, 1);
    assert!(read.is_unique());
}

#[test]
fn a_kept_packet_shares_a_read_buffer_that_it_fills() {
    let mut rig = guaranteed();
    let p = rig.connect("p");
    let one = packet("1", LARGE);
    rig.send_packet(p, &one, at(1));
    assert!(!one.is_unique());
}

#[test]
fn heartbeats_that_nobody_takes_are_bounded() {
    let mut rig = Rig::fan_out(vec![QueueBounds::default()]);
    let (src, sink) = (rig.connect("src"), rig.connect("sink0"));
    let mut beat = BytesMut::new();
    put_metadata(&mut beat, Dialect::Packet, "bubu-heartbeat", "true");
    let beat = beat.freeze();
    for _ in 0..1000 {
        rig.send_packet(src, &beat, at(1));
    }
    let beats = rig.engine.snapshot().heartbeats;
    assert_eq!(beats.received, 1000);
    let wire = rig.wire(sink, at(2));
    assert!((15_000..=16_384).contains(&wire.len()), "{}", wire.len());
    assert_eq!(messages(&wire).len() as u64, beats.forwarded);
}
