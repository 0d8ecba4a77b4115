//! Numbers in whatever order they come and are settled.

use super::*;

fn at(millis: u64) -> Moment {
    Moment::from_nanos(millis * 1_000_000)
}

fn chunk(index: u32, count: u32) -> Option<ChunkPlace> {
    Some(ChunkPlace { index, count })
}

#[test]
fn a_number_is_settled_when_every_edge_and_every_lower_number_is() {
    let mut producer = Producer::new(0, "e7");
    producer.note(1, None, (2, 0), at(0));
    producer.note(2, None, (1, 0), at(0));
    producer.note(3, None, (0, 0), at(0));
    assert_eq!(producer.settled(), 0);
    producer.settle(2, at(0));
    producer.settle(1, at(0));
    assert_eq!(producer.settled(), 0, "one edge of 1 is open");
    producer.settle(1, at(0));
    assert_eq!(producer.settled(), 3);
}

#[test]
fn a_set_is_settled_when_its_last_chunk_has_come_and_its_edges_are() {
    let mut producer = Producer::new(0, "e7");
    producer.note(1, chunk(0, 3), (1, 0), at(0));
    producer.note(1, chunk(2, 3), (0, 0), at(0));
    assert!(producer.has_routed(1, chunk(2, 3)));
    assert!(!producer.has_routed(1, chunk(1, 3)));
    producer.note(1, chunk(1, 3), (0, 0), at(0));
    assert!(producer.has_routed(1, chunk(1, 3)));
    assert_eq!(producer.settled(), 0);
    producer.settle(1, at(0));
    assert_eq!(producer.settled(), 1);
}

#[test]
fn an_abandoned_set_holds_the_producer_only_until_patience_ends() {
    let mut producer = Producer::new(0, "e7");
    producer.note(1, chunk(0, 2), (0, 0), at(0));
    producer.note(2, None, (0, 0), at(0));
    assert_eq!(producer.settled(), 0);
    assert_eq!(
        producer.give_up_chunks(Duration::from_secs(120), at(119_999)),
        0
    );
    assert_eq!(
        producer.give_up_chunks(Duration::from_secs(120), at(120_000)),
        1
    );
    assert_eq!(producer.settled(), 2);
}

#[test]
fn the_patience_with_a_set_begins_anew_with_each_chunk() {
    let (mut producer, patience) = (Producer::new(0, "e7"), Duration::from_secs(120));
    producer.note(1, chunk(0, 3), (0, 0), at(0));
    producer.note(1, chunk(1, 3), (0, 0), at(100_000));
    assert_eq!(producer.give_up_chunks(patience, at(219_999)), 0);
    assert_eq!(producer.give_up_chunks(patience, at(220_000)), 1);
}

#[test]
fn unfinished_sets_are_bounded() {
    let mut producer = Producer::new(0, "e7");
    for number in 1..=1000 {
        producer.note(number, chunk(0, 2), (0, 0), at(0));
    }
    assert_eq!(producer.pending.len(), MAX_UNFINISHED);
    assert_eq!(producer.settled(), 1000 - MAX_UNFINISHED as u64);
}

#[test]
fn a_chunk_of_more_than_a_payload_may_have_is_remembered_of_nothing() {
    let mut producer = Producer::new(0, "e7");
    for index in 0..1000 {
        producer.note(1, chunk(index, u32::MAX), (0, 0), at(0));
    }
    assert!(producer.pending.is_empty());
    assert_eq!(producer.settled(), 1);
}

#[test]
fn a_chunk_past_the_count_of_its_set_does_not_complete_it() {
    let mut producer = Producer::new(0, "e7");
    producer.note(1, chunk(0, 2), (1, 0), at(0));
    producer.note(1, chunk(7, 2), (0, 0), at(0));
    assert!(!producer.has_routed(1, chunk(1, 2)));
    producer.note(1, chunk(1, 2), (0, 0), at(0));
    producer.settle(1, at(0));
    assert_eq!(producer.settled(), 1);
}

#[test]
fn a_chunk_of_an_older_number_makes_no_newer_one_unknown() {
    let mut producer = Producer::new(0, "e7");
    producer.note(1, chunk(0, 2), (1, 0), at(0));
    producer.note(2, None, (0, 0), at(0));
    producer.note(1, chunk(1, 2), (0, 0), at(0));
    assert!(producer.has_routed(2, None));
    producer.settle(1, at(0));
    assert_eq!(producer.settled(), 2);
}

#[test]
fn the_producer_is_told_after_so_many_packets_or_so_much_time() {
    let every = AckEvery::default();
    let mut producer = Producer::new(0, "e7");
    for number in 1..=9 {
        producer.note(number, None, (0, 0), at(number));
    }
    assert!(!producer.wants_telling(&every, at(9)));
    assert_eq!(producer.deadline(&every), Some(at(251)));
    assert!(producer.wants_telling(&every, at(251)));
    producer.note(10, None, (0, 0), at(10));
    assert!(producer.wants_telling(&every, at(10)));
    assert_eq!(producer.tell(), 10);
    assert!(!producer.wants_telling(&every, at(9999)));
}

#[test]
fn a_fresh_hub_takes_the_numbers_below_the_first_for_settled() {
    let mut producer = Producer::new(0, "e7");
    producer.note(3, None, (1, 0), at(0));
    assert_eq!(producer.settled(), 2);
    assert!(producer.has_routed(2, None));
}
