//! The hub's numbers against the wire.

use super::*;

const NONE: (&str, u64) = ("expired", 0);

#[test]
fn numbers_that_do_not_add_up_are_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(2);
    let invariant = "accepted = delivered + dropped + queued + in flight";
    breaks(h.counts((2, 0), NONE, (1, 0)), invariant);
    breaks(h.counts((2, 0), ("interrupted", 1), (2, 0)), invariant);
}

#[test]
fn a_counter_that_falls_is_noticed() {
    let mut h = History::new(KEPT);
    h.through(2);
    h.ack(C, 2);
    h.counts((2, 2), NONE, (0, 0)).unwrap();
    breaks(h.counts((2, 1), NONE, (0, 1)), "a counter never falls");
}

#[test]
fn a_packet_that_is_not_counted_or_counted_twice_is_noticed() {
    let invariant = "accepted counts what was routed, once";
    for accepted in [1, 3] {
        let mut h = History::new(KEPT);
        h.took_all(2);
        breaks(h.counts((accepted, 0), NONE, (accepted, 0)), invariant);
    }
}

#[test]
fn an_interrupt_that_ends_the_turn_it_opens_is_noticed() {
    let mut h = History::new(KEPT);
    h.took(item(1).turn(1)).unwrap();
    h.took(item(2).turn(2)).unwrap();
    h.interrupt(2);
    h.counts((2, 0), ("interrupted", 1), (1, 0)).unwrap();
    let verdict = h.counts((2, 0), ("interrupted", 2), (0, 0));
    breaks(verdict, "an interrupt ends only lower turns");
}

#[test]
fn a_drop_for_want_of_room_on_a_pausing_edge_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(1);
    let verdict = h.counts((1, 0), ("lane_full", 1), (0, 0));
    breaks(verdict, "a pausing edge never drops for want of room");
}

#[test]
fn a_queue_past_its_bound_is_noticed() {
    let mut h = History::new(KEPT);
    h.took_all(11);
    breaks(h.counts((11, 0), NONE, (11, 0)), "every bound holds");
    let mut h = History::new(KEPT);
    h.through(6);
    breaks(h.counts((6, 0), NONE, (0, 6)), "every bound holds");
}

#[test]
fn a_sequence_that_never_goes_out_needs_a_drop() {
    let mut h = History::new(KEPT);
    h.took_all(2);
    h.sent(C, item(2), 2).unwrap();
    let verdict = h.counts((2, 0), NONE, (1, 1));
    breaks(verdict, "sequences are contiguous but for recorded holes");
    h.counts((2, 0), ("interrupted", 0), (1, 1)).unwrap_err();
}
