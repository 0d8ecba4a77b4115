//! Receipts: what they release, and what they do not (spec 2.4 rule 2).

use super::guarantee::{ack, guaranteed, identity, sequences};
use super::*;

#[test]
fn a_single_receipt_releases_its_sequence_only() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=4 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    let sent = rig.take(c, at(5));
    let (stream, _) = identity(&sent[0]);
    rig.receipt(c, &stream, 3, at(6));
    rig.disconnect(c);
    let c = rig.connect("c");
    assert_eq!(sequences(&mut rig, c, at(7)), [1, 2, 4]);
}

#[test]
fn a_receipt_for_another_stream_or_epoch_or_an_unsent_sequence_changes_nothing() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send(p, "1", 10, at(1));
    assert_eq!(sequences(&mut rig, c, at(2)), [1]);
    rig.receipt(c, "ns/r/c@e0", 1, at(3));
    rig.receipt(c, "ns/r/p@e1", 1, at(3));
    rig.receipt(c, "ns/r/c@e1", 2, at(3));
    rig.flow(c, &ack(7), at(3));
    assert_eq!(rig.edge("c").in_flight, 1);
    let ignored = rig.engine.snapshot().sessions[1].ignored;
    assert_eq!((ignored.foreign, ignored.unknown), (2, 2));
}

#[test]
fn a_cumulative_ack_counts_up_to_what_this_connection_was_sent() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    for n in 1..=3 {
        rig.send(p, &n.to_string(), 10, at(n));
    }
    assert_eq!(sequences(&mut rig, c, at(4)), [1, 2, 3]);
    rig.disconnect(c);
    let c = rig.connect("c");
    rig.flow(c, &ack(3), at(5));
    assert_eq!(
        rig.edge("c").counts.delivered,
        0,
        "nothing was sent on this one"
    );
    assert_eq!(sequences(&mut rig, c, at(6)), [1, 2, 3]);
    rig.flow(c, &ack(3), at(7));
    assert_eq!(rig.edge("c").counts.delivered, 3);
}

#[test]
fn a_receipt_for_a_set_that_is_half_sent_releases_nothing() {
    let mut rig = guaranteed();
    let (p, c) = (rig.connect("p"), rig.connect("c"));
    rig.send_packet(p, &chunk("x", 0, 2, 0), at(1));
    rig.send_packet(p, &chunk("x", 1, 2, 0), at(1));
    assert_eq!(rig.take_up_to(c, 1, at(2)), ["x0"]);
    rig.receipt(c, "ns/r/c@e1", 1, at(3));
    assert_eq!(rig.edge("c").counts.delivered, 0);
    assert_eq!(rig.engine.snapshot().sessions[1].ignored.unknown, 1);
    assert_eq!(rig.take_up_to(c, 1, at(4)), ["x1"]);
    rig.receipt(c, "ns/r/c@e1", 1, at(5));
    assert_eq!(rig.edge("c").counts.delivered, 1);
}
